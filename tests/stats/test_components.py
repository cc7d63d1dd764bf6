"""Variance components against worked analyses of variance and simulation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from harness.core.errors import HarnessError
from harness.metrics import number_family, point
from harness.stats.components import Components, variance_components


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """A family whose rows are (1, right)."""

    table: np.ndarray
    metrics: tuple[str, ...] = ("share",)

    def rows(self) -> np.ndarray:
        """The rows."""
        return self.table

    def value(self, metric: str, totals: np.ndarray) -> np.ndarray:
        """Right over count."""
        assert metric == "share"
        return totals[..., 1] / totals[..., 0]


def answers(right: np.ndarray) -> Share:
    """The family of n samples, each right to some share."""
    return Share(np.column_stack([np.ones(len(right)), right]).astype(float))


def cells_of(scores: np.ndarray, *, n: int = 40) -> dict[tuple[str, ...], Share]:
    """Cells whose scores come out at exactly the given ones, in n samples all alike."""
    return {
        tuple(f"{axis}{level}" for axis, level in enumerate(at)): answers(np.full(n, score))
        for at, score in np.ndenumerate(scores)
    }


def drawn_cells(
    chances: np.ndarray, *, n: int, within: int, seed: int
) -> dict[tuple[str, ...], Share]:
    """Right or wrong answers of every cell to the same samples, some harder for all cells."""
    generator = np.random.default_rng(seed)
    easy = 0.55 * np.repeat(generator.normal(size=n // within), within)
    easy = easy + 0.45 * generator.normal(size=n)
    normal = NormalDist()
    return {
        tuple(map(str, at)): answers(
            easy + 0.7 * generator.normal(size=n) < normal.inv_cdf(float(chance))
        )
        for at, chance in np.ndenumerate(chances)
    }


def raw(found: Components) -> dict[tuple[str, ...], float]:
    """Moment estimates by factors."""
    return {row.factors: row.raw for row in found.rows}


def test_two_factors_are_those_of_the_analysis_of_variance() -> None:
    scores = np.random.default_rng(0).normal(0.6, 0.1, (4, 3))
    found = variance_components(cells_of(scores), ["p", "m"], "share", seed=1, draws=20)
    data = pd.DataFrame([{"p": i, "m": j, "y": score} for (i, j), score in np.ndenumerate(scores)])
    square = anova_lm(ols("y ~ C(p) + C(m)", data).fit())["mean_sq"]
    assert raw(found)[()] == pytest.approx(square["Residual"])
    assert raw(found)["p",] == pytest.approx((square["C(p)"] - square["Residual"]) / 3)
    assert raw(found)["m",] == pytest.approx((square["C(m)"] - square["Residual"]) / 4)
    assert found.mean == pytest.approx(scores.mean()) and (found.cells, found.n) == (12, 40)


def test_three_factors_are_those_of_the_analysis_of_variance() -> None:
    scores = np.random.default_rng(1).normal(0.6, 0.1, (4, 3, 2))
    found = variance_components(cells_of(scores), ["a", "b", "c"], "share", seed=1, draws=20)
    data = pd.DataFrame(
        [{"a": i, "b": j, "c": k, "y": score} for (i, j, k), score in np.ndenumerate(scores)]
    )
    square = anova_lm(ols("y ~ (C(a) + C(b) + C(c)) ** 2", data).fit())["mean_sq"]
    rest = square["Residual"]
    ab = (square["C(a):C(b)"] - rest) / 2
    ac = (square["C(a):C(c)"] - rest) / 3
    assert raw(found)[()] == pytest.approx(rest)
    assert raw(found)["a", "b"] == pytest.approx(ab)
    assert raw(found)["a", "c"] == pytest.approx(ac)
    wanted = (square["C(a)"] - rest - 2 * ab - 3 * ac) / 6
    assert raw(found)["a",] == pytest.approx(wanted)
    assert [row.factors for row in found.rows][3:] == [("a", "b"), ("a", "c"), ("b", "c"), ()]


def test_shares_sum_to_one_and_below_zero_is_said() -> None:
    scores = np.array([[0.5, 0.6, 0.7], [0.7, 0.6, 0.5]])  # all of it is interaction
    found = variance_components(cells_of(scores), ["prompt", "model"], "share", seed=1, draws=20)
    prompt, model, rest = found.rows
    assert prompt.raw < 0 and prompt.variance == 0 and prompt.zeroed
    assert model.zeroed and not rest.zeroed
    assert sum(row.share for row in found.rows) == pytest.approx(1) and rest.share == 1
    assert rest.deviation == pytest.approx(0.1 * 2**0.5)


def coverage(
    chances: np.ndarray, *, n: int, within: int, repetitions: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, mean estimate and coverage of every component."""
    factors = [f"f{axis}" for axis in range(chances.ndim)]
    endless = variance_components(cells_of(chances), factors, "share", seed=1, draws=2)
    true = np.maximum([row.raw for row in endless.rows], 0)
    unit = np.repeat(np.arange(n // within), within)
    values, held = [], np.zeros(len(true))
    for seed in range(repetitions):
        cells = drawn_cells(chances, n=n, within=within, seed=seed)
        found = variance_components(cells, factors, "share", unit, seed=seed, draws=250)
        values.append([row.variance for row in found.rows])
        held += [
            r.interval.low <= t <= r.interval.high for r, t in zip(found.rows, true, strict=True)
        ]
    return true, np.mean(values, axis=0), held / repetitions


@pytest.mark.parametrize("within", [1, 5])
def test_intervals_hold_the_components_of_these_cells(within: int) -> None:
    generator = np.random.default_rng(3)
    chances = 0.6 + generator.normal(0, 0.05, (4, 1)) + generator.normal(0, 0.08, (1, 3))
    true, mean, held = coverage(chances, n=300, within=within, repetitions=200)
    assert mean[:2] == pytest.approx(true[:2], rel=0.1)
    assert true[2] == pytest.approx(0, abs=1e-12) and mean[2] < 0.015**2
    assert (held[:2] >= 0.9).all() and (held <= 1).all() and held[2] >= 0.95


def test_a_factor_without_effect_gets_no_share_by_chance_alone() -> None:
    """Without the correction, the chance of 300 samples would look like an interaction."""
    chances = np.full((4, 3), 0.6)
    rest = [
        variance_components(
            drawn_cells(chances, n=300, within=1, seed=seed), ["p", "m"], "share", seed=1, draws=200
        ).rows[-1]
        for seed in range(30)
    ]
    assert np.mean([row.variance for row in rest]) < 0.4 * np.mean([row.raw for row in rest])
    assert np.mean([row.raw - row.excess for row in rest]) == pytest.approx(0, abs=1e-4)
    assert np.mean([row.interval.low == 0 for row in rest]) >= 0.9


def test_families_of_numbers_are_read_from_one_centre() -> None:
    generator = np.random.default_rng(0)
    truth = generator.uniform(-1, 1, 60)
    cells = {
        (a, b): number_family(
            truth.tolist(),
            np.clip(truth * 0.7 + shift + generator.normal(0, noise, 60), -1, 1).tolist(),
            low=-1,
            high=1,
        )
        for a, shift in (("x", -0.2), ("y", 0.1), ("z", 0.3))
        for b, noise in (("u", 0.1), ("v", 0.4))
    }
    found = variance_components(cells, ["shift", "noise"], "ccc", seed=1, draws=50)
    scores = np.array([point(family, "ccc") for family in cells.values()]).reshape(3, 2)
    assert found.mean == pytest.approx(scores.mean())
    by_hand = variance_components(cells_of(scores), ["shift", "noise"], "share", seed=1, draws=2)
    assert raw(found) == pytest.approx(raw(by_hand))


def test_factors_with_one_level_are_set_aside() -> None:
    cells = {
        (a, "only", b): answers(np.arange(9) > k)
        for k, (a, b) in enumerate(itertools.product("xy", "uvw"))
    }
    found = variance_components(cells, ["p", "task", "m"], "share", seed=1, draws=50)
    assert found.fixed == ("task",)
    assert [row.factors for row in found.rows] == [("p",), ("m",), ()]
    assert found == variance_components(cells, ["p", "task", "m"], "share", seed=1, draws=50)


SIX = answers(np.arange(6) % 2)


@pytest.mark.parametrize(
    ("cells", "factors"),
    [
        ({}, ["a", "b"]),
        ({("x", "u"): SIX, ("y", "u"): SIX}, ["a", "b"]),
        ({("x", "u"): SIX, ("y", "u"): SIX, ("x", "v"): SIX}, ["a", "b"]),
        ({("x",): SIX}, ["a", "b"]),
        ({(a, b): answers(np.ones(6 - (a == "x"))) for a in "xy" for b in "uv"}, ["a", "b"]),
        ({(a, b): answers(np.ones(1)) for a in "xy" for b in "uv"}, ["a", "b"]),
    ],
)
def test_misuse_has_a_mend(cells: dict[tuple[str, ...], Share], factors: Sequence[str]) -> None:
    call: Callable[[], object] = lambda: variance_components(cells, factors, "share", seed=1)  # noqa: E731
    with pytest.raises(HarnessError) as caught:
        call()
    assert caught.value.hint
