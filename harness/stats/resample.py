"""Resampling of clusters by their totals.

All metrics here are functions of sums of rows, so a resample of clusters is a vector of
multiplicities times a table of cluster totals. Two further savings, both exact: clusters with
equal totals are exchangeable and can be drawn as one group with the group's share, and where
groups are few one multinomial draw per group replaces one index per cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.stats.rows import CodedRows

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_BLOCK = 1 << 18
"""Multiplicities held at a time (2 MiB as float64): what stays in a processor's cache."""
_HELD = 1 << 20
"""Numbers of cluster sums made at a time (8 MiB)."""
_HASHED = 1 << 14
"""Rows hashed at a time."""
_MULTINOMIAL_COST = 10
"""One multinomial cell takes about as long as this many drawn indices (measured)."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusterTotals:
    """Sums of rows per cluster, clusters with equal sums gathered into one group."""

    totals: Floats
    """(g, k) the distinct sums."""
    sizes: Counts
    """(g,) how many clusters have each."""

    @property
    def clusters(self) -> int:
        """How many clusters there are."""
        return int(self.sizes.sum())


def cluster_totals(
    rows: Floats | CodedRows, clusters: Sequence[Any] | NDArray[Any] | None = None
) -> ClusterTotals:
    """Sums of rows within clusters, see :func:`cluster_sums`, with equal ones gathered.

    Of coded rows no more sums are held at a time than `_HELD` numbers, besides the distinct ones.
    """
    if not isinstance(rows, CodedRows):
        return _gather(cluster_sums(rows, clusters))
    check_rows(rows.table)
    code = None if clusters is None else _codes(clusters, len(rows))
    if code is None or int(code.max(initial=-1)) + 1 == len(rows):
        counts = np.bincount(rows.codes, minlength=len(rows.table))
        there = np.flatnonzero(counts)
        return _gather(rows.table[there], counts[there])
    pieces = [_gather(sums) for sums in _pieces(rows, code)]
    return _gather(
        np.concatenate([piece.totals for piece in pieces]),
        np.concatenate([piece.sizes for piece in pieces]),
    )


def _pieces(rows: CodedRows, code: Counts) -> Iterator[Floats]:
    """Sums (b, k) of some clusters at a time, in their order."""
    width = rows.table.shape[1]
    count, step = int(code.max()) + 1, max(1, _HELD // max(1, width))
    order = np.argsort(code, kind="stable")
    firsts = np.searchsorted(code, np.arange(0, count + step, step), sorter=order)
    for number, (start, end) in enumerate(pairwise(firsts.tolist())):
        members = order[start:end]
        own, kinds = code[members] - number * step, rows.codes[members]
        size = min(step, count - number * step)
        sums = np.empty((size, width))
        for place, column in enumerate(rows.table.T):
            sums[:, place] = np.bincount(own, weights=column[kinds], minlength=size)
        yield sums


def check_rows(table: Floats) -> None:
    """Raise HarnessError unless the table is two-dimensional and finite."""
    if table.ndim != 2 or not np.isfinite(table).all():
        raise HarnessError(
            f"rows of shape {table.shape} are not a finite table", mend="pass Family.rows()"
        )


def _codes(clusters: Sequence[Any] | NDArray[Any], count: int) -> Counts:
    """(count,) numbers from 0 of the clusters, sorted. Raises HarnessError unless there are as many."""
    names = np.asarray(clusters)
    if names.shape != (count,):
        raise HarnessError(
            f"{count} rows but clusters of shape {names.shape}", mend="give one cluster per sample"
        )
    found: Counts = np.unique(names, return_inverse=True)[1]
    return found


def cluster_sums(rows: Floats, clusters: Sequence[Any] | NDArray[Any] | None = None) -> Floats:
    """Sum rows (n, k) within clusters (n,) of codes or names, in the clusters' sorted order.

    None makes each row a cluster. Raises HarnessError unless rows are finite, two-dimensional,
    and as many as the clusters.
    """
    table = np.asarray(rows, dtype=np.float64)
    check_rows(table)
    if clusters is not None:
        code = _codes(clusters, len(table))
        count = int(code.max(initial=-1)) + 1
        if count < len(table):
            summed = [np.bincount(code, weights=column, minlength=count) for column in table.T]
            table = np.stack(summed, axis=1) if summed else np.empty((count, 0))
    return table


def multiplicities(clusters: int, *, draws: int, seed: int) -> Iterator[Floats]:
    """How often each cluster is in each of ``draws`` resamples, in blocks of shape (b, clusters).

    For tables that must share their resamples; :func:`resamples` is the faster for one table.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    step = max(1, _BLOCK // max(clusters, 1))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        drawn = generator.integers(0, clusters, size=(size, clusters))
        drawn += np.arange(size)[:, None] * clusters
        counts = np.bincount(drawn.ravel(), minlength=size * clusters)
        yield counts.reshape(size, clusters).astype(np.float64)


def resamples(groups: ClusterTotals, *, draws: int, seed: int) -> Iterator[Floats]:
    """Totals of ``draws`` bootstrap resamples of the clusters, in blocks of shape (b, k).

    Every resample holds as many clusters as there are. The blocks' sizes sum to ``draws``;
    memory stays bounded whatever the number of clusters. The same input and seed give the same
    totals. Efron and Tibshirani 1993, ch. 6, with the cluster as the unit (Field and Welsh 2007).
    """
    count, distinct = groups.clusters, groups.sizes.size
    if count == 0:
        return
    generator = np.random.Generator(np.random.PCG64(seed))
    by_group = distinct * _MULTINOMIAL_COST < count
    width = distinct if by_group else count
    member = np.repeat(np.arange(distinct), groups.sizes)
    done = 0
    while done < draws:
        size = min(draws - done, max(1, _BLOCK // max(width, 1)))
        if by_group:
            weights = generator.multinomial(count, groups.sizes / count, size=size)
        else:
            drawn = member[generator.integers(0, count, size=(size, count))]
            drawn += np.arange(size)[:, None] * distinct
            weights = np.bincount(drawn.ravel(), minlength=size * distinct).reshape(size, distinct)
        yield weights.astype(np.float64) @ groups.totals
        done += size


def _gather(table: Floats, sizes: Counts | None = None) -> ClusterTotals:
    """Merge equal rows, which stand for so many clusters each (one, if left out).

    A hash finds candidates; rows that share one are compared in full.
    """
    if sizes is None:
        sizes = np.ones(len(table), dtype=np.int64)
    if 0 in table.shape:
        return ClusterTotals(totals=table, sizes=sizes)
    blocks = [slice(start, start + _HASHED) for start in range(0, len(table), _HASHED)]
    hashed = np.concatenate([_hash(table[block]) for block in blocks])
    _, first, code = np.unique(hashed, return_index=True, return_inverse=True)
    if not all(np.array_equal(table[block], table[first[code[block]]]) for block in blocks):
        distinct, code = np.unique(table, axis=0, return_inverse=True)
        code = code.ravel()
    else:
        distinct = table[first]
    counts = np.bincount(code, weights=sizes, minlength=len(distinct))
    return ClusterTotals(totals=distinct, sizes=counts.astype(np.int64))


def _hash(table: Floats) -> NDArray[np.uint64]:
    """(n,) a hash of each row. In whole numbers, so that no order of summing can change it."""
    odd = np.random.Generator(np.random.PCG64(0)).integers(
        0, 1 << 63, size=table.shape[1], dtype=np.uint64
    )
    bits = (table + 0.0).view(np.uint64)  # adding zero turns -0.0 into 0.0
    bits ^= bits >> np.uint64(52)  # counts have their information in the exponent
    bits *= np.uint64(0x9E3779B97F4A7C15)
    bits ^= bits >> np.uint64(32)
    bits *= odd * np.uint64(2) + np.uint64(1)
    hashed: NDArray[np.uint64] = bits.sum(axis=1, dtype=np.uint64)
    return hashed
