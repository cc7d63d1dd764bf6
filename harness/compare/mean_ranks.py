"""The mean rank of every cell over several tasks, with an interval over resampled clusters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from harness.compare.board import Board, MeanRank
from harness.compare.measure import share
from harness.compare.measure_board import Entered
from harness.core.errors import HarnessError
from harness.stats.resample import cluster_sums, multiplicities
from harness.stats.scored import side_by_side

DRAWS = 1000
LEVEL = 0.95

Floats = NDArray[np.float64]


def mean_ranks(
    boards: Sequence[tuple[Board, Sequence[Entered]]], *, seed: int
) -> tuple[MeanRank, ...]:
    """The cells that all boards have, by their mean rank among each other, the best first; equal scores share a rank.

    Each board is resampled by its own clusters. Empty for fewer than two boards or two cells, and where cells of a board
    have no sample in common.
    """
    names = [name for name in _names(boards[0]) if all(name in _names(b) for b in boards)] if boards else []  # fmt: skip
    if len(boards) < 2 or len(names) < 2:
        return ()
    seen: list[Floats] = []
    drawn: list[Floats] = []
    for number, (board, entered) in enumerate(boards):
        by_order = {e.order: e for e in entered}
        wanted = {cell.name: by_order[cell.order] for cell in board.cells}
        try:
            shared = share([wanted[name].contender for name in names])
        except HarnessError:
            return ()
        mask = shared.slices.get(board.part)
        if mask is None:
            return ()
        cuts = shared.cut(mask)
        value = partial(cuts[0].value, board.metric)
        sums = [cluster_sums(rows, shared.clusters[mask]) for rows in side_by_side(cuts)]
        whole = np.stack([value(table.sum(axis=0)[None]) for table in sums], axis=-1)
        blocks = [
            np.stack([value(weights @ table) for table in sums], axis=-1)
            for weights in multiplicities(len(sums[0]), draws=DRAWS, seed=seed + number)
        ]
        seen.append(_ranks(whole, board.sign))
        drawn.append(_ranks(np.concatenate(blocks), board.sign))
    means = np.mean(drawn, axis=0)
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.nanquantile(means, tails, axis=0)
    places = np.concatenate(seen)
    rows = [
        MeanRank(
            name, float(places[:, at].mean()), float(low[at]), float(high[at]),
            tuple(round(float(place)) for place in places[:, at]),
        )
        for at, name in enumerate(names)
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda row: row.mean))


def _names(board: tuple[Board, Sequence[Entered]]) -> list[str]:
    return [cell.name for cell in board[0].cells if cell.rank is not None]


def _ranks(values: Floats, sign: int) -> Floats:
    """(draws, cells) mean ranks from 1, the best first; values that are equal share the mean of their ranks."""
    ahead = (sign * values[:, None, :] > sign * values[:, :, None]).sum(axis=-1)
    equal = (values[:, None, :] == values[:, :, None]).sum(axis=-1)
    found: Floats = 1.0 + ahead + (equal - 1) / 2
    return found
