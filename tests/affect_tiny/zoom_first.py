"""A scripted agent with the eyes of affect-tiny: it looks at the face, then judges what it was shown last."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.core.generation import Generation
from harness.core.message import Image, Message, Text
from harness.core.model import Card, Model
from harness.core.request import Request

ASKED = "Choose one: "


@dataclass
class ZoomFirst:
    """Calls zoom on the face; where it is shown a picture again, that one alone is judged."""

    inner: Model

    @property
    def card(self) -> Card:
        return replace(self.inner.card, name="zoom-first", identity="zoom-first")

    async def reply(self, request: Request) -> Generation:
        text = "".join(message.text for message in request.messages)
        turns = sum(message.role == "assistant" for message in request.messages)
        if not turns and "<tool_call>" in text:
            call = '<tool_call>{"name": "zoom", "arguments": {"region": "face"}}</tool_call>'
            return Generation(request.key, call, "stop")
        shown = [p for m in request.messages for p in m.parts if isinstance(p, Image)]
        labels = text.partition(ASKED)[2].partition(".")[0]
        ask = f"\nWhich emotion does this face express: {labels}? Answer with one word from this list."
        system = request.messages[0]
        plain = (system, Message("user", (shown[-1], Text(ask))))
        return await self.inner.reply(replace(request, messages=plain))

    async def close(self) -> None:
        await self.inner.close()
