"""BCa, expanded percentile and t bounds against scipy and statsmodels, and their edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from harness.core.errors import HarnessError
from harness.metrics import estimates, label_family
from harness.stats.bootstraps import Choice, bootstrap, resolve
from harness.stats.bounds import Method
from harness.stats.jackknife import left_out
from harness.stats.resample import cluster_totals
from harness.stats.student import t_quantile, two_sided_p

SKEWED = np.random.default_rng(5).exponential(size=60)


def mean(totals: np.ndarray) -> np.ndarray:
    """Sum over count."""
    return totals[..., 1] / totals[..., 0]


def rows_of(values: np.ndarray) -> np.ndarray:
    """Rows (1, value)."""
    return np.column_stack([np.ones(len(values)), values])


@pytest.mark.parametrize("df", [1, 2, 3, 4, 9, 28, 199, 200, 201, 5000])
@pytest.mark.parametrize("share", [0.001, 0.2, 0.5, 0.6, 0.975, 0.9999])
def test_t_quantile_is_that_of_scipy(share: float, df: int) -> None:
    assert t_quantile(share, df) == pytest.approx(stats.t.ppf(share, df), rel=1e-8, abs=1e-12)


def test_bca_agrees_with_scipy() -> None:
    ours = bootstrap(rows_of(SKEWED), None, mean, draws=40_000, seed=3, method="bca")
    theirs = stats.bootstrap(
        (SKEWED,), np.mean, n_resamples=40_000, method="BCa", rng=np.random.default_rng(3)
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.008)
    assert ours.high == pytest.approx(theirs.high, abs=0.008)
    plain = bootstrap(rows_of(SKEWED), None, mean, draws=40_000, seed=3)
    assert ours.low > plain.low and ours.high > plain.high  # a long right tail pulls to the right
    assert ours.method == "BCa bootstrap over clusters"


def test_t_is_the_ordinary_t_interval_for_a_mean() -> None:
    ours = bootstrap(rows_of(SKEWED), None, mean, seed=1, level=0.9, method="t")
    low, high = stats.t.interval(0.9, 59, SKEWED.mean(), stats.sem(SKEWED))
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=1e-9)
    assert ours.draws == 0


def test_t_over_clusters_of_one_size_is_that_of_their_means() -> None:
    value = np.random.default_rng(2).normal(size=(20, 7)).cumsum(axis=1)
    ours = bootstrap(rows_of(value.ravel()), np.repeat(range(20), 7), mean, seed=1, method="t")
    low, high = stats.t.interval(0.95, 19, value.mean(), stats.sem(value.mean(axis=1)))
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=1e-9)


def test_t_over_unequal_clusters_is_close_to_cluster_robust_regression() -> None:
    generator = np.random.default_rng(3)
    unit = np.sort(generator.integers(0, 40, 300))
    value = generator.normal(size=40)[unit] + generator.normal(size=300)
    ours = bootstrap(rows_of(value), unit, mean, seed=1, method="t")
    fit = sm.OLS(value, np.ones(300)).fit(cov_type="cluster", cov_kwds={"groups": unit}, use_t=True)
    low, high = fit.conf_int()[0]
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=0.04)


def test_expanded_widens_few_clusters_and_hardly_many() -> None:
    generator = np.random.default_rng(4)
    for count, ratio in ((8, 1.25), (2000, 1.0)):
        rows = rows_of(generator.normal(size=count))
        plain = bootstrap(rows, None, mean, draws=8000, seed=1)
        wide = bootstrap(rows, None, mean, draws=8000, seed=1, method="expanded")
        found = (wide.high - wide.low) / (plain.high - plain.low)
        assert found == pytest.approx(ratio, abs=0.1)


def test_bounds_stay_within_the_range_of_the_metric() -> None:
    family = label_family(["a", "b"] * 12, ["a", "b"] * 11 + ["a", "a"])
    methods: tuple[Method, ...] = ("percentile", "expanded", "bca", "unequal")
    for method in methods:
        for value in estimates(family, ["uar", "uf1", "accuracy"]).values():
            found = bootstrap(family.rows(), None, value, seed=1, method=method)
            assert 0 <= found.low < found.high <= 1


def test_auto_says_what_it_took() -> None:
    def taken(method: Choice, *sizes: int) -> Method:
        unit = np.repeat(np.arange(len(sizes)), sizes)
        return resolve(method, cluster_totals(rows_of(np.ones(unit.size)), unit))

    assert taken("auto", *[1] * 49) == "expanded" and taken("auto", *[4] * 50) == "bca"
    assert taken("auto", *[2, 4, 8, 30] * 13) == taken("auto", *[2, 4, 8, 30] * 3) == "unequal"
    assert taken("auto", *[7, 8, 9] * 20) == "bca" and taken("t", 3, 3, 3) == "t"
    few = bootstrap(rows_of(SKEWED[:20]), None, mean, seed=1, method="auto")
    assert few.method.startswith("expanded percentile") and "simulated coverage" in few.method
    assert bootstrap(rows_of(SKEWED), None, mean, seed=1, method="auto").method.startswith("BCa")


def test_degrees_of_freedom_are_those_of_a_normal_sample_and_fewer_where_few_clusters_weigh() -> (
    None
):
    generator = np.random.default_rng(9)
    unit = np.repeat(np.arange(60), np.resize([2, 4, 8, 30], 60))
    value = generator.normal(size=60)[unit] + generator.normal(size=unit.size)
    unequal = left_out(cluster_totals(rows_of(value), unit), mean)
    assert 5 <= unequal.degrees <= 30
    even = left_out(cluster_totals(rows_of(generator.normal(size=60)), None), mean)
    assert 40 <= even.degrees <= 59
    assert left_out(cluster_totals(rows_of(np.ones(9)), None), mean).degrees == 8


@pytest.mark.parametrize("df", [1, 2, 7, 60, 200, 201, 4000])
@pytest.mark.parametrize("t", [0.0, 0.4, -1.9, 3.3, 8.0])
def test_p_of_t_is_that_of_scipy(t: float, df: int) -> None:
    assert two_sided_p(t, df) == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-4, abs=1e-12)


def test_where_bca_is_undefined_the_expanded_bounds_stand() -> None:
    """The recall of a class with one sample is undefined without that sample."""
    family = label_family(["a"] * 59 + ["b"], ["a"] * 40 + ["b"] * 20)

    def gap(totals: np.ndarray) -> np.ndarray:
        return family.value("recall[a]", totals) - family.value("recall[b]", totals)

    found = bootstrap(family.rows(), None, gap, seed=1, method="bca")
    other = bootstrap(family.rows(), None, gap, seed=1, method="expanded")
    assert found.method.endswith("(BCa is undefined here)")
    assert (found.low, found.high) == (other.low, other.high)
    unknown = bootstrap(family.rows(), None, gap, seed=1, method="t")
    assert not unknown.known and "undefined" in unknown.reason


def test_no_spread_is_said_by_every_method() -> None:
    methods: tuple[Method, ...] = ("expanded", "bca", "t")
    for method in methods:
        found = bootstrap(rows_of(np.ones(40)), None, mean, seed=1, method=method)
        assert (found.low, found.high) == (1.0, 1.0) and "no spread" in found.reason


def test_leaving_out_alike_clusters_counts_each() -> None:
    values = np.array([1.0, 1.0, 1.0, 4.0, 9.0])
    left = left_out(cluster_totals(rows_of(values), None), mean)
    assert left.sizes.sum() == 5 and left.values.size == 3
    assert left.standard_error == pytest.approx(stats.sem(values))
    gap = values - values.mean()
    wanted = (gap**3).sum() / (6 * (gap**2).sum() ** 1.5)
    assert left.acceleration == pytest.approx(wanted)


def test_misuse_has_a_mend() -> None:
    with pytest.raises(HarnessError) as caught:
        bootstrap(rows_of(SKEWED), None, mean, seed=1, method="wild")  # type: ignore[arg-type]
    assert "percentile" in caught.value.hint
    for share, df in ((0.0, 3), (1.0, 3), (0.5, 0), (math.nan, 3)):
        with pytest.raises(HarnessError):
            t_quantile(share, df)
