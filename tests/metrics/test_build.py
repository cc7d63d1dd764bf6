"""From field kinds to families; exact match of texts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.metrics import (
    LabelFamily,
    estimator,
    every_metric,
    family_for,
    metrics_for,
    point,
    points,
    text_family,
)


@pytest.mark.parametrize(
    ("field", "truth", "predicted", "metric", "expected"),
    [
        (FieldSpec(kind="label", labels=("b", "a")), ["a", "b"], ["a", None], "uar", 0.5),
        (FieldSpec(kind="label"), ["a", "b"], ["a", "b"], "uf1", 1.0),
        (FieldSpec(kind="yes-no"), [True, "no"], [True, False], "accuracy", 1.0),
        (FieldSpec(kind="yes-no"), ["yes", False], [None, "yes"], "accuracy", 0.0),
        (FieldSpec(kind="set"), [("AU1",), ()], [("AU1", "AU4"), ()], "set_f1", 5 / 6),
        (FieldSpec(kind="number", low=0, high=10), [3, 5.0], [4, 5], "mae", 0.5),
        (FieldSpec(kind="text"), ["A  smile"], ["a smile\n"], "exact_match", 1.0),
    ],
)
def test_each_kind_is_scored(
    field: FieldSpec, truth: list[object], predicted: list[object], metric: str, expected: float
) -> None:
    family = family_for(field, truth, predicted)  # type: ignore[arg-type]
    assert point(family, metric) == pytest.approx(expected)
    assert set(family.metrics) <= set(metrics_for(field.kind))
    assert set(field.shown_metrics) <= set(family.metrics)


def test_the_order_of_the_labels_is_that_of_the_field() -> None:
    field = FieldSpec(kind="label", labels=("joy", "fear", "anger"))
    family = family_for(field, ["anger", "joy"], ["joy", "joy"])
    assert isinstance(family, LabelFamily)
    assert family.classes == ("joy", "anger")


@pytest.mark.parametrize(
    ("kind", "truth"), [("label", 3), ("number", "3"), ("number", True), ("set", "AU1")]
)
def test_a_value_of_another_kind_is_refused_by_position(kind: str, truth: object) -> None:
    field = FieldSpec(kind=kind)
    with pytest.raises(HarnessError, match="of sample 0 is not") as caught:
        family_for(field, [truth], [None])  # type: ignore[list-item]
    assert caught.value.hint


def test_every_metric_says_how_it_is_computed() -> None:
    for metric in every_metric():
        assert len(metric.estimator) > 10 and metric.title
    assert "population" in estimator("number", "ccc")
    assert "one class" in estimator("label", "recall[anger]")
    with pytest.raises(HarnessError, match="set_f1"):
        estimator("label", "set_f1")


@pytest.mark.parametrize(
    ("truth", "given", "same"),
    [
        ("Anger", " anger ", True),
        ("raised  brow", "Raised\tbrow\n", True),
        ("Straße", "STRASSE", True),
        ("ﬁne", "fine", True),
        ("anger", "anger.", False),
        ("", "", True),
        ("", None, False),
        ("anger", "danger", False),
    ],
)
def test_exact_match_forgives_case_and_space_only(
    truth: str, given: str | None, same: bool
) -> None:
    family = text_family([truth], [given])
    assert point(family, "exact_match") == float(same)
    assert family.answered.tolist() == [given is not None]


def test_text_edges() -> None:
    assert math.isnan(point(text_family([], []), "exact_match"))
    with pytest.raises(HarnessError, match="bleu"):
        text_family(["a"], ["a"]).value("bleu", np.zeros(2))


def test_points_reads_all_metrics_off_one_sum() -> None:
    family = family_for(FieldSpec(kind="label"), ["a", "b", "b"], ["a", "a", None])
    assert points(family) == {name: point(family, name) for name in family.metrics}
    chosen = points(family, ["accuracy"], select=np.array([True, False, False]))
    assert chosen == {"accuracy": 1.0}
