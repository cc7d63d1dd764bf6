"""Intervals, paired comparisons, rankings, power, agreement and variance components."""
