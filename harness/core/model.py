"""The protocol behind which every model stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harness.core.generation import Generation
from harness.core.request import Request


@dataclass(frozen=True, slots=True)
class Card:
    """What a model is and can take."""

    name: str
    """As the person wrote it: `openai:qwen@http://127.0.0.1:8000/v1`."""
    identity: str
    """All that determines its replies besides the request: weights' hash or endpoint and served model,
    revision, versions of server, tokenizer and decoder. Part of every request key."""
    max_images: int | None = None
    """Most pictures in one request; None means no known limit."""
    system_role: bool = True
    window: int = 16
    """How many requests it wants in flight."""
    details: Mapping[str, str] = field(default_factory=dict)
    """Facts for the manifest: revision, dtype, device, configuration hashes."""


class Model(Protocol):
    """An adapter: a card, and an async exchange of one Request for one Generation.

    `reply` never raises for a single bad request: it returns a failed Generation. It may raise HarnessError
    where no request can succeed (no such model, wrong key). Adapters that compute in batches gather
    concurrent calls themselves.
    """

    @property
    def card(self) -> Card: ...

    async def reply(self, request: Request) -> Generation: ...

    async def close(self) -> None: ...
