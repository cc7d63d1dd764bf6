"""Writes what affect-tiny reads with tools, and with tools that lie, into `affect_tiny_agent.md` beside this file.

    harness run faces/scene --model affect-tiny --tools none --tools zoom --tools zoom:echo \
      --tools zoom:swap --tools zoom:blank --tools zoom:unavailable --tools zoom:perfect --out RUN
    python results/benchmarks/affect_tiny_agent.py RUN [--before CARD] [--both RUN]

CARD is the model card of the weights before they were tuned; the figures of the card as it is are put beside its own. `--both`,
once for each, names runs of tasks of the card with both sets of weights, `transformers:BEFORE` and affect-tiny, on more
subjects: their paired differences are put below.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from affect_tiny import CARD, MAIN, NAMES, SHOWN

import harness
from harness.analyses.rows.spotting import true_spots
from harness.metrics.spotting import spotting_family
from harness.run.folder import open_run as open_folder
from harness.run.sample_file import read_samples
from harness.stats.paired import PairedDifference, paired
from harness.submit.choice import Choice
from harness.submit.megc.spots import read_spotted

OUT = Path(__file__).with_name("affect_tiny_agent.md")
ORDER = ("none", "zoom", "zoom:perfect", "zoom:echo", "zoom:swap", "zoom:blank", "zoom:unavailable")
HEAD = (
    "| tools | small: calls | small: right | small: cannot tell | large: calls | large: right |",
    "|---|---|---|---|---|---|",
)
PAIRS = (
    *(("zoom", "none"), ("zoom:echo", "none"), ("zoom", "zoom:echo")),
    *(("zoom:perfect", "zoom"), ("zoom:swap", "none")),
)
SMALL = "suffices=no"
AFTER = "affect-tiny"


def main() -> None:
    """Reads the runs and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--before", type=Path, metavar="CARD")
    parser.add_argument("--both", type=Path, action="append", default=[], metavar="RUN")
    given = parser.parse_args()
    first, run = given.run, harness.open_run(given.run)
    lines = [
        "# affect-tiny, with tools",
        "",
        "Made by `results/benchmarks/affect_tiny_agent.py` from a run of `faces/scene`: 140 drawn scenes of 20 test",
        "subjects; small: the face takes less than 70% of the picture's side (`suffices` is no); large: 70% or more.",
        "Greedy, float32, one tuning. `none` is the same prompt asked once.",
        "",
        *HEAD,
        *cells(run),
        "",
        "| difference | faces | UAR | 95% interval | n |",
        "|---|---|---|---|---|",
        *differences(run),
        "",
        followed(first),
        "",
        declined(run),
    ]
    if given.before:
        lines += ["", *beside_the_card(given.before)]
    if given.both:
        lines += ["", *with_more_subjects(given.both)]
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"written into {OUT.name}")


def beside_the_card(card: Path) -> list[str]:
    """The figures of the model card as it is, beside those of another one."""
    before, now = figures(card), figures(CARD)
    lines = [
        "## What the tuning cost",
        "",
        "The figures of the model card before the tuning and after it. Marked: more than .02 less.",
        "",
        "| task | prompt | field | metric | before | after | |",
        "|---|---|---|---|---|---|---|",
    ]
    for key, value in now.items():
        mark = "less" if value < before[key] - 0.02 else ""
        lines.append(f"| {' | '.join(key)} | {before[key]:.3f} | {value:.3f} | {mark} |")
    steady, known = steadiness_of(CARD), steadiness_of(card)
    lines += ["", "| measured | before | after |", "|---|---|---|"]
    return lines + [f"| {name} | {known[name]} | {value} |" for name, value in steady.items()]


def figures(card: Path) -> dict[tuple[str, ...], float]:
    """Task, prompt, field and metric -> value, of the table of a model card."""
    rows = map(columns, card.read_text(encoding="utf-8").splitlines())
    return {
        tuple(row[:4]): float(row[4])
        for row in rows
        if len(row) == 9 and row[0].startswith("faces/")
    }


def steadiness_of(card: Path) -> dict[str, str]:
    """What the second table of a model card says."""
    _, _, text = card.read_text(encoding="utf-8").partition("<!-- steady: begin -->")
    rows = map(columns, text.partition("<!-- steady: end -->")[0].strip().splitlines()[2:])
    return dict(rows)


def with_more_subjects(runs: Sequence[Path]) -> list[str]:
    """Both sets of weights on other and more test subjects than those of the card, with paired differences."""
    return [
        "## With more subjects",
        "",
        "Both sets of weights on other test subjects than those of the card, and more of them: what three micro-expressions",
        "or 84 contact sheets leave open. Differences are after less before, paired, with intervals over subjects.",
        "",
        "| task | prompt | field | metric | before | after | difference | 95% interval | n |",
        "|---|---|---|---|---|---|---|---|---|",
        *(line for folder in runs for line in sorted(both(folder))),
    ]


def both(folder: Path) -> Iterator[str]:
    """The rows of a run with two models: the weights before, and affect-tiny."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (before,) = set(manifest["models"]) - {AFTER}
    found = harness.open_run(folder).compare(model=(AFTER, before))
    for row in found[found["what"] == "metric"].itertuples():
        kind = manifest["tasks"][row.task]["config"]["fields"][row.field]["kind"]
        wanted = "macro_f1" if row.field == "coarse" else MAIN.get(kind, "uar")
        if row.of != wanted or "=" in row.slice:
            continue
        part = "" if row.slice in ("all", row.field) else f" ({row.slice})"
        name = NAMES[wanted.replace("macro_f1", "uf1")]
        where = f"{row.task} | {row.a_prompt}{SHOWN[row.a_condition]} | {row.field}{part} | {name}"
        yield row_of(where, row.b, row.a, (row.low, row.high), row.n)
    tasks = [name for name, entry in manifest["tasks"].items() if entry["config"].get("spotting")]
    for task in tasks:
        for prompt in manifest["prompts"]:
            found = spots_compared(folder, task, prompt, before)
            where, bounds = f"{task} | {prompt} | spots | STRS", found.interval
            values = found.value_b, found.value_a, (bounds.low, bounds.high)
            yield row_of(where, *values, found.n)


def row_of(where: str, before: float, after: float, bounds: tuple[float, float], n: int) -> str:
    """A row of the table of differences; `bounds` of after less before."""
    low, high = bounds
    return (
        f"| {where} | {before:.3f} | {after:.3f} | {after - before:+.3f} "
        f"| {low:+.3f} to {high:+.3f} | {n} |"
    )


def spots_compared(folder: Path, task: str, prompt: str, before: str) -> PairedDifference:
    """The paired difference of the STRS of affect-tiny and of the weights before; samples are videos."""
    notes = [one.annotations for one in read_samples(open_folder(folder).scored_samples(task))]
    events = {(str(n["subject"]), str(n["video"])): n for n in notes}
    truth = [spot for video, n in events.items() for spot in true_spots(video, n)]
    families = []
    for model in (AFTER, before):
        (found,) = read_spotted([folder], Choice(task=task, model=model, prompt=prompt))
        families.append(spotting_family(found.spots, truth, videos=tuple(events)))
    subjects = [subject for subject, _ in families[0].videos]
    return paired(*families, "strs", subjects, seed=0)


def columns(text: str) -> list[str]:
    """The cells of a row of a Markdown table."""
    return [cell.strip() for cell in text.strip().strip("|").split("|")]


def cells(run: harness.Run) -> list[str]:
    """One row for each toolbox."""
    records = run.records()
    samples = run.samples().set_index("sample")
    records["small"] = records["sample"].map(samples["annotation.suffices"]) == "no"
    records["tools"] = records["tools"].astype(object).replace("", "none")
    calls = calling(run.path)
    records["calls"] = records["trial"].map(lambda name: name in calls)
    records["right"] = (records["outcome"] == "answered") & (records["value"] == records["target"])
    records["declined"] = records["outcome"] == "refused"
    there = set(records["tools"])
    return [line(name, records[records["tools"] == name]) for name in ORDER if name in there]


def declined(run: harness.Run) -> str:
    """How often the model says that it cannot tell, of trials with a call whose tool shows nothing."""
    records, calls = run.records(), calling(run.path)
    told = []
    for name in ("zoom:blank", "zoom:unavailable"):
        rows = records[(records["tools"] == name) & records["trial"].isin(calls)]
        told.append(f"`{name}` {(rows['outcome'] == 'refused').sum()} of {len(rows)}")
    return f"Where its call shows nothing, it says that it cannot tell: {', '.join(told)}."


def line(name: str, rows: pd.DataFrame) -> str:
    """Shares of small and of large faces, with how many there are."""
    small, large = rows[rows["small"]], rows[~rows["small"]]
    shares = [
        f"{small['calls'].mean():.2f}",
        f"{small['right'].mean():.2f} (n {len(small)})",
        f"{small['declined'].mean():.2f}",
        f"{large['calls'].mean():.2f}",
        f"{large['right'].mean():.2f} (n {len(large)})",
    ]
    return f"| `{name}` | " + " | ".join(shares) + " |"


def calling(folder: Path) -> frozenset[str]:
    """Trials in which a tool was called; the last line of a trial counts."""
    made: dict[str, bool] = {}
    for text in (folder / "trials.jsonl").read_text(encoding="utf-8").splitlines():
        told = json.loads(text)
        made[told["trial"]] = bool(told.get("calls"))
    return frozenset(name for name, calls in made.items() if calls)


def differences(run: harness.Run) -> list[str]:
    """Paired differences of the UAR on small faces and on all."""
    there = set(run.records()["tools"].astype(object).replace("", "none"))
    lines = []
    for first, second in PAIRS:
        if not {first, second} <= there:
            continue
        found = run.compare(tools=(first, second))
        rows = found[found["of"].isin((SMALL, "uar")) & (found["slice"].isin(("all", SMALL)))]
        lines += [
            f"| {first} less {second} | {'small' if SMALL in (row.of, row.slice) else 'all'} "
            f"| {row.difference:+.3f} | {row.low:+.2f} to {row.high:+.2f} | {row.n} |"
            for row in rows.itertuples()
        ]
    return lines


def followed(folder: Path) -> str:
    """Of the samples where the other person's label differs from the truth and from one look: what is said."""
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    audit = [row for task in scores["tasks"] for row in task["tools"] if row["what"] == "audit"]
    told = []
    for row in audit:
        for name, words in (("eyes_right", "right"), ("eyes_wrong", "wrong")):
            found = row.get("swap", {}).get(name)
            if found and found["tool"]["value"] is not None:
                tool, own = found["tool"], found["eyes"]
                told.append(
                    f"where one look is {words} (n {found['n']}) it says what the tool shows in "
                    f"{tool['value']:.2f} ({tool['low']:.2f} to {tool['high']:.2f}) and what one look says in "
                    f"{own['value']:.2f}"
                )
    return "With `zoom:swap`, another person's face: " + "; ".join(told) + "." if told else ""


if __name__ == "__main__":
    main()
