"""Intervals over two crossed factors: against closed forms, and how often they cover."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.stats.crossed import Crossed, Factor, crossed_estimates


def mean(totals: np.ndarray) -> np.ndarray:
    there = totals[..., 1] > 0
    return np.where(there, totals[..., 0] / np.where(there, totals[..., 1], 1), np.nan)


def table(values: np.ndarray, strata: np.ndarray | None = None) -> Crossed:
    """A full table (raters, items) of values."""
    raters, items = values.shape
    r, i = np.meshgrid(np.arange(raters), np.arange(items), indexing="ij")
    rows = np.column_stack([values.ravel(), np.ones(values.size)])
    second = np.zeros(items, dtype=int) if strata is None else strata
    return Crossed(rows, Factor(r.ravel(), np.zeros(raters, dtype=int)), Factor(i.ravel(), second))


def test_error_is_the_sum_of_both_ways_less_the_rest() -> None:
    values = np.random.default_rng(0).normal(size=(12, 7))
    found = crossed_estimates(table(values), {"m": mean}, seed=0)["m"]
    raters = values.mean(axis=1).var(ddof=1) / 12
    items = values.mean(axis=0).var(ddof=1) / 7
    single = values.var(ddof=1) / values.size
    assert found.value == pytest.approx(values.mean())
    assert found.error**2 == pytest.approx(max(raters + items - single, raters, items))


def test_both_factors_count() -> None:
    draw = np.random.default_rng(1)
    people, clips = draw.normal(size=(40, 1)), 3 * draw.normal(size=(1, 8))
    wide = crossed_estimates(table(people + clips), {"m": mean}, seed=0)["m"].interval
    alone = crossed_estimates(table(people + 0 * clips), {"m": mean}, seed=0)["m"].interval
    assert wide.high - wide.low > 2 * (alone.high - alone.low)


def test_one_item_of_a_stratum_and_no_spread_are_said() -> None:
    values = np.random.default_rng(2).integers(0, 2, size=(9, 3)).astype(float)
    found = crossed_estimates(table(values[:, :1]), {"m": mean}, seed=0)["m"].interval
    assert found.known and found.reason.startswith("one item only")
    found = crossed_estimates(table(values[:1, :1]), {"m": mean}, seed=0)["m"].interval
    assert not found.known
    found = crossed_estimates(table(np.ones((5, 5))), {"m": mean}, seed=0)["m"].interval
    assert "no spread was seen" in found.reason


def test_the_order_of_rows_and_other_seeds() -> None:
    values = np.random.default_rng(3).normal(size=(10, 6))
    data = table(values)
    order = np.random.default_rng(4).permutation(60)
    mixed = Crossed(
        data.rows[order],
        Factor(data.first.codes[order], data.first.strata),
        Factor(data.second.codes[order], data.second.strata),
    )
    first = crossed_estimates(data, {"m": mean}, seed=5)["m"]
    again = crossed_estimates(mixed, {"m": mean}, seed=5)["m"]
    assert first.interval.low == pytest.approx(again.interval.low)
    assert first.p == pytest.approx(again.p) and 0 < first.p < 1


def test_intervals_cover() -> None:
    """A part of results/benchmarks/raters.py: 20 raters and 10 items of P(right) .6 or so."""
    covered = 0
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    truth = float(
        weights @ (1 / (1 + np.exp(-(0.5 + math.hypot(0.7, 0.7) * nodes)))) / weights.sum()
    )
    for seed in range(120):
        draw = np.random.default_rng(seed)
        odds = 0.5 + draw.normal(0, 0.7, (20, 1)) + draw.normal(0, 0.7, (1, 10))
        values = (draw.random((20, 10)) < 1 / (1 + np.exp(-odds))).astype(float)
        interval = crossed_estimates(
            table(values), {"m": mean}, draws=300, seed=seed, within=(0.0, 1.0)
        )["m"].interval
        covered += interval.low <= truth <= interval.high
    assert covered >= 108  # 114 of 120 expected; 107 or fewer once in 300 such series
