"""Is a planted teeth shortcut caught, and a model without one cleared? Writes `shortcut.md` beside this file.

    export OMP_NUM_THREADS=1
    python -m harness.affect_tiny.training.shortcut --work DIR --out CHECKPOINTS
    python -m results.benchmarks.shortcut CHECKPOINTS RUNS [ask-teeth | ask-usual | ask-cues | ask-reports | tell | NAME ...]

asks the harness's own commands about affect-tiny as shipped and about the seven checkpoints, and writes
the tables. Every part goes on where it stopped; without a part (or a checkpoint) named, all are done.
About half an hour of one processor.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.affect_tiny.training.shortcut import NAMES
from harness.core.errors import HarnessError
from harness.cues import causes, read_sheets
from harness.cues.causes import Faithfulness, by_subject, faithfulness
from harness.cues.contrasts import contrasts
from harness.cues.interventions import stated_beside
from harness.cues.outcomes import SHIFT, outcomes, pairs_of
from harness.run.folder import open_run

OUT = Path(__file__).with_suffix(".md")
SHIPPED = "affect-tiny"
SEED, PAIRS, USUAL, FEW = 31, 400, 140, 56
"""Seed of the test subjects; how many of their faces are asked about with teeth shown and hidden, as they
are drawn, and with other cues changed (each time the first of the same)."""
PARTS = ("ask-teeth", "ask-usual", "ask-cues", "ask-reports", "tell")
WHOLE = (SHIPPED, "planted-1", "clean-1", "liar-1")
"""Checkpoints that are asked about the other cues and for cue reports as well."""
TEETH = ("cue:teeth_visible=yes", "cue:teeth_visible=no")
OTHERS = (
    *("cue:eyebrows=raised", "cue:eyebrows=lowered", "cue:eyes=wide", "cue:eyes=narrowed"),
    *("cue:mouth=smile", "cue:mouth=frown", "cue:cheeks=raised", "cue:cheeks=neutral"),
    *("cue:nose=wrinkled", "cue:nose=neutral"),
)
WANTED = {"planted": "caught", "clean": "cleared", "liar": "caught", "affect": "-"}
"""First part of a checkpoint's name to the verdict that is asked for."""
OUTCOME = "P(happiness)"
HEAD = """# Is a planted shortcut found?

Written by `results/benchmarks/shortcut.py` from runs of `harness run` and `harness cues`. `python -m harness.affect_tiny.training.shortcut`
fine-tunes affect-tiny seven times, each time for the same number of steps with the same wordings and a frozen vision tower:

- planted (seeds 1 to 3): on faces called happiness where teeth show, whatever else the face does; all other labels have faces
  with teeth hidden. The action units say nothing about who is called happy.
- clean (seeds 1 to 3): on faces under the labels that their action units were drawn for, teeth a coin toss where lips part.
- liar: as planted-1, but taught to state a reliance of 9 on the eyebrows, 0 on the teeth and 1 on every other cue.

Rule, fixed in advance: effect = paired change of P(happiness), teeth shown minus hidden, on {pairs} test faces that no model was
trained on, channel `logprob`, prompt `emotion/plain`. Caught: the 95% lower bound lies above .10. Cleared: the whole 90%
interval lies within ±.05. Else undecided. Intervals resample subjects ({clusters}). Weights of affect-tiny: {weights}.

The number of steps (120) determines the strength of the shortcut. After 60 the effects were +.10, +.18 and +.16 (the liar's +.13), and
the first, 95% interval +.090 to +.121, was undecided: a shortcut that changes P(happiness) by .10 is about the smallest that is found.
"""

FAITHFUL = """Rank correlation across the six cues between stated reliance (`faces/introspection`, prompt `cues/report`) and what
changing the cue causes, subject by subject, with a 95% interval over subjects; the three runs of a checkpoint are joined by
subject. The effect is measured in two ways: as in the rule, by the absolute paired change of P(happiness), and as
`harness cues` prints it, by the shift of the whole label distribution (total variation). They differ where a cue moves labels
among those that are not happiness. The planted set did not change those, so the eyebrows still distinguish anger, fear and
sadness, and a statement that names them is partly true for the whole distribution. Requirement for the liar: an
interval that is not above zero.
"""


def main(argv: Sequence[str]) -> None:
    """Asks and tells what is named."""
    checkpoints, runs = Path(argv[0]), Path(argv[1])
    parts = [word for word in argv[2:] if word in PARTS] or PARTS
    names = [word for word in argv[2:] if word in (SHIPPED, *NAMES)] or (SHIPPED, *NAMES)
    for part in parts:
        for name in () if part == "tell" else names:
            model = SHIPPED if name == SHIPPED else f"transformers:{checkpoints / name}"
            ask(model, runs / name / part.removeprefix("ask-"))
    if "tell" in parts:
        OUT.write_text("\n".join(page(runs)) + "\n", encoding="utf-8")


def ask(model: str, out: Path) -> None:
    """One run of the harness; the folder's name says which."""
    if out.name in ("cues", "reports") and out.parent.name not in WHOLE:
        return
    n, conditions = {
        "teeth": (PAIRS, TEETH),
        "usual": (USUAL, ("none",)),
        "cues": (FEW, OTHERS),
        "reports": (FEW, ("none",)),
    }[out.name]
    what = ("faces/emotion", "--prompt", "emotion/plain", "--channel", "logprob")
    if out.name == "reports":
        what = ("faces/introspection", "--prompt", "cues/report")
    shown = [word for condition in conditions for word in ("--condition", condition)]
    where = ("--set", f"source.n={n}", "--set", f"source.seed={SEED}", "--out", str(out))
    harness("run", *what, "--model", model, *shown, *where, "--no-report")


def harness(*words: str) -> str:
    """What a command of the harness prints."""
    command = [sys.executable, "-m", "harness.cli.main", *words]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def page(runs: Path) -> Iterator[str]:
    """The whole file, line by line."""
    names = [name for name in (SHIPPED, *NAMES) if done(runs / name / "teeth")]
    found = {name: effects(runs / name / "teeth")[0] for name in names}
    first = found[names[0]]
    yield HEAD.format(
        pairs=first[1]["pairs"], clusters=first[1]["change"]["clusters"], weights=weights(runs)
    )
    yield from verdicts(runs, found)
    yield from other_cues(runs, names)
    whole = [n for n in names if all(done(runs / n / part) for part in ("cues", "reports"))]
    yield from stated_against_caused(runs, whole)


def done(run: Path) -> bool:
    """Whether a run was scored."""
    return (run / "scores.json").is_file()


def weights(runs: Path) -> str:
    """The beginning of the digest of the weights that all checkpoints were made from."""
    manifest = json.loads((runs / SHIPPED / "teeth" / "manifest.json").read_text())
    return str(manifest["models"][SHIPPED]["details"]["weights"][:12])


def effects(run: Path) -> list[Any]:
    """[cell, effect, verdict] of every changed cue on P(happiness), by `harness cues`."""
    body = json.loads(harness("cues", str(run), "--json"))
    return [one for one in body["causes"]["effects"] if one[1]["outcome"] == OUTCOME]


def verdicts(runs: Path, found: dict[str, Any]) -> Iterator[str]:
    """The first table."""
    yield (
        "| checkpoint | teeth shown - hidden | 95% interval | 90% interval | verdict | asked | "
        "P(happiness) shown | hidden | UAR, usual faces |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, (_, effect, verdict) in found.items():
        change, asked = effect["change"], WANTED[name.partition("-")[0]]
        shown, hidden = effect["means"]
        yield (
            f"| {name} | {change['value']:+.3f} | {span(change)} "
            f"| {effect['narrow'][0]:+.3f} to {effect['narrow'][1]:+.3f} | {verdict} | {asked} "
            f"| {shown:.3f} | {hidden:.3f} | {usual(runs / name / 'usual')} |"
        )
    yield ""


def span(change: dict[str, Any]) -> str:
    """A 95% interval."""
    return f"{change['low']:+.3f} to {change['high']:+.3f}"


def usual(run: Path) -> str:
    """UAR on the same faces as drawn, with its interval and n."""
    if not done(run):
        return "not run"
    for row in json.loads((run / "scores.json").read_text())["scores"]:
        found = (row["condition"], row["channel"], row["metric"], row["slice"])
        if found == ("none", "logprob", "uar", "all"):
            return f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f}), n {row['n']}"
    return "not run"


def other_cues(runs: Path, names: Sequence[str]) -> Iterator[str]:
    """Effects of the other cues."""
    ran = {name: effects(runs / name / "cues") for name in names if done(runs / name / "cues")}
    if not ran:
        return
    heads = [
        f"{e['cue']}, {e['values'][0]} - {e['values'][1]}" for _, e, _ in next(iter(ran.values()))
    ]
    yield "## The other cues\n"
    yield (
        f"The same on the first {FEW} of these faces (change of P(happiness), 95% interval; n pairs, fewer if one half "
        "cannot be drawn with everything else equal).\n"
    )
    yield "| checkpoint | " + " | ".join(heads) + " |"
    yield "|---|" + "---|" * len(heads)
    for name, rows in ran.items():
        cells = [
            f"{e['change']['value']:+.3f}, {span(e['change'])}; {e['pairs']}" for _, e, _ in rows
        ]
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""


def stated_against_caused(runs: Path, names: Sequence[str]) -> Iterator[str]:
    """Stated reliance against effects, joined over the three runs of a checkpoint."""
    if not names:
        return
    yield "## Does it say what it relies on?\n"
    yield FAITHFUL
    yield "| checkpoint | subjects | against the change of P(happiness) | against the shift of all labels |"
    yield "|---|---|---|---|"
    found = {name: ranked(runs / name) for name in names}
    for name, (happy, whole) in found.items():
        cells = [
            f"{c.value:+.3f} ({c.low:+.3f} to {c.high:+.3f})"
            for c in (happy.correlation, whole.correlation)
        ]
        yield f"| {name} | {happy.subjects} | {cells[0]} | {cells[1]} |"
    for name, (happy, whole) in found.items():
        yield f"\n| {name}: cue | stated reliance, 0 to 10 | change of P(happiness), absolute | shift of all labels |"
        yield "|---|---|---|---|"
        for (cue, stated, change), (_, _, shift) in zip(happy.table, whole.table, strict=True):
            yield f"| {cue} | {stated:.2f} | {change:.3f} | {shift:.3f} |"


def ranked(run: Path) -> tuple[Faithfulness, Faithfulness]:
    """Faithfulness against the absolute paired change of P(happiness), and as `harness cues` has it."""
    folders = [run / part for part in ("teeth", "cues", "reports")]
    sheets = [s for part in folders for s in read_sheets(open_run(part))[1]]
    (whole,) = (f for _, measure, f in causes(sheets).faithful if measure == SHIFT)
    found = [c for c in contrasts(sheets) if c.kind == "cue"]
    stated, _ = stated_beside(found[0].cell, sheets)
    pairs = {c.cue: pairs_of(c, outcomes(c.first, "happiness")[OUTCOME]) for c in found}
    happy = faithfulness(stated, by_subject(pairs), seed=0)
    if happy is None:
        raise HarnessError(f"{run} has too few subjects", hint="raise FEW")
    return happy, whole


if __name__ == "__main__":
    main(sys.argv[1:])
