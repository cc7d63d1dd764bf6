"""A run folder in, records and score tables out. Needs no model, no network, and gives the same bytes each time."""

from harness.score.folder import score_run
from harness.score.scores import Scores, read_scores
from harness.score.table import ScoreRow

__all__ = ["ScoreRow", "Scores", "read_scores", "score_run"]
