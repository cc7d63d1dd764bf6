"""Label metrics against scikit-learn and audmetric, and on the cases where libraries disagree."""

from __future__ import annotations

import math
import warnings

import audmetric
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from harness.core.errors import HarnessError
from harness.metrics import estimates, find_metric, label_family, point

MISS = "\x00miss"
labels = st.sampled_from(["anger", "fear", "joy", "[odd]"])
answers = st.one_of(labels, st.none(), st.just("contempt"))
pairs = st.lists(st.tuples(labels, answers), min_size=1, max_size=40)


def split(rows: list[tuple[str, str | None]]) -> tuple[list[str], list[str | None]]:
    return [t for t, _ in rows], [p for _, p in rows]


@given(pairs)
def test_agrees_with_scikit_learn_on_the_classes_of_the_truth(
    rows: list[tuple[str, str | None]],
) -> None:
    truth, predicted = split(rows)
    family = label_family(truth, predicted)
    written = [MISS if p is None or p not in set(truth) else p for p in predicted]
    classes = sorted(set(truth))
    oracle = {
        "accuracy": sk.accuracy_score(truth, written),
        "war": sk.recall_score(truth, written, labels=classes, average="weighted", zero_division=0),
        "uar": sk.recall_score(truth, written, labels=classes, average="macro", zero_division=0),
        "macro_f1": sk.f1_score(truth, written, labels=classes, average="macro", zero_division=0),
        "uf1": sk.f1_score(truth, written, labels=classes, average="macro", zero_division=0),
        "weighted_f1": sk.f1_score(
            truth, written, labels=classes, average="weighted", zero_division=0
        ),
    }
    for name, expected in oracle.items():
        assert point(family, name) == pytest.approx(expected, abs=1e-12), name
    per_class = sk.recall_score(truth, written, labels=classes, average=None, zero_division=0)
    for label, expected in zip(classes, per_class, strict=True):
        assert point(family, f"recall[{label}]") == pytest.approx(expected)
    named = [label for label in classes if label in written]
    precision = sk.precision_score(truth, written, labels=classes, average=None, zero_division=0)
    for label, expected in zip(classes, precision, strict=True):
        ours = point(family, f"precision[{label}]")
        assert ours == pytest.approx(expected) if label in named else math.isnan(ours)


@given(st.lists(st.tuples(labels, labels), min_size=1, max_size=40))
def test_agrees_with_audmetric_and_balanced_accuracy(rows: list[tuple[str, str]]) -> None:
    truth, predicted = [t for t, _ in rows], [p for _, p in rows]
    uar = point(label_family(truth, list(predicted)), "uar")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn remarks on classes absent from the truth
        balanced = sk.balanced_accuracy_score(truth, predicted)
    assert uar == pytest.approx(balanced)
    if set(predicted) <= set(truth):
        theirs = audmetric.unweighted_average_recall(truth, predicted, labels=sorted(set(truth)))
        assert uar == pytest.approx(theirs)


@given(st.lists(st.tuples(labels, st.one_of(labels, st.none())), min_size=2, max_size=40))
def test_kappa_agrees_with_scikit_learn(rows: list[tuple[str, str | None]]) -> None:
    truth, predicted = split(rows)
    written = [MISS if p is None else p for p in predicted]
    ours = point(label_family(truth, predicted), "kappa")
    if len(set(truth) | set(written)) == 1:
        assert math.isnan(ours)
    else:
        assert ours == pytest.approx(sk.cohen_kappa_score(truth, written))


@given(st.lists(st.tuples(labels, st.one_of(labels, st.none())), min_size=2, max_size=40))
def test_mcc_agrees_with_scikit_learn(rows: list[tuple[str, str | None]]) -> None:
    truth, predicted = split(rows)
    strays = {p for p in predicted if p is not None} - set(truth)
    written = [MISS if p is None or p in strays else p for p in predicted]
    ours = point(label_family(truth, predicted), "mcc")
    if len(set(truth)) == 1:
        assert math.isnan(ours)  # scikit-learn says 0, as of answers that are all one
    else:
        assert ours == pytest.approx(sk.matthews_corrcoef(truth, written), abs=1e-12)


GOLDEN = [
    # truth, predicted, uar, uf1, accuracy
    (["a", "b"], ["a", "b"], 1.0, 1.0, 1.0),
    (["a", "b"], [None, None], 0.0, 0.0, 0.0),
    (["a", "a", "b"], ["a", "a", "a"], 0.5, 0.4, 2 / 3),
    # The stray answer is a miss for b and neither a class nor anyone's false positive.
    (["a", "b", "b"], ["a", "b", "zebra"], 0.75, (1 + 2 / 3) / 2, 2 / 3),
    (["a", "b", "b"], ["a", "b", None], 0.75, (1 + 2 / 3) / 2, 2 / 3),
    (["a"], ["a"], 1.0, 1.0, 1.0),
    (["a"], [None], 0.0, 0.0, 0.0),
]


@pytest.mark.parametrize(("truth", "predicted", "uar", "uf1", "accuracy"), GOLDEN)
def test_golden(
    truth: list[str], predicted: list[str | None], uar: float, uf1: float, accuracy: float
) -> None:
    family = label_family(truth, predicted)
    assert point(family, "uar") == pytest.approx(uar)
    assert point(family, "uf1") == pytest.approx(uf1)
    assert point(family, "accuracy") == pytest.approx(accuracy)


def test_a_stray_answer_leaves_the_class_set_alone() -> None:
    truth = ["neg"] * 6 + ["pos"] * 4 + ["sur"] * 4
    right = list(truth)
    stray = ["neg"] * 5 + ["confused"] + truth[6:]
    family = label_family(truth, stray)
    assert family.classes == ("neg", "pos", "sur")
    assert point(family, "uar") == pytest.approx((5 / 6 + 1 + 1) / 3)
    # The default of scikit-learn would divide by four classes instead.
    assert sk.recall_score(truth, stray, average="macro", zero_division=0) < 0.75
    assert point(label_family(truth, right), "uar") == 1.0


def test_a_class_absent_from_a_slice_is_skipped_and_counted() -> None:
    family = label_family(["a", "a", "b"], ["a", "b", "b"])
    only_a = np.array([True, True, False])
    assert point(family, "uar", select=only_a) == pytest.approx(0.5)
    assert point(family, "uf1", select=only_a) == pytest.approx(2 / 3)
    assert math.isnan(point(family, "recall[b]", select=only_a))
    assert math.isnan(point(family, "f1[b]", select=only_a))
    assert family.present(family.rows().sum(axis=0)) == 2
    assert family.present(family.rows()[only_a].sum(axis=0)) == 1


def test_answered_only_drops_missing_answers_but_not_stray_ones() -> None:
    family = label_family(["a", "b", "b", "a"], ["a", None, "zebra", None])
    assert family.answered.tolist() == [True, False, True, False]
    assert point(family, "accuracy") == pytest.approx(0.25)
    assert point(family, "accuracy", select=family.answered) == pytest.approx(0.5)


def test_confusion_has_a_column_for_what_is_no_class() -> None:
    family = label_family(["b", "a", "b", "b"], ["b", None, "a", "zebra"], classes=["b", "a", "c"])
    table = family.confusion()
    assert table.classes == ("b", "a")
    assert table.counts.tolist() == [[1, 1, 1], [0, 0, 1]]
    assert family.confusion(select=family.answered).counts.sum() == 3


@given(pairs, st.integers(0, 2**32 - 1))
def test_order_does_not_matter_and_rows_add_up(
    rows: list[tuple[str, str | None]], seed: int
) -> None:
    truth, predicted = split(rows)
    family = label_family(truth, predicted)
    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = label_family([truth[i] for i in order], [predicted[i] for i in order])
    table = family.rows()
    half = len(rows) // 2
    for name in (*family.metrics, *family.class_metrics):
        whole = point(family, name)
        assert point(shuffled, name) == pytest.approx(whole, nan_ok=True)
        parts = table[:half].sum(axis=0) + table[half:].sum(axis=0)
        assert family.value(name, parts) == pytest.approx(whole, nan_ok=True)
        assert family.value(name, np.ones(len(rows)) @ table) == pytest.approx(whole, nan_ok=True)
        low, high = find_metric(name, "label").range
        assert math.isnan(whole) or low - 1e-12 <= whole <= high + 1e-12
        same = find_metric(name, "label").same_as
        assert not same or point(family, same) == pytest.approx(whole, nan_ok=True)


@given(pairs)
def test_leading_axes_are_computed_at_once(rows: list[tuple[str, str | None]]) -> None:
    family = label_family(*split(rows))
    table = family.rows()
    totals = np.stack([table.sum(axis=0), table[:1].sum(axis=0), np.zeros(table.shape[1])])
    for value in estimates(family).values():
        together = value(totals[None])
        assert together.shape == (1, 3)
        alone = [float(value(row)) for row in totals]
        np.testing.assert_allclose(together[0], alone)
        assert math.isnan(alone[2])


def test_no_samples_is_undefined_not_a_crash() -> None:
    family = label_family([], [])
    assert all(math.isnan(point(family, name)) for name in family.metrics)
    assert family.confusion().counts.shape == (0, 1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: label_family(["a"], []), "1 truths but 0 predictions"),
        (lambda: label_family(["a"], ["a"], classes=["b"]), "'a'"),
        (lambda: label_family(["a"], ["a"], classes=["a", "a"]), "twice"),
        (lambda: point(label_family(["a"], ["a"]), "auc"), "auc"),
        (lambda: point(label_family(["a"], ["a"]), "recall[z]"), r"recall\[z\]"),
        (lambda: label_family(["a"], ["a"]).value("uar", np.zeros(5)), "last axis must be 2"),
    ],
)
def test_misuse_names_the_thing(call: object, words: str) -> None:
    with pytest.raises(HarnessError, match=words) as caught:
        call()  # type: ignore[operator]
    assert caught.value.hint
