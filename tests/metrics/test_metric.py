"""What a metric says of itself, and how one is found by name."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.kind import KINDS, kind_named
from harness.metrics import (
    Metric,
    check_metrics,
    every_metric,
    find_metric,
    metric_of,
    metrics_for,
    named,
)

LABEL = FieldSpec(kind="label", labels=("a", "b"))


def test_every_metric_is_told_whole() -> None:
    found = every_metric()
    assert len({(m.needs, m.name) for m in found}) == len(found)
    for metric in found:
        assert metric.title and metric.estimator and metric.range[0] < metric.range[1]
        assert metric.formula and metric.source, metric.name
        assert (
            not metric.same_as or find_metric(metric.same_as, metric.needs).better == metric.better
        )


@pytest.mark.parametrize("kind", KINDS.builtin)
def test_a_kind_is_scored_by_metrics_that_are_there(kind: str) -> None:
    known = metrics_for(kind)
    assert set(kind_named(kind).metrics) <= set(known)
    assert kind_named(kind).main in {"", *kind_named(kind).metrics}


@pytest.mark.parametrize(
    ("name", "needs", "title", "better"),
    [
        ("uar", "label", "UAR", "higher"), ("uar_answered", "label", "UAR", "higher"),
        ("recall[a]", "label", "recall", "higher"), ("f1[AU12]_answered", "set", "F1", "higher"),
        ("rmse", "number", "RMSE", "lower"), ("accuracy", "number", "Accuracy", "higher"),
        ("js", "soft", "JS", "lower"), ("brier", "probability", "Brier score", "lower"),
        ("expected_accuracy@2", "soft", "Exp. acc. @2", "higher"),
        ("tp_spotting", "spotting", "TP", "none"),
    ],
)  # fmt: skip
def test_found_by_name(name: str, needs: str, title: str, better: str) -> None:
    metric = find_metric(name, needs)
    assert (metric.title, metric.better) == (title, better)
    assert named(name, needs) is metric


@pytest.mark.parametrize(
    ("name", "near"),
    [("accurcy", "accuracy"), ("UAR", "choose from"), ("recal[a]", "recall"), ("recall", "recall")],
)
def test_an_unknown_name_lists_near_ones(name: str, near: str) -> None:
    with pytest.raises(HarnessError, match="no metric") as caught:
        find_metric(name, "label")
    assert near in caught.value.hint and "uf1" in caught.value.hint


def test_a_field_with_an_unknown_metric_is_refused_where_it_stands() -> None:
    spec = LABEL.model_copy(update={"metrics": ("uar", "kapa")})
    with pytest.raises(HarnessError, match=r"tasks/x.yaml:7: no metric 'kapa'") as caught:
        check_metrics(spec, where="tasks/x.yaml:7")
    assert "did you mean kappa?" in caught.value.hint
    check_metrics(LABEL, where="nowhere")


def test_the_same_name_may_mean_two_things_to_two_kinds() -> None:
    number = FieldSpec(kind="number")
    assert metric_of(LABEL, "accuracy").estimator != metric_of(number, "accuracy").estimator


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a b"}, {"better": "up"}, {"range": (1.0, 1.0)}, {"range": (math.nan, 1.0)},
        {"range": (2.0, 1.0)},
    ],
)  # fmt: skip
def test_a_metric_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    fields = {"name": "m", "title": "M", "needs": "label", "estimator": "..."} | wrong
    with pytest.raises(ValueError, match="metric"):
        Metric(**fields)  # type: ignore[arg-type]


def test_a_metric_with_values_of_another_shape_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.metrics import family, label_family

    odd = Metric(
        name="odd", title="odd", needs="label", estimator="...",
        compute=lambda family, totals: totals,
    )  # fmt: skip
    monkeypatch.setattr(family, "find_metric", lambda name, needs: odd)
    found = label_family(["a", "b"], ["a", None])
    with pytest.raises(HarnessError, match="metric odd returns values of shape"):
        found.value("odd", np.asarray(found.rows().sum(axis=0)))
