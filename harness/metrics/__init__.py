"""Metrics as pure functions of additive rows, one family for each kind of field; see :mod:`harness.metrics.metric`."""

from harness.metrics.build import (
    check_metrics,
    describe_metrics,
    estimator,
    family_for,
    main_metric,
    metric_of,
    metrics_for,
)
from harness.metrics.family import MetricFamily, coverage, estimates, point, points
from harness.metrics.label import Confusion, LabelFamily, label_family
from harness.metrics.metric import (
    Metric,
    every_metric,
    find_metric,
    metrics_of,
    missing_said,
    named,
    titled,
)
from harness.metrics.numbers import NumberFamily, number_family
from harness.metrics.sets import SetFamily, set_family
from harness.metrics.soft import SoftFamily, point_masses, soft_family
from harness.metrics.text import TextFamily, text_family

__all__ = [
    "Confusion",
    "LabelFamily",
    "Metric",
    "MetricFamily",
    "NumberFamily",
    "SetFamily",
    "SoftFamily",
    "TextFamily",
    "check_metrics",
    "coverage",
    "describe_metrics",
    "estimates",
    "estimator",
    "every_metric",
    "family_for",
    "find_metric",
    "label_family",
    "main_metric",
    "metric_of",
    "metrics_for",
    "metrics_of",
    "missing_said",
    "named",
    "number_family",
    "point",
    "point_masses",
    "points",
    "set_family",
    "soft_family",
    "text_family",
    "titled",
]
