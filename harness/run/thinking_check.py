"""Check that the thinking of a cell fits its channel and token limit."""

from __future__ import annotations

from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.request import Sampling
from harness.core.thinking import OFF, thinking_budget

ROOM = 1024
"""Tokens of a reply under which thinking mostly leaves none for the answer."""


def check_thinking(cell: Cell, sampling: Sampling) -> None:
    """Raise HarnessError where a cell cannot think as it is asked to."""
    if cell.thinking in {"", OFF}:
        return
    if cell.channel == "logprob":
        raise HarnessError(
            f"--channel logprob scores the next tokens, so the model cannot reason first (thinking {cell.thinking})",
            hint="use --channel free or choice, or --thinking off",
        )
    budget = thinking_budget(cell.thinking)
    if budget is not None and budget >= sampling.max_tokens:
        raise HarnessError(
            f"{budget} tokens of thinking leave none for the answer of prompt {cell.prompt}, whose replies have at most "
            f"{sampling.max_tokens}",
            hint=f"--max-tokens {budget + max(256, sampling.max_tokens)}",
        )


def is_cramped(cell: Cell, sampling: Sampling) -> bool:
    """Whether a reply that is to think may well end at its token limit before it answers."""
    return cell.thinking not in {"", OFF} and sampling.max_tokens < ROOM
