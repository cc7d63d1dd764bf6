"""Concordance against all pairs one by one, its closed form, and the coverage of its interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from harness.stats.concordance import concordance

people = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 4), st.integers(0, 1)),
    min_size=2,
    max_size=25,
)


@given(people)
def test_agrees_with_all_pairs(rows: list[tuple[int, bool, int, int]]) -> None:
    good = pairs = 0.0
    for i, (t, e, r, g) in enumerate(rows):
        for j, (u, f, s, h) in enumerate(rows):
            if i != j and g == h and e and (t < u or (t == u and not f)):
                pairs += 1
                good += 1.0 if r > s else 0.5 if r == s else 0.0
    time, event, risk, group = (np.array(column) for column in zip(*rows, strict=True))
    found = concordance(time.astype(float), event.astype(bool), risk.astype(float), strata=group)
    assert found.pairs == pairs
    assert found.value == pytest.approx(good / pairs) if pairs else math.isnan(found.value)


def test_equals_its_closed_form_and_the_interval_covers_it() -> None:
    """Exponential times with hazard exp(beta r), r normal: P(concordant) = E 1 / (1 + exp(-beta |r - r'|))."""
    beta = 0.7
    wanted, _ = integrate.quad(
        lambda d: 2 * stats.norm.pdf(d, scale=math.sqrt(2)) / (1 + math.exp(-beta * d)), 0, 20
    )
    rng = np.random.default_rng(3)
    inside = []
    for _ in range(40):
        risk = rng.normal(size=200)
        time = rng.exponential(1 / np.exp(beta * risk))
        found = concordance(time, np.ones(200, dtype=bool), risk)
        inside.append(found.low <= wanted <= found.high)
    large = rng.normal(size=3000)
    time = rng.exponential(1 / np.exp(beta * large))
    assert concordance(time, np.ones(3000, dtype=bool), large).value == pytest.approx(
        wanted, abs=0.012
    )
    assert sum(inside) >= 34
