"""Permutation test of a paired difference: A and B are swapped within whole clusters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.stats.resample import cluster_sums, cluster_totals

Floats = NDArray[np.float64]
Estimate = Callable[[Floats], Floats]

ENUMERATED = 1 << 16
"""Up to so many distinct flips are all tried, and the p-value is exact."""
_TRIED = 64
"""Random flips on which it is tried whether clusters add up."""
_BLOCK = 1 << 19
"""Signs held at a time."""
_ALL_BITS = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class SignFlip:
    """What a sign-flip test found."""

    p: float
    """Two-sided; nan where the difference is undefined."""
    exact: bool
    """Whether every flip was tried."""
    flips: int
    """Distinct flips tried, or drawn."""


def sign_flip(
    rows_a: Floats,
    rows_b: Floats,
    clusters: Sequence[Any] | NDArray[Any] | None,
    value: Estimate,
    *,
    flips: int = 10_000,
    seed: int,
) -> SignFlip:
    """Test that A and B are exchangeable, by swapping their rows in random whole clusters.

    ``rows_a`` and ``rows_b`` (n, k) are rows of the same n samples that ``value`` reads alike
    (:func:`harness.stats.side_by_side`), ``clusters`` (n,) as in ``bootstrap_many``, the statistic is value(A) - value(B). Exact for any
    metric when A and B are exchangeable within clusters (Fisher 1935, sec. 21; whole blocks:
    Winkler et al. 2014, NeuroImage 92, sec. 2.6). p is the share of flips whose difference is at
    least as large; drawn flips add the observed one to both counts (Phipson and Smyth 2010). A
    flip in which the metric is undefined counts as large. Raises HarnessError for tables of
    unequal shape or flips below 1.
    """
    if rows_a.shape != rows_b.shape or flips < 1:
        raise HarnessError(
            f"rows of shapes {rows_a.shape} and {rows_b.shape}, {flips} flips",
            hint="pass rows of the same samples and fields, and at least 1,000 flips",
        )
    both = (rows_a + rows_b).sum(axis=0)
    sums = cluster_sums(rows_a - rows_b, clusters)
    gaps = cluster_totals(_upright(sums))

    def differences(moved: Floats) -> Floats:
        return value((both + moved) / 2) - value((both - moved) / 2)

    observed = float(differences(sums.sum(axis=0)[None])[0])
    if math.isnan(observed):
        return SignFlip(math.nan, exact=False, flips=0)
    each = _shares(differences, gaps.sizes, gaps.totals)

    def flipped(signed: Floats) -> Floats:
        return differences(signed @ gaps.totals) if each is None else signed @ each

    enough = abs(observed) - 1e-9 * max(1.0, abs(observed))
    combinations = math.prod(int(size) + 1 for size in gaps.sizes)
    if combinations <= ENUMERATED:
        share = sum(
            float(weights @ _large(flipped(signed), enough))
            for signed, weights in _every(gaps.sizes, combinations)
        )
        return SignFlip(min(1.0, share), exact=True, flips=combinations)
    large = sum(
        int(_large(flipped(signed), enough).sum())
        for signed in _drawn(gaps.sizes, flips=flips, seed=seed)
    )
    return SignFlip((1 + large) / (1 + flips), exact=False, flips=flips)


def _shares(differences: Estimate, sizes: NDArray[np.int64], totals: Floats) -> Floats | None:
    """What each cluster (g,) adds to the difference, for metrics to which clusters simply add up; None for others.

    Those are metrics whose denominators no swap changes: accuracy, a recall, the mean of recalls. Whether one is such is
    tried on `_TRIED` random flips and on the two that turn all clusters one way: a sum that holds there to 12 decimals is
    not that of F1 or of a correlation. A flip is then one product instead of a table and two values of the metric.
    """
    if not sizes.size:
        return None
    each = differences(totals)
    most = sizes.astype(np.float64)
    generator = np.random.Generator(np.random.PCG64(0))
    flips = generator.integers(0, sizes + 1, size=(_TRIED, sizes.size)) * 2.0 - most
    tried = np.vstack([most, -most, flips])
    found = differences(tried @ totals)
    if not (np.isfinite(each).all() and np.isfinite(found).all()):
        return None
    return each if np.allclose(found, tried @ each, rtol=0, atol=1e-12) else None


def _upright(sums: Floats) -> Floats:
    """The clusters that move anything, turned so that their first number other than 0 is above 0.

    A flip takes either sign alike, so that opposite clusters are alike too, and B against A gives
    the same p as A against B.
    """
    moving = sums[np.any(sums != 0, axis=1)]
    first = np.argmax(moving != 0, axis=1)
    turned: Floats = moving * np.sign(moving[np.arange(first.size), first])[:, None]
    return turned


def _large(differences: Floats, enough: float) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = ~(np.abs(differences) < enough)
    return found


def _every(sizes: NDArray[np.int64], combinations: int) -> Iterator[tuple[Floats, Floats]]:
    """Net signs (b, g) of all flips of groups of alike clusters, with their probabilities (b,)."""
    step = max(1, _BLOCK // max(1, sizes.size))
    for start in range(0, combinations, step):
        code = np.arange(start, min(start + step, combinations))
        signed = np.empty((code.size, sizes.size))
        weights = np.ones(code.size)
        for at, size in enumerate(int(size) for size in sizes):
            code, kept = np.divmod(code, size + 1)
            signed[:, at] = 2 * kept - size
            chances = np.array([math.comb(size, k) / 2**size for k in range(size + 1)])
            weights *= chances[kept]
        yield signed, weights


def _drawn(sizes: NDArray[np.int64], *, flips: int, seed: int) -> Iterator[Floats]:
    """Net signs (b, g) of random flips: each cluster keeps or swaps with chance one half.

    How many of m alike clusters keep is a count of m random bits, taken 64 at a time.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    words = -(-sizes // 64)
    starts = np.cumsum(words) - words
    bits = np.full(int(words.sum()), 64, dtype=np.uint64)
    bits[starts + words - 1] = (sizes - 64 * (words - 1)).astype(np.uint64)
    beyond = np.uint64(64) - bits
    step = max(1, _BLOCK // bits.size)
    for start in range(0, flips, step):
        shape = (min(step, flips - start), bits.size)
        drawn = generator.integers(0, _ALL_BITS, size=shape, dtype=np.uint64, endpoint=True)
        kept = np.bitwise_count(drawn >> beyond)
        if bits.size > sizes.size:  # a group of more than 64 has several words
            kept = np.add.reduceat(kept, starts, axis=1, dtype=np.int64)
        yield 2.0 * kept.astype(np.float64) - sizes
