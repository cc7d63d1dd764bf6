"""Turn a run folder into records and score tables. Needs no model and no network; the output is deterministic."""

from harness.score.folder import score_run
from harness.score.scores import Scores, read_scores
from harness.score.table import ScoreRow

__all__ = ["ScoreRow", "Scores", "read_scores", "score_run"]
