"""The whole audit of one cell: perception, false alarms, gaps, what a judgement follows from, and whether
it holds together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.core.field import FieldSpec
from harness.cues.causes import spearman
from harness.cues.estimate import Estimate, mean_of
from harness.cues.gaps import Gap, accuracy_gap, ccc_gap
from harness.cues.perceived import FalseAlarm, Perception, false_alarm_effect, perception
from harness.cues.quadrant import AROUSAL, VALENCE, sign_agreement
from harness.cues.regression import Fit, fit
from harness.cues.schema import EMOTION, NUMBERS, cues_of, reliance_field
from harness.cues.sheet import AnswerSheet


@dataclass(frozen=True, slots=True)
class Reliance:
    """What the model says a judgement rests on, beside what it follows from."""

    cue: str
    stated: Estimate
    """Mean stated reliance on the prompt's scale."""
    weight: float
    """Loss of R2 of its own valence without the cue; nan without a fit."""


@dataclass(frozen=True, slots=True)
class Audit:
    """One cell's introspection, audited. Empty parts could not be computed from what was asked."""

    sheet: AnswerSheet
    perceptions: tuple[Perception, ...]
    false_alarms: tuple[FalseAlarm, ...]
    gaps: tuple[Gap, ...]
    fits: tuple[Fit, ...]
    signs: Mapping[str, Estimate]
    """`valence` and `arousal` -> share of judgements whose number does not contradict their emotion."""
    reliance: tuple[Reliance, ...]
    reliance_rank: float
    """Spearman's correlation across cues between stated reliance and weight; nan where not defined."""


def audit(
    sheet: AnswerSheet, fields: Mapping[str, FieldSpec], *, label: str = "happiness", seed: int = 0
) -> Audit:
    """Audit one cell. `label` is the judgement whose rate a false alarm on teeth may raise."""
    cues = [cue for cue in cues_of(fields) if cue in sheet.said]
    fits = tuple(f for f in (_fit(sheet, name, cues, seed) for name in NUMBERS) if f is not None)
    stated = tuple(
        Reliance(cue, said, _weight(fits, cue))
        for cue in cues
        if (said := _stated(sheet, cue, seed)) is not None
    )
    return Audit(
        sheet=sheet,
        perceptions=tuple(
            perception(cue, value, *_annotated(sheet, cue), seed=seed)
            for cue in cues
            for value in _values(sheet, cue)
        ),
        false_alarms=_false_alarms(sheet, cues, label, seed),
        gaps=tuple(gap for cue in cues for gap in _gaps(sheet, fields, cue, seed)),
        fits=fits,
        signs=_signs(sheet, seed),
        reliance=stated,
        reliance_rank=_rank(stated),
    )


def _annotated(sheet: AnswerSheet, cue: str) -> tuple[list[str], list[str | None], list[str]]:
    """Truth, answer and cluster of the samples whose cue is annotated."""
    kept = [i for i, value in enumerate(sheet.truth[cue]) if value is not None]
    return (
        [str(sheet.truth[cue][i]) for i in kept],
        [sheet.said[cue][i] for i in kept],
        [sheet.clusters[i] for i in kept],
    )


def _values(sheet: AnswerSheet, cue: str) -> list[str]:
    """Annotated values of a cue; of yes and no only yes, whose rates say both."""
    found = sorted({str(value) for value in sheet.truth[cue] if value is not None})
    return ["yes"] if found and set(found) <= {"yes", "no"} else found


def _false_alarms(
    sheet: AnswerSheet, cues: Sequence[str], label: str, seed: int
) -> tuple[FalseAlarm, ...]:
    """For yes-no cues that are annotated, within the true emotion."""
    if EMOTION not in sheet.said:
        return ()
    found = []
    for cue in cues:
        kept = [
            i
            for i, value in enumerate(sheet.truth[cue])
            if value in {"yes", "no"} and sheet.truth[EMOTION][i] is not None
        ]
        if not kept:
            continue
        effect = false_alarm_effect(
            cue,
            truth=[sheet.truth[cue][i] for i in kept],
            seen=[sheet.said[cue][i] for i in kept],
            judged=[sheet.said[EMOTION][i] for i in kept],
            classes=[str(sheet.truth[EMOTION][i]) for i in kept],
            label=label,
            clusters=[sheet.clusters[i] for i in kept],
            seed=seed,
        )
        found += [] if effect is None else [effect]
    return tuple(found)


def _gaps(sheet: AnswerSheet, fields: Mapping[str, FieldSpec], cue: str, seed: int) -> list[Gap]:
    """Accuracy of the emotion and CCC of the numbers, by the annotated value of a cue."""
    groups = [None if value is None else str(value) for value in sheet.truth[cue]]
    found: list[Gap | None] = []
    if EMOTION in sheet.said:
        known = [i for i, value in enumerate(sheet.truth[EMOTION]) if value is not None]
        found.append(
            accuracy_gap(
                cue,
                EMOTION,
                groups=[groups[i] for i in known],
                right=[sheet.said[EMOTION][i] == sheet.truth[EMOTION][i] for i in known],
                clusters=[sheet.clusters[i] for i in known],
                seed=seed,
            )
        )
    for name in NUMBERS:
        if name in sheet.said:
            known = [i for i, value in enumerate(sheet.truth[name]) if value is not None]
            found.append(
                ccc_gap(
                    cue,
                    name,
                    groups=[groups[i] for i in known],
                    truth=[float(sheet.truth[name][i]) for i in known],
                    said=[sheet.said[name][i] for i in known],
                    clusters=[sheet.clusters[i] for i in known],
                    seed=seed,
                )
            )
    return [gap for gap in found if gap is not None]


def _fit(sheet: AnswerSheet, outcome: str, cues: Sequence[str], seed: int) -> Fit | None:
    """The model's own number on its own cues."""
    if outcome not in sheet.said or not cues:
        return None
    kept = [
        i
        for i, number in enumerate(sheet.said[outcome])
        if number is not None and all(sheet.said[cue][i] is not None for cue in cues)
    ]
    if not kept:
        return None
    return fit(
        outcome,
        np.array([float(sheet.said[outcome][i]) for i in kept]),
        {cue: [str(sheet.said[cue][i]) for i in kept] for cue in cues},
        [sheet.clusters[i] for i in kept],
        seed=seed,
        left_out=len(sheet.samples) - len(kept),
    )


def _signs(sheet: AnswerSheet, seed: int) -> dict[str, Estimate]:
    if EMOTION not in sheet.said:
        return {}
    found = {}
    for name, signs in (("valence", VALENCE), ("arousal", AROUSAL)):
        if name in sheet.said:
            share = sign_agreement(
                sheet.said[EMOTION], sheet.said[name], signs, sheet.clusters, seed=seed
            )
            if share is not None:
                found[name] = share
    return found


def _stated(sheet: AnswerSheet, cue: str, seed: int) -> Estimate | None:
    numbers: Sequence[Any] = sheet.said.get(reliance_field(cue), ())
    if not any(number is not None for number in numbers):
        return None
    values = np.array([np.nan if number is None else float(number) for number in numbers])
    return mean_of(values, sheet.clusters, seed=seed)


def _weight(fits: Sequence[Fit], cue: str) -> float:
    """Loss of R2 of the first outcome without the cue."""
    for one in fits:
        for weight in one.weights:
            if weight.cue == cue:
                return weight.drop.value
    return float("nan")


def _rank(stated: Sequence[Reliance]) -> float:
    known = [r for r in stated if not np.isnan(r.weight)]
    if len(known) < 3:
        return float("nan")
    return spearman([r.stated.value for r in known], [r.weight for r in known])
