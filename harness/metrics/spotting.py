"""Micro-expression spotting and the spot-then-recognise score (STRS).

Liong, See & Chan, "Spot-then-recognize", Signal Processing: Image Communication 110, 2023: an interval is
spotted where its intersection over union with a true one, on inclusive frames, is 0.5 or more;
STRS = F1 of spotting x F1 of the emotions over the spotted pairs.

The reference implementation (github.com/genbing99/STRS-Metric, June 2024), whose numbers leaderboards show,
departs from that in ways that help or hurt silently. :mod:`harness.metrics.spotting_compat` gives its numbers
as they are; :func:`strict` hints each departure, and MENDED says what they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from harness.core.errors import HarnessError
from harness.metrics.family import Bools, Floats, check_totals, ratio, unknown_metric
from harness.metrics.spots import Spot, matched

MENDED: tuple[str, ...] = (
    "an interval predicted in a video without a true one is a false positive (left out there)",
    "a true interval of a subject without any prediction is missed (left out there)",
    "one predicted interval matches at most one true one (there any number, in file order)",
    "an emotion that is true, and predicted, of every pair counts as right (there as 0)",
    "UAR is the mean recall (there the mean precision)",
    "a missed emotion is counted under the true emotion (there under the predicted one)",
    "0/0 is 0: nothing spotted scores 0 (there nan)",
)
"""What strict scores correct of the reference implementation."""

SPOTTING_METRICS: Mapping[str, str] = MappingProxyType(
    {
        "strs": "F1 spotting x F1 analysis",
        "f1_spotting": "2TP/(2TP+FP+FN) over intervals, IoU >= .5 on inclusive frames",
        "precision_spotting": "share of the predicted intervals that match",
        "recall_spotting": "share of the true intervals that are matched",
        "f1_analysis": "harmonic mean of the mean precision and the mean recall of the emotions, matched pairs",
        "precision_analysis": "mean precision of the emotions over the matched pairs",
        "recall_analysis": "mean recall of the emotions over the matched pairs",
        "uar_analysis": "UAR of the emotions over the matched pairs, which is their mean recall",
        "uf1_analysis": "mean F1 of the emotions over the matched pairs",
        "tp_spotting": "matched intervals",
        "fp_spotting": "predicted intervals that match none",
        "fn_spotting": "true intervals not matched",
    }
)


@dataclass(frozen=True, slots=True)
class Spotting:
    """The numbers of one set of predictions; those that the reference would give as nan are nan."""

    tp: int
    fp: int
    fn: int
    precision_spotting: float
    recall_spotting: float
    f1_spotting: float
    tp_analysis: int
    fp_analysis: int
    fn_analysis: int
    precision_analysis: float
    recall_analysis: float
    f1_analysis: float
    uf1_analysis: float
    uar_analysis: float
    strs: float


@dataclass(frozen=True, slots=True, eq=False)
class SpottingFamily:
    """Counts of n videos, so that videos and subjects can be resampled; see :func:`spotting_family`."""

    videos: tuple[tuple[str, str], ...]
    """(subject, video) of each row, in order of appearance in the truth, then in the predictions."""
    emotions: tuple[str, ...]
    """The m emotions of the analysis."""
    counted: Floats
    """(n, 3 + 3m) TP, FP, FN of spotting, then TP, FP, FN of each emotion over the matched pairs."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The plain metric names."""
        return tuple(SPOTTING_METRICS)

    @property
    def answered(self) -> Bools:
        """(n,) True: to spot nothing is an answer."""
        return np.ones(len(self.videos), dtype=np.bool_)

    def rows(self) -> Floats:
        """(n, 3 + 3m) one additive row per video."""
        return self.counted.copy()

    def value(self, metric: str, totals: Floats) -> Floats:
        """The metric at totals (..., 3 + 3m); shape (...). Ratios are 0..1 and 0 where they are 0/0."""
        if metric not in SPOTTING_METRICS:
            raise unknown_metric(metric, SPOTTING_METRICS, "spotting")
        table = check_totals(totals, 3 + 3 * len(self.emotions))
        tp, fp, fn = table[..., 0], table[..., 1], table[..., 2]
        counts = {"tp_spotting": tp, "fp_spotting": fp, "fn_spotting": fn}
        if metric in counts:
            return counts[metric]
        if metric == "precision_spotting":
            return _share(tp, tp + fp)
        if metric == "recall_spotting":
            return _share(tp, tp + fn)
        f1 = _share(2 * tp, 2 * tp + fp + fn)
        if metric == "f1_spotting":
            return f1
        return self._analysis(metric, table) if metric != "strs" else f1 * self._analysis("", table)

    def _analysis(self, metric: str, table: Floats) -> Floats:
        tp, fp, fn = (table[..., 3 + part :: 3] for part in range(3))
        if metric == "uf1_analysis":
            return _average(_share(2 * tp, 2 * tp + fp + fn))
        precision, recall = _average(_share(tp, tp + fp)), _average(_share(tp, tp + fn))
        if metric == "precision_analysis":
            return precision
        if metric in {"recall_analysis", "uar_analysis"}:
            return recall
        return _share(2 * precision * recall, precision + recall)


def spotting_family(
    predicted: Sequence[Spot],
    truth: Sequence[Spot],
    *,
    emotions: Sequence[str] | None = None,
    videos: Sequence[tuple[str, str]] = (),
) -> SpottingFamily:
    """Strict counts of each video.

    Args:
        emotions: of the analysis; default those of the truth. Pairs of other true emotions are spotted,
            and not analysed.
        videos: (subject, video) of all videos, for those that hold no interval at all.

    Raises HarnessError without a true interval, where nothing could be scored.
    """
    if not truth:
        raise HarnessError("there is no true interval", hint="give a table of true events")
    names = tuple(sorted({s.emotion for s in truth})) if emotions is None else tuple(emotions)
    places = dict.fromkeys([*((s.subject, s.video) for s in truth), *videos])
    places.update(dict.fromkeys((s.subject, s.video) for s in predicted))
    counted = np.zeros((len(places), 3 + 3 * len(names)))
    ours = _by_video(predicted)
    theirs = _by_video(truth)
    for row, place in zip(counted, places, strict=True):
        mine, wanted = ours.get(place, []), theirs.get(place, [])
        pairs = matched(mine, wanted)
        row[:3] = len(pairs), len(mine) - len(pairs), len(wanted) - len(pairs)
        for said, true in pairs:
            if true.emotion not in names:
                continue
            at = 3 + 3 * names.index(true.emotion)
            if said.emotion == true.emotion:
                row[at] += 1
                continue
            row[at + 2] += 1
            if said.emotion in names:
                row[4 + 3 * names.index(said.emotion)] += 1
    return SpottingFamily(tuple(places), names, counted)


def strict(
    predicted: Sequence[Spot], truth: Sequence[Spot], emotions: Sequence[str] | None = None
) -> Spotting:
    """The numbers with every departure of MENDED mended."""
    family = spotting_family(predicted, truth, emotions=emotions)
    totals = family.rows().sum(axis=0)
    found = {name: float(family.value(name, totals)) for name in family.metrics}
    return Spotting(
        tp=int(found.pop("tp_spotting")),
        fp=int(found.pop("fp_spotting")),
        fn=int(found.pop("fn_spotting")),
        tp_analysis=int(totals[3::3].sum()),
        fp_analysis=int(totals[4::3].sum()),
        fn_analysis=int(totals[5::3].sum()),
        **found,
    )


def _by_video(spots: Sequence[Spot]) -> dict[tuple[str, str], list[Spot]]:
    found: dict[tuple[str, str], list[Spot]] = {}
    for spot in spots:
        found.setdefault((spot.subject, spot.video), []).append(spot)
    return found


def _share(top: Floats, bottom: Floats) -> Floats:
    return np.nan_to_num(ratio(top, bottom), nan=0.0)


def _average(values: Floats) -> Floats:
    """Mean over the emotions, the last axis; 0 without any."""
    return _share(values.sum(axis=-1), np.full(values.shape[:-1], values.shape[-1]))
