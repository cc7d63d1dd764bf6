"""A few pairs of pictures for each effect, side by side; drawn faces only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analyses.words import visible
from harness.compare.tables import decimal
from harness.core.errors import HarnessError
from harness.cues.causes import CueEffect
from harness.cues.interventions import InterventionEffect
from harness.report.inputs import RunView, read_run
from harness.report.pictures import Thumbnails, collect
from harness.run.folder import RunFolder

MOST = 8
"""Contrasts of which pairs are shown."""
RULE = (
    "For each contrast the pairs of largest, median and smallest absolute change of its first outcome, ties by the "
    f"sample's id; of more than {MOST} contrasts those of the largest effects."
)


@dataclass(frozen=True, slots=True)
class CaptionedPicture:
    """One picture under its caption."""

    caption: str
    url: str


@dataclass(frozen=True, slots=True)
class PairShown:
    """The pictures of one sample: untouched, first, second."""

    rule: str
    sample: str
    change: str
    pictures: tuple[CaptionedPicture, ...]


@dataclass(frozen=True, slots=True)
class PairsShown:
    """The pairs of one effect."""

    heading: str
    cell: str
    pairs: tuple[PairShown, ...]


def chosen(findings: Sequence[InterventionEffect]) -> list[InterventionEffect]:
    """The first outcome of each contrast; of many contrasts those with the largest effects, in their own order."""
    firsts: dict[tuple[object, ...], InterventionEffect] = {}
    for finding in findings:
        if finding.effect.examples:
            firsts.setdefault((finding.cell, finding.effect.conditions), finding)
    some = list(firsts.values())
    largest = sorted(some, key=lambda f: -abs(f.effect.change.value))[:MOST]
    return [finding for finding in some if finding in largest]


def pairs_shown(
    folder: RunFolder, findings: Sequence[InterventionEffect]
) -> tuple[list[PairsShown], list[str]]:
    """Pairs with their pictures, and why pictures are missing where they are. Needs the run's scores."""
    picked = chosen(findings)
    if not picked:
        return [], []
    try:
        view = read_run(folder)
    except HarnessError as error:
        return [], [visible(f"Pairs are not shown: {error.message}")]
    known = conditions_of(view)
    places = [
        (f.cell[0], condition, example.sample)
        for f in picked
        for condition in _conditions(f, known)
        for example in f.effect.examples
    ]
    album = collect(view, places)
    tasks = {finding.cell[0] for finding in picked}
    notes = [visible(f"{task}: {note}") for task, note in album.notes.items() if task in tasks]
    made = [_pairs(finding, album, _conditions(finding, known)) for finding in picked]
    return [one for one in made if one.pairs], notes


def conditions_of(view: RunView) -> set[tuple[str, str]]:
    """(task, condition) of every cell that was run."""
    return {(cell["task"], cell["condition"]) for cell in view.manifest["cells"]}


def _conditions(finding: InterventionEffect, known: set[tuple[str, str]]) -> tuple[str, ...]:
    """The untouched picture, then the two of the pair; a condition stands once."""
    names = dict.fromkeys(("none", *finding.effect.conditions))
    return tuple(
        n for n in names if n in finding.effect.conditions or (finding.cell[0], n) in known
    )


def _pairs(finding: InterventionEffect, album: Thumbnails, conditions: Sequence[str]) -> PairsShown:
    task, model, prompt, channel = finding.cell
    effect = finding.effect
    pairs = []
    for example in effect.examples:
        pictures = tuple(
            CaptionedPicture(
                _caption(effect, condition, (example.first, example.second)), album.urls[name]
            )
            for condition in conditions
            for _, name in album.shown.get((task, condition, example.sample), ())[:1]
            if name
        )
        if len(pictures) == len(conditions):
            change = decimal(example.first - example.second, signed=True)
            pairs.append(PairShown(example.rule, visible(example.sample), change, pictures))
    by = effect.values[0] if effect.is_region else f"{effect.values[0]} – {effect.values[1]}"
    heading = f"{effect.cue}, {by}: {effect.outcome}"
    cell = f"{model}, {prompt}, channel {channel}, on {task}"
    return PairsShown(visible(heading), visible(cell), tuple(pairs))


def _caption(effect: CueEffect, condition: str, values: tuple[float, float]) -> str:
    for told, mine, value in zip(effect.values, effect.conditions, values, strict=True):
        if condition == mine:
            return visible(f"{told}: {decimal(value)}")
    return "untouched"
