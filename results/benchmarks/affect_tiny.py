"""Writes the tables of affect-tiny's model card: a run of the harness, and how steady it is.

    make affect-tiny-report

runs the drawn tasks with every prompt, shown and blank, clips also as contact sheets, and then
this. The wording exam, the flips and the forced labels are asked here, of fresh test subjects. The
card gets a prompt or two of each task; every prompt and every wording stand in `affect_tiny.md`
beside this file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from harness.affect_tiny import weights_folder
from harness.affect_tiny.training.evaluate import exam_answers, test_pools
from harness.affect_tiny.training.held_out_eval import EXAM
from harness.affect_tiny.training.inference import Speaker
from harness.affect_tiny.training.scores import uar
from harness.affect_tiny.training.steadiness import flips, forced, forced_on_blank

ROOT = Path(__file__).parents[2]
CARD = ROOT / "harness" / "affect_tiny" / "MODEL_CARD.md"
ORACLE = Path(__file__).with_name("oracle.md")
OUT = Path(__file__).with_name("affect_tiny.md")
MAIN = {"set": "set_f1", "number": "ccc", "spots": "strs"}
NAMES = {"strs": "STRS", "uar": "UAR", "uf1": "UF1", "ccc": "CCC", "set_f1": "set F1"}
CARD_PROMPTS = (
    *("emotion/plain", "cues/report", "vqa/plain", "affect/numbers", "affect/words"),
    *("units/plain", "spot/plain", "spot/window"),
)
"""The prompts whose rows the card shows."""
SHOWN = {"none": "", "contact-sheet": ", contact sheet"}
"""The conditions that have rows of their own, and what is added to the prompt's name."""
FACES, SEED, DRAWS = 140, 12, 1000
"""Faces of the exam (20 test subjects with the seven emotions), their seed, bootstrap draws."""
HEAD = (
    "| task | prompt | field | metric | value | 95% interval | ceiling | blank | n |",
    "|---|---|---|---|---|---|---|---|---|",
)
CEILINGS = {
    ("emotion", "uar"): "emotion, 7 classes | intensities | logistic regression",
    ("fine", "uar"): "micro-expression, fine, apex frame | intensities | logistic regression",
    ("coarse", "uf1"): "micro-expression, coarse, apex frame | intensities | logistic regression",
    ("eyebrows", "uar"): "eyebrows | landmarks, error 0.01 | boosted trees",
    ("valence", "ccc"): "valence | intensities | boosted trees",
    ("arousal", "ccc"): "arousal | intensities | boosted trees",
}
"""Field and metric to the row of `oracle.md` that holds its ceiling."""


def main() -> None:
    every, outcomes = [], []
    for run in map(Path, sys.argv[1:]):
        scored = json.loads((run / "scores.json").read_text())
        tasks = json.loads((run / "manifest.json").read_text())["tasks"]
        every += table(scored["scores"], tasks)
        outcomes += [row for row in scored["outcomes"] if row["model"] == "affect-tiny"]
    some = [line for prompt, line in every if prompt in CARD_PROMPTS]
    put(CARD, "table", [*HEAD, *some])
    print(f"{len(some)} rows written into {CARD.relative_to(ROOT)}")
    steady, wordings = steadiness(weights_folder())
    put(CARD, "steady", [*steady, *kept_to(outcomes)])
    prompts = ["", "## Every shipped prompt", "", *HEAD, *(line for _, line in every)]
    OUT.write_text("\n".join([*wordings, *prompts]) + "\n")
    print(f"{len(EXAM)} wordings and {len(every)} rows written into {OUT.relative_to(ROOT)}")


def put(file: Path, name: str, lines: Sequence[str]) -> None:
    """Replaces what stands between two marks."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = file.read_text().partition(begin)
    _, _, after = rest.partition(end)
    file.write_text(before + begin + "\n" + "\n".join(lines) + "\n" + end + after)


def table(
    scores: list[dict[str, Any]], tasks: dict[str, Any], *, model: str = "affect-tiny"
) -> list[tuple[str, str]]:
    """The scores of a model in the run, one row for a task, prompt and field; each with its prompt."""
    lines = []
    for row in scores:
        spec = tasks[row["task"]]["config"]["fields"].get(row["field"])
        if spec is None and row["metric"] != "strs":  # the sentence, which is compared as text
            continue
        kind = spec["kind"] if spec else "spots"
        metric = "uf1" if row["field"] == "coarse" else MAIN.get(kind, "uar")
        if row["model"] != model or row["condition"] not in SHOWN or row["metric"] != metric:
            continue
        if "=" in row["slice"]:
            continue
        part = "" if row["slice"] in ("all", row["field"]) else f" ({row['slice']})"
        line = (
            f"| {row['task']} | {row['prompt']}{SHOWN[row['condition']]} | {row['field']}{part} "
            f"| {NAMES[row['metric']]} | {row['value']:.3f} | {row['low']:.2f} to {row['high']:.2f} "
            f"| {ceiling(row['field'], metric)} | {blank(scores, row)} | {row['n']} |"
        )
        lines.append((row["prompt"], line))
    return lines


def kept_to(outcomes: Sequence[dict[str, Any]]) -> list[str]:
    """How many cue reports can be read as asked, and how many flat pictures are declined. Both of
    fields, as each is read on its own."""
    reports = [r["counts"] for r in outcomes if r["condition"] == "none" and "cues/" in r["prompt"]]
    flat = [r["counts"] for r in outcomes if r["condition"] == "blank"]
    unread = sum(c.get(name, 0) for c in reports for name in ("unparsed", "truncated", "empty"))
    asked, shown = (sum(sum(c.values()) for c in counts) for counts in (reports, flat))
    refused = sum(c.get("refused", 0) for c in flat)
    return [
        f"| fields of JSON reports that are there and can be read | {1 - unread / asked:.1%} "
        f"of {asked} |",
        f"| questions about flat pictures that it declines | {refused / shown:.1%} of {shown} |",
    ]


def ceiling(field: str, metric: str) -> str:
    """What a classifier on the true action units reaches; "rule" where the annotation is a stated
    rule on what was drawn and there is nothing to learn."""
    wanted = CEILINGS.get((field, metric))
    for line in ORACLE.read_text().splitlines():
        if wanted is not None and line.startswith(f"| {wanted} |"):
            return line.split("|")[5].split("[")[0].strip()
    return "rule"


def blank(scores: list[dict[str, Any]], row: dict[str, Any]) -> str:
    """The same number with the picture hidden, and how much of it was answered at all."""
    keys = ("task", "model", "prompt", "slice", "field", "metric")
    for other in scores:
        if other["condition"] == "blank" and all(other[k] == row[k] for k in keys):
            share = other["coverage"]  # spotting has none
            answered = "" if share is None else f" ({share:.0%} answered)"
            return f"{other['value']:.3f}{answered}"
    return "not run"


def steadiness(weights: Path) -> tuple[list[str], list[str]]:
    """The card's table, and the file with every wording, of a checkpoint."""
    faces, _ = test_pools(faces=FACES, clips=1, seed=SEED)
    speaker = Speaker.load(weights)
    pictures = [[Image.fromarray(frames[0])] for frames in faces.pixels]
    emotions = [truth["emotion"] for truth in faces.truths]
    subjects = [truth["subject"] for truth in faces.truths]
    told = exam_answers(speaker, EXAM, faces.truths, pictures)
    found = [uar(emotions, said) for said in told]
    low, high = interval(emotions, told, subjects)
    chosen = forced(speaker, pictures)
    lines = [
        "| measured | value |",
        "|---|---|",
        f"| wording exam, mean UAR of {len(EXAM)} wordings | {np.mean(found):.3f} "
        f"({low:.2f} to {high:.2f}) |",
        f"| wording exam, worst wording | {min(found):.3f} |",
        f"| wordings under .60 | {sum(value < 0.6 for value in found)} of {len(EXAM)} |",
    ]
    for name, share in flips(speaker, pictures).items():
        lines.append(f"| answers that change with {name} | {share:.1%} |")
    lines.append(
        f"| forced to a label (likeliest of the seven), UAR | {uar(emotions, chosen):.3f} |"
    )
    chance = forced_on_blank(speaker, emotions)
    lines.append(f"| forced to a label on flat pictures, UAR (chance .143) | {chance:.3f} |")
    return lines, exam_file(found, (low, high))


def interval(
    emotions: Sequence[str], told: Sequence[Sequence[str]], subjects: Sequence[str]
) -> tuple[float, float]:
    """95 % percentile interval of the exam's mean UAR, subjects resampled."""
    names = sorted(set(subjects))
    rows = {name: [i for i, s in enumerate(subjects) if s == name] for name in names}
    rng = np.random.default_rng(SEED)
    means = []
    for _ in range(DRAWS):
        chosen = [i for k in rng.integers(0, len(names), len(names)) for i in rows[names[k]]]
        wanted = [emotions[i] for i in chosen]
        means.append(np.mean([uar(wanted, [said[i] for i in chosen]) for said in told]))
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def exam_file(found: Sequence[float], bounds: tuple[float, float]) -> list[str]:
    """Every wording with its score, worst first."""
    lines = [
        "# affect-tiny with many wordings",
        "",
        "Made by `make affect-tiny-report`.",
        "",
        "## Held-out wordings",
        "",
        "The wordings (`harness/affect_tiny/training/held_out_eval.py`) were fixed before",
        f"training and are never trained on; {FACES} faces of test subjects, greedy, float32. Mean",
        f"UAR {np.mean(found):.3f} ({bounds[0]:.2f} to {bounds[1]:.2f}, subjects resampled), "
        f"worst {min(found):.3f}.",
        "",
        "| UAR | wording |",
        "|---|---|",
    ]
    for value, wording in sorted(zip(found, EXAM, strict=True), key=lambda pair: pair[0]):
        where = " (before the picture)" if wording.before else ""
        lines.append(f"| {value:.3f} | {wording.name.replace('|', chr(92) + '|')}{where} |")
    return lines


if __name__ == "__main__":
    main()
