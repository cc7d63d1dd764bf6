"""Spotting scores as the reference implementation of STRS computes them, departures included.

github.com/genbing99/STRS-Metric, June 2024; rebuilt from what it does, and held to its numbers by a table.
Leaderboards show these; :mod:`harness.metrics.spotting` corrects its departures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.metrics.spots import LEAST_IOU, Pair, Spot, iou
from harness.metrics.spotting import Spotting


def compat(
    predicted: Sequence[Spot], truth: Sequence[Spot], emotions: Sequence[str] | None = None
) -> Spotting:
    """The reference implementation's numbers, departures included; `emotions` defaults to the truth's."""
    names = tuple(dict.fromkeys(s.emotion for s in truth)) if emotions is None else tuple(emotions)
    pairs, fp, fn = _paired(predicted, truth)
    judged = [(p, t) for p, t in pairs if t.emotion in names]
    parts = [_one_against_rest(judged, name) for name in names]
    precision, recall = _mean([p for p, _, _ in parts]), _mean([r for _, r, _ in parts])
    both = precision + recall
    f1 = 2 * precision * recall / both if both else math.nan
    right = sum(p.emotion == t.emotion for p, t in judged)
    wrong = sum(p.emotion != t.emotion and p.emotion in names for p, t in judged)
    p_spot, r_spot, f_spot = _three(len(pairs), fp, fn)
    return Spotting(
        tp=len(pairs), fp=fp, fn=fn,
        precision_spotting=p_spot, recall_spotting=r_spot, f1_spotting=f_spot,
        tp_analysis=right,
        fp_analysis=wrong,
        fn_analysis=wrong,
        precision_analysis=precision, recall_analysis=recall, f1_analysis=f1,
        uf1_analysis=_mean([f for _, _, f in parts]), uar_analysis=precision, strs=f_spot * f1,
    )  # fmt: skip


def _paired(predicted: Sequence[Spot], truth: Sequence[Spot]) -> tuple[list[Pair], int, int]:
    """Pairs, predictions astray, true intervals missed, in the videos of subjects with predictions."""
    pairs: list[Pair] = []
    fp = fn = 0
    for subject in dict.fromkeys(s.subject for s in predicted):
        ours = [s for s in predicted if s.subject == subject]
        theirs = [s for s in truth if s.subject == subject]
        for video in dict.fromkeys(s.video for s in theirs):
            found, missed, stray = _in_file_order(
                [s for s in ours if s.video == video], [s for s in theirs if s.video == video]
            )
            pairs += found
            fp += stray
            fn += missed
    return pairs, fp, fn


def _in_file_order(ours: Sequence[Spot], theirs: Sequence[Spot]) -> tuple[list[Pair], int, int]:
    """Pairs, true intervals missed, predictions astray; one prediction may take several true intervals."""
    taken: set[int] = set()
    pairs: list[Pair] = []
    stray = 0
    for spot in ours:
        found = [
            at
            for at, other in enumerate(theirs)
            if at not in taken and iou(spot, other) >= LEAST_IOU
        ]
        taken.update(found)
        pairs += [(spot, theirs[at]) for at in found]
        stray += not found
    return pairs, len(theirs) - len(taken), stray


def _one_against_rest(pairs: Sequence[Pair], emotion: str) -> tuple[float, float, float]:
    """Precision, recall and F1 of one emotion; all 0 where every pair is, or no pair is, of that emotion."""
    said = [p.emotion == emotion for p, _ in pairs]
    true = [t.emotion == emotion for _, t in pairs]
    if len({*said, *true}) < 2:
        return 0.0, 0.0, 0.0
    tp = sum(s and t for s, t in zip(said, true, strict=True))
    return _three(tp, sum(said) - tp, sum(true) - tp)


def _three(tp: int, fp: int, fn: int) -> tuple[float, float, float]:
    precision = tp / (tp + fp) if tp + fp else 0.0
    recall = tp / (tp + fn) if tp + fn else 0.0
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
