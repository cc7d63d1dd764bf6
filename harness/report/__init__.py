"""A scored run as a page, a terminal table, and JSON. Reads the run folder only."""

from harness.report.page import write_report
from harness.report.terminal import print_plan, print_scores, scores_json

__all__ = ["print_plan", "print_scores", "scores_json", "write_report"]
