"""Set metrics against scikit-learn's multilabel scores, and on empty sets and missing answers."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.preprocessing import MultiLabelBinarizer

from harness.core.errors import HarnessError
from harness.metrics import coverage, point, set_family

units = st.frozensets(st.sampled_from(["AU1", "AU4", "AU12", "AU25"]))
pairs = st.lists(st.tuples(units, units), min_size=1, max_size=25)
loose = st.lists(st.tuples(units, st.one_of(units, st.none())), min_size=1, max_size=25)


@given(pairs)
def test_agrees_with_scikit_learn(rows: list[tuple[frozenset[str], frozenset[str]]]) -> None:
    truth, predicted = [t for t, _ in rows], [p for _, p in rows]
    family = set_family(truth, list(predicted))
    coder = MultiLabelBinarizer(classes=["AU1", "AU4", "AU12", "AU25"]).fit([[]])
    x, y = coder.transform(truth), coder.transform(predicted)
    there = np.flatnonzero(x.any(axis=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        f1 = sk.f1_score(x, y, average="samples", zero_division=1.0)
        jaccard = sk.jaccard_score(x, y, average="samples", zero_division=1.0)
        micro = sk.f1_score(x, y, average="micro", zero_division=np.nan)
        macro = (
            sk.f1_score(x, y, labels=there, average="macro", zero_division=0)
            if there.size
            else math.nan
        )
    assert point(family, "set_f1") == pytest.approx(f1)
    assert point(family, "set_jaccard") == pytest.approx(jaccard)
    assert point(family, "micro_f1") == pytest.approx(micro, nan_ok=True)
    assert point(family, "macro_f1") == pytest.approx(macro, nan_ok=True)
    assert point(family, "exact_match") == pytest.approx(sk.accuracy_score(x, y))


NONE: frozenset[str] = frozenset()
GOLDEN = [
    # truth, predicted, set_f1, micro_f1, macro_f1, exact
    ([{"1", "2"}, {"1"}], [{"1"}, {"1"}], (2 / 3 + 1) / 2, 4 / 5, 0.5, 0.5),
    ([NONE], [NONE], 1.0, math.nan, math.nan, 1.0),
    ([NONE], [{"1"}], 0.0, 0.0, math.nan, 0.0),
    ([{"1"}], [NONE], 0.0, 0.0, 0.0, 0.0),
    ([{"1", "2"}], [None], 0.0, 0.0, 0.0, 0.0),
    ([NONE], [None], 0.0, math.nan, math.nan, 0.0),
    ([{"1"}, {"1"}], [{"1", "99"}, {"1"}], (2 / 3 + 1) / 2, 4 / 5, 1.0, 0.5),
]


@pytest.mark.parametrize(("truth", "predicted", "f1", "micro", "macro", "exact"), GOLDEN)
def test_golden(
    truth: list[set[str]],
    predicted: list[set[str] | None],
    f1: float,
    micro: float,
    macro: float,
    exact: float,
) -> None:
    family = set_family(
        [frozenset(t) for t in truth], [None if p is None else frozenset(p) for p in predicted]
    )
    assert point(family, "set_f1") == pytest.approx(f1)
    assert point(family, "micro_f1") == pytest.approx(micro, nan_ok=True)
    assert point(family, "macro_f1") == pytest.approx(macro, nan_ok=True)
    assert point(family, "exact_match") == pytest.approx(exact)


def test_a_missing_answer_is_a_miss_for_every_true_name() -> None:
    truth = [frozenset({"1", "2"}), frozenset({"1"})]
    missing = set_family(truth, [None, frozenset({"1"})])
    empty = set_family(truth, [frozenset(), frozenset({"1"})])
    for name in missing.metrics:
        assert point(missing, name) == point(empty, name)
    assert coverage(missing) == 0.5
    assert coverage(empty) == 1.0
    assert point(missing, "set_f1", select=missing.answered) == 1.0


@given(loose)
def test_bounds_order_and_sums(
    rows: list[tuple[frozenset[str], frozenset[str] | None]],
) -> None:
    family = set_family([t for t, _ in rows], [p for _, p in rows])
    turned = set_family([t for t, _ in rows[::-1]], [p for _, p in rows[::-1]])
    table = family.rows()
    for name in family.metrics:
        whole = point(family, name)
        assert math.isnan(whole) or 0 <= whole <= 1
        assert point(turned, name) == pytest.approx(whole, nan_ok=True)
        parts = table[:1].sum(axis=0) + table[1:].sum(axis=0)
        assert family.value(name, parts) == pytest.approx(whole, nan_ok=True)


def test_no_samples_and_misuse() -> None:
    empty = set_family([], [])
    assert all(math.isnan(point(empty, name)) for name in empty.metrics)
    assert math.isnan(coverage(empty))
    with pytest.raises(HarnessError, match="no metric 'uar'"):
        point(empty, "uar")
    with pytest.raises(HarnessError, match="0 truths but 1"):
        set_family([], [None])


def test_a_name_absent_from_a_slice_is_skipped() -> None:
    truth = [frozenset({"1"}), frozenset({"2"}), frozenset({"1"})]
    family = set_family(truth, [frozenset({"1", "2"}), frozenset({"2"}), None])
    no_two = np.array([True, False, True])
    assert point(family, "macro_f1") == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert point(family, "macro_f1", select=no_two) == pytest.approx(2 / 3)
    family = set_family(truth, [frozenset({"1"}), frozenset({"2"}), None])
    assert point(family, "macro_f1", select=no_two) == pytest.approx(2 / 3)


@given(loose)
def test_each_unit_is_a_yes_or_no_of_its_own(
    rows: list[tuple[frozenset[str], frozenset[str] | None]],
) -> None:
    """A missing answer is a miss of each true unit, which scikit-learn sees as an empty set."""
    truth, predicted = [t for t, _ in rows], [p for _, p in rows]
    family = set_family(truth, predicted)
    assert family.class_metrics == tuple(
        f"{metric}[{name}]" for name in family.names for metric in ("f1", "precision", "recall")
    )
    f1s = []
    for name in family.names:
        x = [name in t for t in truth]
        y = [p is not None and name in p for p in predicted]
        f1s.append(sk.f1_score(x, y, zero_division=0))
        assert point(family, f"f1[{name}]") == pytest.approx(f1s[-1])
        assert point(family, f"recall[{name}]") == pytest.approx(sk.recall_score(x, y))
        if any(y):
            assert point(family, f"precision[{name}]") == pytest.approx(sk.precision_score(x, y))
        else:
            assert math.isnan(point(family, f"precision[{name}]"))
    if f1s:
        assert point(family, "macro_f1") == pytest.approx(np.mean(f1s))


def test_a_unit_outside_the_truth_has_no_score() -> None:
    family = set_family([frozenset({"AU1"})], [frozenset({"AU2"})])
    with pytest.raises(HarnessError, match="no metric"):
        point(family, "f1[AU2]")
