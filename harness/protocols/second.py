"""The answer of a second model as what a tool gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.core.message import Message
from harness.core.protocol import SECOND, Ask
from harness.core.tool import Observation
from harness.prompting.controls import neutralise

MOST = 500
"""Characters of the second model's answer that are told."""


def asking(seen: Observation, messages: Sequence[Message]) -> Ask:
    """The request to the second model: the prompt without tools, or that of the sample that stands in for this one."""
    return Ask(tuple(seen.question or messages), model=SECOND)


def answered(seen: Observation, reply: str) -> Observation:
    """What the model that called is told of the second model's reply."""
    said = " ".join(reply.split())[:MOST]
    text = f"A second model says: {said}" if said else "The second model gave no answer."
    return replace(
        seen, text=neutralise(text), status="ok" if said else "not-found", asks=False, question=None
    )
