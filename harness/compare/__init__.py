"""Runs and prediction tables against each other, over the samples they share."""

from harness.compare.comparison import Comparison, Report
from harness.compare.contenders import Side, open_sides, run_side
from harness.compare.likeness import Among
from harness.compare.sweep import compare

__all__ = ["Among", "Comparison", "Report", "Side", "compare", "open_sides", "run_side"]
