"""Compare runs and tables of predictions on the samples they share."""

from harness.compare.all_pairs import compare
from harness.compare.candidates import Side, open_sides, run_side
from harness.compare.comparability import Among
from harness.compare.comparison import Comparison, Report

__all__ = ["Among", "Comparison", "Report", "Side", "compare", "open_sides", "run_side"]
