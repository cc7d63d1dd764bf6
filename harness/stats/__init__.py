"""Intervals, paired comparisons, rankings, power, agreement and variance components."""

from harness.stats.agreement import (
    Agreement,
    Flips,
    Spread,
    cohen_kappa,
    fleiss_kappa,
    flips,
    krippendorff_alpha,
    spread,
)
from harness.stats.bootstraps import (
    Choice,
    Resampled,
    bootstrap,
    bootstrap_each,
    bootstrap_many,
    difference_interval,
)
from harness.stats.bounds import Method
from harness.stats.components import Component, Components, variance_components
from harness.stats.coverage import small_sample_coverage
from harness.stats.interval import Interval, wilson
from harness.stats.mcnemar import mcnemar
from harness.stats.multiple import benjamini_hochberg, holm
from harness.stats.paired import (
    PairedDifference,
    PairedTest,
    Tested,
    difference_test,
    paired,
)
from harness.stats.power import (
    Power,
    Prospect,
    intraclass_correlation,
    minimum_difference,
    prospect,
    sample_size,
)
from harness.stats.rank import Pairing, Ranked, Ranking, rank
from harness.stats.resample import ClusterTotals, cluster_totals, resamples
from harness.stats.rows import CodedRows
from harness.stats.scored import Scored, side_by_side
from harness.stats.signflip import SignFlip, sign_flip

__all__ = [
    "Agreement",
    "Choice",
    "ClusterTotals",
    "CodedRows",
    "Component",
    "Components",
    "Flips",
    "Interval",
    "Method",
    "PairedDifference",
    "PairedTest",
    "Pairing",
    "Power",
    "Prospect",
    "Ranked",
    "Ranking",
    "Resampled",
    "Scored",
    "SignFlip",
    "Spread",
    "Tested",
    "benjamini_hochberg",
    "bootstrap",
    "bootstrap_each",
    "bootstrap_many",
    "cluster_totals",
    "cohen_kappa",
    "difference_interval",
    "difference_test",
    "fleiss_kappa",
    "flips",
    "holm",
    "intraclass_correlation",
    "krippendorff_alpha",
    "mcnemar",
    "minimum_difference",
    "paired",
    "prospect",
    "rank",
    "resamples",
    "sample_size",
    "side_by_side",
    "sign_flip",
    "small_sample_coverage",
    "spread",
    "variance_components",
    "wilson",
]
