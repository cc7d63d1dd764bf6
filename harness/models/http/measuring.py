"""Count the tokens of a request with the server's own tokenizer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from harness.core.message import Message, Text
from harness.core.model import Measured
from harness.core.request import Request


async def measure_text(
    request: Request,
    details: Mapping[str, str],
    tokenize: Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]],
) -> Measured | None:
    """The tokens of the text alone, so that there are at least as many; None where the server has no tokenizer, or tells
    no `max_model_len` among its `details`."""
    longest = details.get("max_model_len")
    if not longest:
        return None
    told = await tokenize({"messages": _texts(request.messages), "add_generation_prompt": True})
    count = told.get("count")
    return Measured(count, int(longest)) if isinstance(count, int) else None


def _texts(messages: Sequence[Message]) -> list[dict[str, str]]:
    """The turns as JSON without their pictures and videos."""
    return [
        {"role": m.role, "content": "".join(p.text for p in m.parts if isinstance(p, Text))}
        for m in messages
    ]
