"""Resampling of clusters by their totals.

All metrics here are functions of sums of rows, so a resample of clusters is a vector of
multiplicities times a table of cluster totals. Four further savings, all exact: clusters with
equal totals are exchangeable and can be drawn as one group with the group's share; where
groups are few one multinomial draw per group replaces one index per cluster; tables of equally
many clusters share their draws; and sums of whole numbers that stay below 2^24 are taken in
single precision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.stats.product import ROWS, product
from harness.stats.rows import CodedRows

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_BLOCK = 1 << 20
"""Multiplicities held at a time (4 MB), but those of `ROWS` resamples at least."""
_DRAWN = 1 << 16
"""Indices drawn at a time: they stay in a processor's cache."""
_EXPANDED = 1 << 25
"""Up to so many numbers a table is multiplied a row a cluster, which beats summing the draws of alike ones."""
_EXACT = float(1 << 24)
"""Whole numbers below this are exact in single precision."""
_HELD = 1 << 20
"""Numbers of cluster sums made at a time (8 MiB)."""
_KINDS = 256
"""Up to so many distinct rows are counted in each cluster instead of added one by one."""
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
    alike: float = 1.0
    """How many clusters of one size tell as much as these, as a share of their number (Kish 1965, section 8.2:
    (sum n)^2 / sum n^2 of the clusters' samples n); 1 where all are of one size."""

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
    code = None if clusters is None else _codes(clusters, len(rows))
    return replace(_totals(rows, code), alike=_alike(code))


def _alike(code: Counts | None) -> float:
    """Kish's effective number of clusters, as a share of their number."""
    if code is None or not len(code):
        return 1.0
    sizes = np.bincount(code).astype(np.float64)
    return float(sizes.sum() ** 2 / (sizes @ sizes) / sizes.size)


def _totals(rows: Floats | CodedRows, code: Counts | None) -> ClusterTotals:
    """The totals of clusters numbered from 0."""
    if not isinstance(rows, CodedRows):
        return _gather(cluster_sums(rows, code))
    check_rows(rows.table)
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
    table = rows.table
    # Whole numbers are exact in any order: how often each row is in a cluster says it all.
    counted = len(table) <= _KINDS and np.array_equal(table, np.rint(table))
    width = max(1, table.shape[1], len(table) if counted else 0)
    count, step = int(code.max()) + 1, max(1, _HELD // width)
    order = np.argsort(code, kind="stable")
    firsts = np.searchsorted(code, np.arange(0, count + step, step), sorter=order)
    for number, (start, end) in enumerate(pairwise(firsts.tolist())):
        members = order[start:end]
        own, kinds = code[members] - number * step, rows.codes[members]
        size = min(step, count - number * step)
        if counted:
            places = own * len(table) + kinds
            times = np.bincount(places, minlength=size * len(table)).reshape(size, -1)
            yield product(times, table)
        else:
            sums = np.empty((size, table.shape[1]))
            for place, column in enumerate(table.T):
                sums[:, place] = np.bincount(own, weights=column[kinds], minlength=size)
            yield sums


def check_rows(table: Floats) -> None:
    """Raise HarnessError unless the table is two-dimensional and finite."""
    if table.ndim != 2 or not np.isfinite(table).all():
        raise HarnessError(
            f"rows of shape {table.shape} are not a finite table", hint="pass Family.rows()"
        )


def _codes(clusters: Sequence[Any] | NDArray[Any], count: int) -> Counts:
    """(count,) numbers from 0 of the clusters, sorted. Raises HarnessError unless there are as many."""
    names = np.asarray(clusters)
    if names.shape != (count,):
        raise HarnessError(
            f"{count} rows but clusters of shape {names.shape}", hint="give one cluster per sample"
        )
    found: Counts
    if names.dtype.kind == "i" and count and names.min() >= 0 and names.max() < 4 * count:
        there = np.zeros(int(names.max()) + 1, dtype=np.bool_)
        there[names] = True
        found = (np.cumsum(there) - 1)[names]  # ten times as fast as sorting
    else:
        found = np.unique(names, return_inverse=True)[1]
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
    """How often each cluster is in each of ``draws`` resamples, in blocks of shape (b, clusters)."""
    generator = np.random.Generator(np.random.PCG64(seed))
    step = _step(clusters)
    for start in range(0, draws, step):
        yield _drawn(generator, clusters, min(step, draws - start)).astype(np.float64)


def resamples(groups: ClusterTotals, *, draws: int, seed: int) -> Iterator[Floats]:
    """Totals of ``draws`` bootstrap resamples of the clusters, in blocks of shape (b, k).

    Every resample holds as many clusters as there are. The blocks' sizes sum to ``draws``;
    memory stays bounded whatever the number of clusters. The same input and seed give the same
    totals. Efron and Tibshirani 1993, ch. 6, with the cluster as the unit (Field and Welsh 2007).
    """
    if groups.clusters == 0:
        return
    if shares_draws(groups):
        yield from (block for (block,) in resamples_together([groups], draws=draws, seed=seed))
        return
    generator, totals = np.random.Generator(np.random.PCG64(seed)), _narrow(groups)
    count, distinct = groups.clusters, groups.sizes.size
    step = _step(distinct)
    member = None if _by_group(groups) else np.repeat(np.arange(distinct), groups.sizes)
    for start in range(0, draws, step):
        size = min(step, draws - start)
        if member is None:
            weights = generator.multinomial(count, groups.sizes / count, size=size)
        else:
            weights = _drawn(generator, count, size, member)
        yield product(weights, totals)


def shares_draws(groups: ClusterTotals) -> bool:
    """Whether resamples of these may be drawn together with others: they are drawn cluster by cluster."""
    size = groups.clusters * groups.totals.shape[1]
    return groups.clusters > 0 and size <= _EXPANDED and not _by_group(groups)


def resamples_together(
    tables: Sequence[ClusterTotals], *, draws: int, seed: int
) -> Iterator[list[Floats]]:
    """What :func:`resamples` gives of each of several tables that share their draws, block by block.

    All have as many clusters, and :func:`shares_draws` holds of them. Drawing takes most of the time where clusters
    are many.
    """
    generator, count = np.random.Generator(np.random.PCG64(seed)), tables[0].clusters
    each = [np.repeat(_narrow(groups), groups.sizes, axis=0) for groups in tables]
    ends = np.cumsum([totals.shape[1] for totals in each])[:-1]
    joint = np.concatenate(each, axis=1) if len(each) > 1 else each[0]
    del each
    step = _step(count)
    for start in range(0, draws, step):
        found = product(_drawn(generator, count, min(step, draws - start)), joint)
        yield np.split(found, ends, axis=1)


def _by_group(groups: ClusterTotals) -> bool:
    """Whether one multinomial draw a group is cheaper than one index a cluster."""
    return groups.sizes.size * _MULTINOMIAL_COST < groups.clusters


def _step(width: int) -> int:
    """How many resamples of so many multiplicities are held at a time."""
    return max(1, _BLOCK // max(width, 1) // ROWS) * ROWS


def _drawn(
    generator: np.random.Generator, clusters: int, draws: int, member: Counts | None = None
) -> NDArray[Any]:
    """(draws, clusters) how often each cluster is drawn, one index a cluster; or (draws, g) each of their groups."""
    width = clusters if member is None else int(member[-1]) + 1
    counts = np.empty((draws, width), dtype=np.float32 if clusters < _EXACT else np.float64)
    step = max(1, _DRAWN // max(clusters, 1))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        drawn = generator.integers(0, clusters, size=(size, clusters))
        if member is not None:
            drawn = member[drawn]
        drawn += np.arange(size)[:, None] * width
        found = np.bincount(drawn.ravel(), minlength=size * width)
        counts[start : start + size] = found.reshape(size, width)
    return counts


def _narrow(groups: ClusterTotals) -> NDArray[Any]:
    """(g, k) the totals; in single precision, twice as fast, where no sum of a resample can lose a bit in it."""
    totals = groups.totals
    most = max(totals.max(initial=0.0), -totals.min(initial=0.0)) * groups.clusters
    if most >= _EXACT:
        return totals
    narrow = totals.astype(np.float32)
    exact = np.array_equal(narrow, np.rint(narrow)) and np.array_equal(narrow, totals)
    return narrow if exact else totals


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
