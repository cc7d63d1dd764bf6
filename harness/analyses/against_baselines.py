"""The main metric of each field minus that of the baselines, with paired intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.analyses.keys import has_scores
from harness.analyses.rows.against_baselines import against_baselines
from harness.core.blocks import Block
from harness.score.analysis import ScoredTask, ShippedAnalysis

KEY = "against_baselines"
"""Its rows in scores.json; the summary of the page reads them."""


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Sequence[Block]:
    return ()


ANALYSIS = ShippedAnalysis(
    name="against-baselines",
    title="Against the baselines",
    about="the main metric of each field less that of the majority answer and of guessing, with paired intervals, and "
    "whether the model is shown to be better",
    applies=has_scores,
    compute=against_baselines,
    blocks=_blocks,
    key=KEY,
)
