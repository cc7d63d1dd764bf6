"""Intervals from resampled sufficient statistics."""

from harness.stats.coverage import small_sample_coverage
from harness.stats.interval import Interval, bootstrap, bootstrap_many, wilson
from harness.stats.resample import ClusterTotals, cluster_totals, resamples

__all__ = [
    "ClusterTotals",
    "Interval",
    "bootstrap",
    "bootstrap_many",
    "cluster_totals",
    "resamples",
    "small_sample_coverage",
    "wilson",
]
