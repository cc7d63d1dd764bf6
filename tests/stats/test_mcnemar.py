"""The exact McNemar test against statsmodels and scipy, and its error rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_of_statsmodels

from harness.stats.mcnemar import mcnemar


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_that_of_statsmodels(b: int, c: int) -> None:
    wanted = mcnemar_of_statsmodels([[7, b], [c, 9]], exact=True).pvalue
    assert mcnemar(b, c) == pytest.approx(wanted, rel=1e-9)


def test_mcnemar_of_many_pairs() -> None:
    wanted = stats.binomtest(50_000, 100_600).pvalue
    assert mcnemar(50_000, 50_600) == pytest.approx(wanted, rel=1e-8)
    assert mcnemar(0, 5000) == 0.0 and mcnemar(0, 0) == 1.0


def test_mcnemar_keeps_its_level() -> None:
    generator = np.random.default_rng(0)
    counts = generator.multinomial(600, [0.15, 0.15, 0.7], size=4000)
    rejected = np.mean([mcnemar(int(b), int(c)) <= 0.05 for b, c, _ in counts])
    assert 0.03 <= rejected <= 0.07
