"""Metrics as pure functions of additive rows, one family for each kind of field."""

from harness.metrics.build import METRICS, estimator, family_for, metrics_for
from harness.metrics.family import LOWER_IS_BETTER, Family, coverage, estimates, point, points
from harness.metrics.label import Confusion, LabelFamily, label_family
from harness.metrics.numbers import NumberFamily, number_family
from harness.metrics.sets import SetFamily, set_family
from harness.metrics.soft import SOFT_METRICS, SoftFamily, point_masses, soft_family
from harness.metrics.text import TextFamily, text_family

__all__ = [
    "LOWER_IS_BETTER",
    "METRICS",
    "SOFT_METRICS",
    "Confusion",
    "Family",
    "LabelFamily",
    "NumberFamily",
    "SetFamily",
    "SoftFamily",
    "TextFamily",
    "coverage",
    "estimates",
    "estimator",
    "family_for",
    "label_family",
    "metrics_for",
    "number_family",
    "point",
    "point_masses",
    "points",
    "set_family",
    "soft_family",
    "text_family",
]
