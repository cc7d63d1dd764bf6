"""Selective classification: the risk of the answers that are kept, where the least sure ones are left to someone else.

Samples are sorted by how sure the model is. Keeping the k surest of n is a coverage of k/n, and the share of wrong
answers among them is the selective risk. Samples of equal confidence have no order: every number here is its mean over
all orders of equal ones, so that it depends neither on the order of the file nor on chance. All of them are read off
counts by level of confidence, which are sums over samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.metrics.family import Floats, ratio
from harness.metrics.metric import Metric

NEEDS = "selective"
"""The family's name."""
_FEW = 64


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Samples by their confidence, the surest first."""

    confidence: Floats
    """(L,) distinct confidences, falling; -inf stands for samples that no confidence can be kept by."""
    counts: Floats
    """(L, 2) right and wrong answers of each level."""
    codes: NDArray[np.int64]
    """(n,) the level of each sample."""
    wrong: NDArray[np.bool_]
    """(n,) whether it is answered wrongly, or not at all."""

    @property
    def n(self) -> int:
        """Samples."""
        return self.codes.size


def levels(confidence: Floats, wrong: NDArray[np.bool_]) -> Levels:
    """From the confidence (n,) of each answer, -inf where there is no answer, and whether it is wrong (n,).

    Raises HarnessError for unequal lengths, or a confidence that is nan or positive infinity.
    """
    sure, missed = np.asarray(confidence, dtype=np.float64), np.asarray(wrong, dtype=np.bool_)
    if sure.ndim != 1 or sure.shape != missed.shape:
        raise HarnessError(
            f"confidences of shape {sure.shape} but answers of shape {missed.shape}",
            hint="give one of each per sample",
        )
    if np.isnan(sure).any() or np.isposinf(sure).any():
        raise HarnessError("a confidence is not a number", hint="use -inf where there is no answer")
    found, codes = np.unique(-sure, return_inverse=True)
    codes = codes.astype(np.int64).ravel()
    counts = np.stack(
        [np.bincount(codes[missed == side], minlength=found.size) for side in (False, True)], axis=1
    )
    return Levels(-found, counts.astype(np.float64), codes, missed)


def aurc(counts: Floats) -> Floats:
    """Area under the curve of risk against coverage, (1/n) Σ_k risk of the k surest; counts (..., L, 2) -> (...).

    nan without samples.
    """
    size, missed, before, missed_before = _steps(counts)
    share = ratio(missed, size)
    share = np.where(size > 0, share, 0.0)
    # Within a level of m samples the mean error of the first j is linear in j: its sum is a harmonic one.
    inside = missed + (missed_before - share * before) * (
        _harmonic(before + size) - _harmonic(before)
    )
    return ratio(inside.sum(axis=-1), size.sum(axis=-1))


def excess_aurc(counts: Floats) -> Floats:
    """`aurc` less that of the best order for as many errors: all right answers before the wrong ones."""
    total = np.asarray(counts, dtype=np.float64).sum(axis=-2)
    best = np.stack([total * [1.0, 0.0], total * [0.0, 1.0]], axis=-2)
    return np.asarray(aurc(counts) - aurc(best))


def augrc(counts: Floats) -> Floats:
    """Area under the curve of generalised risk, (1/n) Σ_k (wrong among the k surest) / n; counts (..., L, 2) -> (...).

    It counts an error once, wherever it stands, where `aurc` gives the most weight to the very first ranks.
    """
    size, missed, _, missed_before = _steps(counts)
    inside = size * missed_before + missed * (size + 1) / 2
    return ratio(inside.sum(axis=-1), size.sum(axis=-1) ** 2)


def accuracy_at(counts: Floats, coverage: float) -> Floats:
    """Share right of the surest `coverage` (0..1] of the samples, rounded up; counts (..., L, 2) -> (...)."""
    size, missed, before, _ = _steps(counts)
    wanted = kept(size.sum(axis=-1), coverage)[..., None]
    inside = np.clip(wanted - before, 0.0, size)
    share = np.where(size > 0, ratio(missed, size), 0.0)
    return 1.0 - ratio((inside * share).sum(axis=-1), wanted[..., 0])


def kept(n: Floats | int, coverage: float) -> Floats:
    """How many of n samples a coverage keeps: the least number that is no smaller a share."""
    return np.asarray(np.ceil(np.asarray(n, dtype=np.float64) * coverage - 1e-9))


def curve(counts: Floats, *, points: int) -> tuple[tuple[float, float], ...]:
    """(coverage, risk) after each level, surest first; of more than `points` levels evenly spread ones and the last."""
    size, missed, _, _ = _steps(counts)
    reached, wrong = np.cumsum(size), np.cumsum(missed)
    at = np.arange(size.size)
    if at.size > points:
        at = np.unique(np.linspace(0, at.size - 1, points).round().astype(np.int64))
    total = reached[-1] if reached.size else 0.0
    return tuple((float(reached[k] / total), float(wrong[k] / reached[k])) for k in at.tolist())


def coarser(found: Levels, most: int) -> Levels:
    """The same with at most `most` levels of about equally many samples, for resampling; equal ones stay together."""
    if found.confidence.size <= most:
        return found
    size = found.counts.sum(axis=1)
    middle = np.cumsum(size) - size / 2
    into = np.minimum((middle * most / size.sum()).astype(np.int64), most - 1)
    into = np.unique(into, return_inverse=True)[1].ravel()
    counts = np.zeros((int(into.max()) + 1, 2))
    np.add.at(counts, into, found.counts)
    first = np.unique(into, return_index=True)[1]
    return Levels(found.confidence[first], counts, into[found.codes], found.wrong)


def _steps(counts: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Samples and errors of each level, and of all surer ones; (..., L) each."""
    table = np.asarray(counts, dtype=np.float64)
    size, missed = table.sum(axis=-1), table[..., 1]
    return size, missed, np.cumsum(size, axis=-1) - size, np.cumsum(missed, axis=-1) - missed


def _harmonic(n: Floats) -> Floats:
    """1 + 1/2 + ... + 1/n of whole numbers: added up where few, else by the series of Euler and Maclaurin (to 1e-15)."""
    few = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, _FEW))])
    many = np.maximum(n, _FEW)
    series = np.log(many) + np.euler_gamma + 1 / (2 * many) - 1 / (12 * many**2)
    series += 1 / (120 * many**4) - 1 / (252 * many**6)
    small = few[np.minimum(n, _FEW - 1).astype(np.int64)]
    return np.asarray(np.where(n < _FEW, small, series))


_TIES = "mean over all orders of equal confidences; samples without an answer come last and count as wrong"
METRICS: tuple[Metric, ...] = (
    Metric(
        name="aurc", title="AURC", needs=NEEDS, better="lower",
        formula="(1/n) Σ_k (1/k) Σ_{i<=k} [y_i ≠ t_i], samples i by falling confidence",
        source="Geifman & El-Yaniv 2017, NeurIPS; as an average over coverages Geifman, Uziel & El-Yaniv 2019, ICLR",
        estimator=f"area under the curve of selective risk against coverage (Geifman et al. 2019), {_TIES}",
    ),
    Metric(
        name="excess_aurc", title="excess AURC", needs=NEEDS, better="lower",
        formula="AURC - AURC of the order in which every right answer comes before the wrong ones",
        source="Geifman, Uziel & El-Yaniv 2019, ICLR; the best order's area exactly, not its limit r + (1-r) ln(1-r)",
        estimator=f"AURC above that of the best order for as many errors (Geifman et al. 2019), {_TIES}",
    ),
    Metric(
        name="augrc", title="AUGRC", needs=NEEDS, better="lower",
        formula="(1/n) Σ_k (1/n) Σ_{i<=k} [y_i ≠ t_i], samples i by falling confidence",
        source="Traub et al. 2024, Overcoming Common Flaws in the Evaluation of Selective Classification Systems, NeurIPS",
        estimator=f"area under the curve of generalised risk (wrong and kept, of all) against coverage (Traub et al. 2024), {_TIES}",
    ),
    Metric(
        name="accuracy_at_coverage", title="accuracy at coverage", needs=NEEDS,
        formula="1 - (1/k) Σ_{i<=k} [y_i ≠ t_i], k = ⌈coverage · n⌉, samples i by falling confidence",
        source="El-Yaniv & Wiener 2010, Journal of Machine Learning Research 11",
        estimator=f"share right of the surest samples, {_TIES}",
    ),
)  # fmt: skip
