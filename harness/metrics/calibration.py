"""Calibration of label probabilities.

Probabilities come from log-probabilities of the labels as replies, renormalised over the labels. What is
lost in that, all the replies that are no label, is reported beside as the captured mass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.metrics.family import Floats, measure, ratio
from harness.metrics.metric import Metric

Codes = NDArray[np.int64]
Scheme: TypeAlias = Literal["equal-width", "equal-mass"]

BINS = 15
FLOOR = 1e-12
"""A probability below this counts as this in the log loss."""

NEEDS = "probability"
"""The family's name."""

ECE: Mapping[str, Scheme] = MappingProxyType({"ece": "equal-width", "ece_equal_mass": "equal-mass"})


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a reliability diagram; empty ones are left out."""

    low: float
    """Least confidence: the bin's edge for equal width, the least in it for equal mass."""
    high: float
    n: int
    confidence: float
    """Mean probability of the likeliest label."""
    accuracy: float
    """Share in which the likeliest label is right."""


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationFamily:
    """Probabilities (n, K) of n samples with the codes (n,) of their true labels; see `calibration_family`."""

    probabilities: Floats
    mass: Floats
    """(n,) probability of all labels together, before renormalising."""
    truth: Codes

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the additive metrics."""
        return _MEANS

    def rows(self) -> Floats:
        """(n, 4) one sample each: Brier term, log loss term, captured mass, 1."""
        places = np.arange(self.truth.size)
        hot = np.zeros_like(self.probabilities)
        hot[places, self.truth] = 1.0
        brier = ((self.probabilities - hot) ** 2).sum(axis=1)
        loss = -np.log(np.maximum(self.probabilities[places, self.truth], FLOOR))
        return np.column_stack([brier, loss, self.mass, np.ones(self.truth.size)])

    def value(self, metric: str, totals: Floats) -> Floats:
        """The metric at totals (..., 4); shape (...), nan without samples."""
        return measure(self, NEEDS, metric, totals, width=4)

    @property
    def confidence(self) -> Floats:
        """(n,) probability of the likeliest label."""
        return np.asarray(self.probabilities.max(axis=1, initial=0.0))

    @property
    def right(self) -> NDArray[np.bool_]:
        """(n,) whether the likeliest label, the first of equals, is the true one."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.truth)


def calibration_family(logprobs: Floats, truth: Sequence[int]) -> CalibrationFamily:
    """From natural log-probabilities (n, K) of the labels and the numbers (n,) of the true ones.

    Raises HarnessError for unequal lengths, a number outside 0..K-1, or log-probabilities that are nan or
    all minus infinity.
    """
    scores = np.asarray(logprobs, dtype=np.float64)
    codes = np.asarray(truth, dtype=np.int64)
    if scores.ndim != 2 or len(scores) != codes.size:
        raise HarnessError(
            f"log-probabilities of shape {scores.shape} but {codes.size} true labels",
            hint="give one row per sample and one column per label",
        )
    if codes.size and not (codes.min() >= 0 and codes.max() < scores.shape[1]):
        raise HarnessError(
            "a true label is not among those scored", hint="add it to the field's labels"
        )
    top = scores.max(axis=1, keepdims=True, initial=-np.inf)
    if not np.isfinite(top).all():
        raise HarnessError(
            "a sample has no finite log-probability",
            hint="remove it from the journal, or run it again",
        )
    shares = np.exp(scores - top)
    mass = np.minimum(np.exp(top[:, 0]) * shares.sum(axis=1), 1.0)
    return CalibrationFamily(shares / shares.sum(axis=1, keepdims=True), mass, codes)


def reliability(
    confidence: Floats,
    right: NDArray[np.bool_],
    *,
    scheme: Scheme = "equal-width",
    bins: int = BINS,
) -> tuple[Bin, ...]:
    """Confidence against accuracy in `bins` bins (Guo et al. 2017, section 2).

    equal-width: (0, 1/bins], (1/bins, 2/bins], ...; equal-mass: the sorted confidences in as many groups
    of nearly equal size (Nixon et al. 2019), equal confidences sorted by whether they were right.
    """
    confidence, right = np.asarray(confidence, float), np.asarray(right, bool)
    if scheme == "equal-mass":
        order = np.lexsort((right, confidence))
        groups = [g for g in np.array_split(order, min(bins, max(order.size, 1))) if g.size]
        edges = [(float(confidence[g].min()), float(confidence[g].max())) for g in groups]
    else:
        codes = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
        found = np.unique(codes)
        groups = [np.flatnonzero(codes == code) for code in found]
        edges = [(float(code / bins), float((code + 1) / bins)) for code in found]
    return tuple(
        Bin(low, high, int(g.size), float(confidence[g].mean()), float(right[g].mean()))
        for g, (low, high) in zip(groups, edges, strict=True)
    )


def expected_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: mean |accuracy - confidence| of bins weighted by n (Naeini et al. 2015).

    nan without samples.
    """
    count = sum(b.n for b in bins)
    return (
        sum(b.n * abs(b.accuracy - b.confidence) for b in bins) / count if count else float("nan")
    )


_MEANS = ("brier", "log_loss", "captured_mass")
"""Means over samples, so that they have intervals; in the order of their columns."""


def _mean_of(name: str) -> Callable[[CalibrationFamily, Floats], Floats]:
    return lambda family, totals: ratio(totals[..., _MEANS.index(name)], totals[..., 3])


_ECE_SOURCES: Mapping[Scheme, str] = MappingProxyType(
    {
        "equal-width": "Naeini, Cooper & Hauskrecht 2015, AAAI; 15 bins as in Guo et al. 2017, ICML",
        "equal-mass": "Nixon et al. 2019, Measuring Calibration in Deep Learning, CVPR Workshops",
    }
)
METRICS: tuple[Metric, ...] = (
    Metric(
        name="brier", title="Brier score", needs=NEEDS, compute=_mean_of("brier"), better="lower",
        range=(0.0, 2.0),
        formula="(1/n) Σ_i Σ_k (p_ik - [t_i = k])²",
        source="Brier 1950, Monthly Weather Review 78(1)",
        estimator="multi-class Brier (1950) score, 0..2: squared distance of the probabilities to the true class, "
        "mean over samples",
    ),
    Metric(
        name="log_loss", title="log loss", needs=NEEDS, compute=_mean_of("log_loss"), better="lower",
        range=(0.0, math.inf),
        formula="-(1/n) Σ_i ln max(p_i(t_i), 1e-12)",
        source="Good 1952, Journal of the Royal Statistical Society B 14(1)",
        estimator=f"mean of -ln p(true label), p no less than {FLOOR:g}",
    ),
    Metric(
        name="captured_mass", title="captured mass", needs=NEEDS, compute=_mean_of("captured_mass"),
        formula="(1/n) Σ_i Σ_k P_i(k), P before renormalising",
        source="defined by this project",
        estimator="mean probability that the reply is one of the labels, before renormalising",
    ),
    Metric(
        name="captured_mass_min", title="least captured mass", needs=NEEDS,
        formula="min_i Σ_k P_i(k), P before renormalising",
        source="defined by this project",
        estimator="least probability, of any sample, that the reply is one of the labels",
    ),
    *(
        Metric(
            name=name, title=f"ECE, {scheme.replace('-', ' ')}", needs=NEEDS, better="lower",
            formula="Σ_b (n_b / n) |accuracy_b - mean probability_b| over bins b", source=_ECE_SOURCES[scheme],
            estimator=f"expected calibration error, {BINS} {scheme.replace('-', ' ')} bins of the likeliest label's "
            "probability",
        )
        for name, scheme in ECE.items()
    ),
)  # fmt: skip
