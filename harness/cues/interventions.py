"""Effects of changed cues, reliance on covered regions, and stated reliance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

import numpy as np

from harness.cues.causes import (
    CueEffect,
    CuePair,
    Faithfulness,
    Verdict,
    by_subject,
    effect_of,
    faithfulness,
    verdict,
)
from harness.cues.contrasts import CellName, Contrast, contrasts
from harness.cues.outcomes import Distance, Outcome, distances, moves_of, outcomes, pairs_of, truths
from harness.cues.schema import CUES, reliance_field
from harness.cues.sheet import AnswerSheet
from harness.stats.multiple import holm


class InterventionEffect(NamedTuple):
    """One effect."""

    cell: CellName
    """Task, model, prompt, channel."""
    effect: CueEffect
    verdict: Verdict | None
    """On P(label) of a changed cue alone."""


class Stated(NamedTuple):
    """Stated reliance beside effects of one cell."""

    model: str
    measure: str
    """What the effects are measured in."""
    faithful: Faithfulness


@dataclass(frozen=True, slots=True)
class Effects:
    """All effects of one kind that a run can show, and what a model states of itself beside them."""

    effects: tuple[InterventionEffect, ...]
    faithful: tuple[Stated, ...]


def causes(sheets: Sequence[AnswerSheet], *, label: str = "happiness", seed: int = 0) -> Effects:
    """Effects of every changed cue, and the faithfulness of every model that stated its reliance."""
    found = [c for c in contrasts(sheets) if c.kind == "cue"]
    return effects_of(
        found, sheets, lambda c: outcomes(c.first, label), lambda c: {}, seed, judged=f"P({label})"
    )


def region_reliance(
    sheets: Sequence[AnswerSheet], *, label: str = "happiness", seed: int = 0
) -> Effects:
    """Covered region minus its control, of every region that was run with both.

    A reliance, never a cause: covering a region takes away more than a cue and puts something strange in its place;
    the control takes away as much of the face and puts as much of the same there.
    """
    found = [c for c in contrasts(sheets) if c.kind == "region"]
    return effects_of(
        found,
        sheets,
        lambda c: truths(c.first) | outcomes(c.first, label),
        lambda c: distances(c.first),
        seed,
    )


def effects_of(
    found: Sequence[Contrast],
    sheets: Sequence[AnswerSheet],
    measured: Callable[[Contrast], Mapping[str, Outcome]],
    moved: Callable[[Contrast], Mapping[str, Distance]],
    seed: int,
    *,
    judged: str = "",
) -> Effects:
    """The mean paired change of every outcome with each contrast; `moved` are distances beside them, and `judged` the
    outcome of a changed cue that gets a verdict."""
    findings = []
    for contrast in found:
        pairs = {name: pairs_of(contrast, o) for name, o in measured(contrast).items()}
        moves = {name: moves_of(contrast, d) for name, d in moved(contrast).items()}
        pairs |= {name: some for name, some in moves.items() if some}
        for name, some in pairs.items():
            effect = effect_of(contrast.cue, contrast.values, name, some, seed=seed)
            effect = replace(
                effect, conditions=(contrast.first.condition, contrast.second.condition)
            )
            if (
                contrast.kind == "edit" and name in moves
            ):  # a distance from nothing has no sign to flip
                effect = replace(effect, p=math.nan)
            verdict_of = contrast.kind == "cue" and name == judged
            findings.append(
                InterventionEffect(contrast.cell, effect, verdict(effect) if verdict_of else None)
            )
    faithful = (one for cell, some in _by_cell(found) for one in _stated(cell, some, sheets, seed))
    return Effects(tuple(adjusted(findings)), tuple(faithful))


def adjusted(findings: Sequence[InterventionEffect]) -> list[InterventionEffect]:
    """The findings with p-values adjusted by Holm's method over the cues of one cell, outcome and way of covering."""
    families: dict[tuple[object, ...], list[int]] = {}
    for place, (cell, effect, _) in enumerate(findings):
        way = effect.values[0] if effect.is_region else ""
        families.setdefault((cell, effect.outcome, way), []).append(place)
    found = list(findings)
    for places in families.values():
        values = holm([findings[i].effect.p for i in places])
        for i, p in zip(places, values.tolist(), strict=True):
            found[i] = found[i]._replace(effect=replace(found[i].effect, p_holm=p))
    return found


def _by_cell(found: Sequence[Contrast]) -> Iterator[tuple[CellName, list[Contrast]]]:
    """Contrasts of one cell (and, of regions, one way of covering) together."""

    def key(contrast: Contrast) -> tuple[CellName, str]:
        return contrast.cell, contrast.values[0] if contrast.kind == "region" else ""

    for (cell, _), some in groupby(sorted(found, key=key), key=key):
        yield cell, list(some)


def _stated(
    cell: CellName, found: Sequence[Contrast], sheets: Sequence[AnswerSheet], seed: int
) -> Iterator[Stated]:
    """Faithfulness of a cell in each measure; several contrasts of one cue count as one, pair by pair."""
    stated, by = stated_beside(cell, sheets)
    if not stated:
        return
    way = f", {found[0].values[0]}" if found[0].kind == "region" else ""
    for name, distance in distances(found[0].first).items():
        pairs: dict[str, list[CuePair]] = {}
        for contrast in found:
            pairs.setdefault(contrast.cue, []).extend(moves_of(contrast, distance))
        effects = by_subject(pairs, absolute=False)
        ranked = faithfulness(stated, effects, seed=seed)
        if ranked is not None:
            yield Stated(cell[1], name + way, replace(ranked, cell=cell, stated_by=by))


def stated_beside(
    cell: CellName, sheets: Sequence[AnswerSheet]
) -> tuple[dict[str, dict[str, float]], tuple[str, ...]]:
    """Stated reliance to hold beside a cell's effects, subject -> cue -> mean, and the prompts that asked for it.

    The cell's own where it asks for reliance; else the mean over the model's prompts that do, each counted once.
    """
    mine = [s for s in sheets if s.model == cell[1] and s.condition == "none" and states(s)]
    own = [s for s in mine if s.name == cell]
    chosen = own or mine
    tables = [stated_by_subject(sheet) for sheet in chosen]
    gathered: dict[str, dict[str, list[float]]] = {}
    for table in tables:
        for subject, by_cue in table.items():
            for cue, number in by_cue.items():
                gathered.setdefault(subject, {}).setdefault(cue, []).append(number)
    return _means(gathered), tuple(dict.fromkeys(s.prompt for s in chosen))


def states(sheet: AnswerSheet) -> bool:
    """Whether a cell says how much it relies on any cue."""
    return any(n is not None for cue in CUES for n in sheet.said.get(reliance_field(cue), ()))


def stated_by_subject(sheet: AnswerSheet) -> dict[str, dict[str, float]]:
    """Subject -> cue -> mean stated reliance of one cell."""
    gathered: dict[str, dict[str, list[float]]] = {}
    for cue in CUES:
        numbers = sheet.said.get(reliance_field(cue), ())
        for subject, number in zip(sheet.clusters, numbers, strict=False):
            if number is not None:
                gathered.setdefault(subject, {}).setdefault(cue, []).append(float(number))
    return _means(gathered)


def _means(gathered: Mapping[str, Mapping[str, list[float]]]) -> dict[str, dict[str, float]]:
    return {s: {c: float(np.mean(v)) for c, v in by.items()} for s, by in gathered.items()}
