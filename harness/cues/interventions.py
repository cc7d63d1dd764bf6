"""Pairs of pictures that differ in one cue, found among the conditions of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from harness.cues.causes import (
    CauseEffect,
    Faithfulness,
    Pair,
    Verdict,
    by_subject,
    effect_of,
    faithfulness,
    verdict,
)
from harness.cues.schema import CUES, EMOTION, NUMBERS, reliance_field
from harness.cues.sheet import Sheet

PREFIX = "cue:"
Outcome: TypeAlias = Callable[[Sheet, int], float | None]


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two cells that differ in one cue."""

    cue: str
    first: Sheet
    second: Sheet

    @property
    def values(self) -> tuple[str, str]:
        """The cue's value in either cell; `as drawn` for the unchanged picture."""
        return _value(self.first.condition), _value(self.second.condition)


@dataclass(frozen=True, slots=True)
class Causes:
    """All effects that a run can show, and what a model states of itself beside them."""

    effects: tuple[tuple[tuple[str, str, str, str], CauseEffect, Verdict | None], ...]
    """(task, model, prompt, channel), the effect, and the verdict on P(label)."""
    faithful: tuple[tuple[str, str, Faithfulness], ...]
    """(model, what the effects are measured in, faithfulness)."""


def contrasts(sheets: Sequence[Sheet]) -> list[Contrast]:
    """For each cue: shown against hidden where both were run, else every changed cell against the unchanged."""
    groups: dict[tuple[str, str, str, str], dict[str, Sheet]] = {}
    for sheet in sheets:
        groups.setdefault(sheet.name, {})[sheet.condition] = sheet
    found = []
    for group in groups.values():
        for cue in CUES:
            changed = {
                _value(name): sheet
                for name, sheet in group.items()
                if name.startswith(f"{PREFIX}{cue}=")
            }
            if {"yes", "no"} <= changed.keys():
                found.append(Contrast(cue, changed["yes"], changed["no"]))
            elif len(changed) == 2:
                first, second = (changed[value] for value in sorted(changed))
                found.append(Contrast(cue, first, second))
            elif "none" in group:
                found += [Contrast(cue, sheet, group["none"]) for sheet in changed.values()]
    return found


def causes(sheets: Sequence[Sheet], *, label: str = "happiness", seed: int = 0) -> Causes:
    """Effects of every contrast, and the faithfulness of every model that stated its reliance."""
    pairs_found = contrasts(sheets)
    effects = []
    for contrast in pairs_found:
        for name, outcome in outcomes(contrast.first, label).items():
            pairs = pairs_of(contrast, outcome)
            effect = effect_of(contrast.cue, contrast.values, name, pairs, seed=seed)
            judged = verdict(effect) if name == f"P({label})" else None
            effects.append((contrast.first.name, effect, judged))
    faithful = []
    for model in sorted({sheet.model for sheet in sheets}):
        stated = stated_by_subject([s for s in sheets if s.model == model])
        mine = [c for c in pairs_found if c.first.model == model]
        for name, distance in _DISTANCES.items():
            changes = {c.cue: distances(c, distance) for c in mine}
            found = faithfulness(stated, by_subject(changes), seed=seed)
            if found is not None:
                faithful.append((model, name, found))
    return Causes(tuple(effects), tuple(faithful))


def outcomes(sheet: Sheet, label: str) -> dict[str, Outcome]:
    """What can be measured in a cell: the label's probability, valence, arousal."""
    found: dict[str, Outcome] = {}
    if any(p is not None for p in sheet.probabilities.get(EMOTION, ())):
        found[f"P({label})"] = lambda s, i: (s.probabilities[EMOTION][i] or {}).get(label)
    elif EMOTION in sheet.said:
        found[f"share {label}"] = lambda s, i: (
            None if s.said[EMOTION][i] is None else float(s.said[EMOTION][i] == label)
        )
    for name in NUMBERS:
        if name in sheet.said:
            found[name] = lambda s, i, name=name: (  # type: ignore[misc]
                None if s.said[name][i] is None else float(s.said[name][i])
            )
    return found


def pairs_of(contrast: Contrast, outcome: Outcome) -> list[Pair]:
    """The samples of both cells."""
    first, second = contrast.first, contrast.second
    place = {sample: i for i, sample in enumerate(second.samples)}
    return [
        Pair(sample, first.clusters[i], outcome(first, i), outcome(second, place[sample]))
        for i, sample in enumerate(first.samples)
        if sample in place
    ]


def _shift(first: Sheet, i: int, second: Sheet, j: int) -> float | None:
    """Total variation distance between two label distributions: 0 equal, 1 disjoint."""
    a, b = first.probabilities.get(EMOTION), second.probabilities.get(EMOTION)
    p = a[i] if a else None
    q = b[j] if b else None
    if p is None or q is None:
        return None
    return sum(abs(p.get(k, 0.0) - q.get(k, 0.0)) for k in {*p, *q}) / 2


def _valence(first: Sheet, i: int, second: Sheet, j: int) -> float | None:
    a = first.said["valence"][i] if "valence" in first.said else None
    b = second.said["valence"][j] if "valence" in second.said else None
    return None if a is None or b is None else abs(float(a) - float(b))


_DISTANCES: Mapping[str, Callable[[Sheet, int, Sheet, int], float | None]] = {
    "shift of the label distribution": _shift,
    "change of valence": _valence,
}


def distances(
    contrast: Contrast, distance: Callable[[Sheet, int, Sheet, int], float | None]
) -> list[Pair]:
    """Absolute changes as pairs of the change and 0, None where one half is missing."""
    first, second = contrast.first, contrast.second
    place = {sample: i for i, sample in enumerate(second.samples)}
    return [
        Pair(sample, first.clusters[i], distance(first, i, second, place[sample]), 0.0)
        for i, sample in enumerate(first.samples)
        if sample in place
    ]


def stated_by_subject(sheets: Sequence[Sheet]) -> dict[str, dict[str, float]]:
    """Subject -> cue -> mean stated reliance, over the cells with unchanged pictures."""
    gathered: dict[str, dict[str, list[float]]] = {}
    for sheet in sheets:
        if sheet.condition != "none":
            continue
        for cue in CUES:
            numbers = sheet.said.get(reliance_field(cue), ())
            for subject, number in zip(sheet.clusters, numbers, strict=False):
                if number is not None:
                    gathered.setdefault(subject, {}).setdefault(cue, []).append(float(number))
    return {s: {c: float(np.mean(v)) for c, v in by.items()} for s, by in gathered.items()}


def _value(condition: str) -> str:
    return condition.partition("=")[2] if condition.startswith(PREFIX) else "as drawn"
