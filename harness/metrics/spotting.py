"""Micro-expression spotting and the spot-then-recognise score (STRS).

Liong, See & Chan, "Spot-then-recognize", Signal Processing: Image Communication 110, 2023: an interval is
spotted where its intersection over union with a true one, on inclusive frames, is 0.5 or more;
STRS = F1 of spotting x F1 of the emotions over the spotted pairs.

The reference implementation (github.com/genbing99/STRS-Metric, June 2024), whose numbers leaderboards show,
departs from that in ways that help or hurt silently. :mod:`harness.metrics.spotting_compat` gives its numbers
as they are; :func:`strict` corrects each departure, and MENDED says what they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.core.errors import HarnessError
from harness.metrics.family import Bools, Floats, measure, plain_names, ratio
from harness.metrics.metric import Metric
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

NEEDS = "spotting"
"""The family's name."""


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
        return plain_names(NEEDS)

    @property
    def answered(self) -> Bools:
        """(n,) True: to spot nothing is an answer."""
        return np.ones(len(self.videos), dtype=np.bool_)

    def rows(self) -> Floats:
        """(n, 3 + 3m) one additive row per video."""
        return self.counted.copy()

    def value(self, metric: str, totals: Floats) -> Floats:
        """The metric at totals (..., 3 + 3m); shape (...). Ratios are 0..1 and 0 where they are 0/0."""
        return measure(self, NEEDS, metric, totals, width=3 + 3 * len(self.emotions))


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
    """The numbers with every departure in MENDED corrected."""
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


def _count(column: int) -> Callable[[SpottingFamily, Floats], Floats]:
    return lambda family, totals: totals[..., column]


def _precision(family: SpottingFamily, totals: Floats) -> Floats:
    return _share(totals[..., 0], totals[..., 0] + totals[..., 1])


def _recall(family: SpottingFamily, totals: Floats) -> Floats:
    return _share(totals[..., 0], totals[..., 0] + totals[..., 2])


def _f1(family: SpottingFamily, totals: Floats) -> Floats:
    tp = totals[..., 0]
    return _share(2 * tp, 2 * tp + totals[..., 1] + totals[..., 2])


def _of_emotions(totals: Floats) -> tuple[Floats, Floats, Floats]:
    """TP, FP and FN of each emotion over the matched pairs, each (..., m)."""
    return totals[..., 3::3], totals[..., 4::3], totals[..., 5::3]


def _precision_analysis(family: SpottingFamily, totals: Floats) -> Floats:
    tp, fp, _ = _of_emotions(totals)
    return _average(_share(tp, tp + fp))


def _recall_analysis(family: SpottingFamily, totals: Floats) -> Floats:
    tp, _, fn = _of_emotions(totals)
    return _average(_share(tp, tp + fn))


def _f1_analysis(family: SpottingFamily, totals: Floats) -> Floats:
    precision, recall = _precision_analysis(family, totals), _recall_analysis(family, totals)
    return _share(2 * precision * recall, precision + recall)


def _uf1_analysis(family: SpottingFamily, totals: Floats) -> Floats:
    tp, fp, fn = _of_emotions(totals)
    return _average(_share(2 * tp, 2 * tp + fp + fn))


def _strs(family: SpottingFamily, totals: Floats) -> Floats:
    return _f1(family, totals) * _f1_analysis(family, totals)


_COUNTS = (0.0, math.inf)
_SOURCE = "Liong, See & Chan 2023, Signal Processing: Image Communication 110"
METRICS: tuple[Metric, ...] = (
    Metric(
        name="strs", title="STRS", needs=NEEDS, compute=_strs,
        formula="F1 spotting · F1 analysis",
        source=_SOURCE,
        estimator="F1 spotting x F1 analysis",
    ),
    Metric(
        name="f1_spotting", title="F1 spotting", needs=NEEDS, compute=_f1,
        formula="2TP / (2TP + FP + FN)",
        source=_SOURCE,
        estimator="2TP/(2TP+FP+FN) over intervals, IoU >= .5 on inclusive frames",
    ),
    Metric(
        name="precision_spotting", title="precision spotting", needs=NEEDS, compute=_precision,
        formula="TP / (TP + FP)",
        source=_SOURCE,
        estimator="share of the predicted intervals that match",
    ),
    Metric(
        name="recall_spotting", title="recall spotting", needs=NEEDS, compute=_recall,
        formula="TP / (TP + FN)",
        source=_SOURCE,
        estimator="share of the true intervals that are matched",
    ),
    Metric(
        name="f1_analysis", title="F1 analysis", needs=NEEDS, compute=_f1_analysis,
        formula="2 P R / (P + R), P and R the precision and recall of analysis",
        source=_SOURCE,
        estimator="harmonic mean of the mean precision and the mean recall of the emotions, matched pairs",
    ),
    Metric(
        name="precision_analysis", title="precision analysis", needs=NEEDS, compute=_precision_analysis,
        formula="(1/m) Σ_k TP_k / (TP_k + FP_k)",
        source=_SOURCE,
        estimator="mean precision of the emotions over the matched pairs",
    ),
    Metric(
        name="recall_analysis", title="recall analysis", needs=NEEDS, compute=_recall_analysis,
        formula="(1/m) Σ_k TP_k / (TP_k + FN_k)",
        source=_SOURCE,
        estimator="mean recall of the emotions over the matched pairs",
    ),
    Metric(
        name="uar_analysis", title="UAR analysis", needs=NEEDS, compute=_recall_analysis,
        same_as="recall_analysis",
        formula="(1/m) Σ_k TP_k / (TP_k + FN_k)",
        source=_SOURCE,
        estimator="UAR of the emotions over the matched pairs, which is their mean recall",
    ),
    Metric(
        name="uf1_analysis", title="UF1 analysis", needs=NEEDS, compute=_uf1_analysis,
        formula="(1/m) Σ_k 2TP_k / (2TP_k + FP_k + FN_k)",
        source="See, Yap, Li, Hong & Wang 2019, MEGC 2019, IEEE FG",
        estimator="mean F1 of the emotions over the matched pairs",
    ),
    Metric(
        name="tp_spotting", title="TP", needs=NEEDS, compute=_count(0), range=_COUNTS, better="none",
        formula="TP",
        source=_SOURCE,
        estimator="matched intervals",
    ),
    Metric(
        name="fp_spotting", title="FP", needs=NEEDS, compute=_count(1), range=_COUNTS, better="lower",
        formula="FP",
        source=_SOURCE,
        estimator="predicted intervals that match none",
    ),
    Metric(
        name="fn_spotting", title="FN", needs=NEEDS, compute=_count(2), range=_COUNTS, better="lower",
        formula="FN",
        source=_SOURCE,
        estimator="true intervals not matched",
    ),
)  # fmt: skip
