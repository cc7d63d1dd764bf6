"""Adjusted p-values against statsmodels."""

from __future__ import annotations

import math
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from harness.core.errors import HarnessError
from harness.stats.multiple import benjamini_hochberg, holm


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_adjusted_values_are_those_of_statsmodels(p_values: list[float]) -> None:
    for ours, theirs in ((holm, "holm"), (benjamini_hochberg, "fdr_bh")):
        with patch(
            "gc.collect"
        ):  # which it calls each time: .8 s in a process that has loaded all of the project
            told = multipletests(p_values, method=theirs)[1]
        np.testing.assert_allclose(ours(p_values), told, atol=1e-300)  # below, floats are coarse


def test_what_was_not_tested_counts_for_nothing() -> None:
    found = holm([0.01, math.nan, 0.04])
    assert found[0] == pytest.approx(0.02) and math.isnan(found[1])
    assert found[2] == pytest.approx(0.04)
    assert holm([]).size == 0 and np.isnan(benjamini_hochberg([math.nan])).all()


@pytest.mark.parametrize("p_values", [[0.5, 1.2], [-0.1]])
def test_misuse_has_a_mend(p_values: list[float]) -> None:
    with pytest.raises(HarnessError) as caught:
        holm(p_values)
    assert caught.value.hint
