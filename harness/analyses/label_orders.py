"""Effect of the label order in a prompt on the answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import has_scores
from harness.analyses.rows.label_orders import order_effects, order_lines
from harness.core.blocks import Block, Lines
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    return order_effects(answers.records, answers.groups, answers.cells, seed=answers.seed)


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    if rows:
        yield Lines(lines=tuple(order_lines({"label_orders": rows})))


ANALYSIS = ShippedAnalysis(
    name="label-orders",
    title="Label order",
    about="label fields run with several label orders: accuracy under all orders, and answers "
    "by position in the list",
    applies=has_scores,
    compute=_compute,
    blocks=_blocks,
    key="label_orders",
    in_task=True,
    order=18,
)
