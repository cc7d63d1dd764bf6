"""A request to a model, and its key."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

from harness.core.constraint import Constraint
from harness.core.loop import LentTools
from harness.core.message import Message, Part, Text, medium_word
from harness.core.tool import Offer


@dataclass(frozen=True, slots=True)
class Sampling:
    """Decoding parameters. Every one is sent and recorded, so no server default applies unseen."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    """0 means no limit."""
    repetition_penalty: float = 1.0
    seed: int = 0
    max_tokens: int = 256


@dataclass(frozen=True, slots=True)
class Request:
    """A rendered conversation with its sampling parameters, and what is wanted of the reply."""

    key: str
    """Hex digest of all that determines the reply; see `request_key`."""
    messages: tuple[Message, ...]
    sampling: Sampling
    constraint: Constraint | None = None
    """What the text is held to while it is generated."""
    candidates: tuple[str, ...] = ()
    """Replies whose log-probabilities are wanted instead of a text; empty for a text."""
    thinking: str = ""
    """How much the model is asked to think (`harness.core.thinking`); empty: as it does by itself."""
    detail: str = ""
    """How closely a server is asked to look at pictures; empty: nothing is said."""
    offer: Offer | None = None
    """Tools that the server is told apart from the conversation."""
    lent: LentTools | None = None
    """Tools that the model may call by itself before it replies."""
    adapter: str = ""
    """The fold whose adapter replies, of a model with one for each fold; empty: of any other."""


def request_key(
    messages: tuple[Message, ...],
    sampling: Sampling,
    *,
    model: str,
    repeat: int = 0,
    constraint: Constraint | None = None,
    candidates: tuple[str, ...] = (),
    thinking: str = "",
    detail: str = "",
    offer: Offer | None = None,
    lent: LentTools | None = None,
    adapter: str = "",
) -> str:
    """Hash of everything that determines a reply.

    `model` is the card's identity (weights or endpoint, revision, server and decoder versions).
    Pictures enter by the SHA-256 of the bytes that are sent, so that a changed file, frame choice or
    transform makes a new key and an untouched one does not; a video by its frames' and their times.
    """
    turns = [_turn(m) for m in messages]
    asked: list[Any] = [model, repeat, _parameters(sampling), turns]
    if constraint is not None:
        asked.append(["constraint", constraint.kind, constraint.choices, constraint.text])
    if candidates:
        asked.append(["candidates", candidates])
    if thinking:
        asked.append(["thinking", thinking])
    if detail:
        asked.append(["detail", detail])
    if offer is not None:
        asked.append(["tools", [dict(one) for one in offer.tools], offer.closed])
    if lent is not None:
        asked.append(["lent", lent.digest])
    if adapter:
        asked.append(["adapter", adapter])
    body = _COMPACT.encode(asked)
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _turn(message: Message) -> list[Any]:
    turn: list[Any] = [message.role, [_part(p) for p in message.parts]]
    if message.calls:
        turn.append([[one.id, one.name, one.arguments] for one in message.calls])
    return [*turn, message.answers] if message.answers else turn


def _part(part: Part) -> list[str]:
    if isinstance(part, Text):
        return ["t", part.text]
    return [medium_word(part)[0], part.digest]


def _parameters(sampling: Sampling) -> list[float]:
    return [getattr(sampling, name) for name in _SAMPLING_FIELDS]


_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_SAMPLING_FIELDS = tuple(field.name for field in fields(Sampling))


def make_request(
    messages: tuple[Message, ...],
    sampling: Sampling,
    *,
    model: str,
    repeat: int = 0,
    constraint: Constraint | None = None,
    candidates: tuple[str, ...] = (),
    thinking: str = "",
    detail: str = "",
    offer: Offer | None = None,
    lent: LentTools | None = None,
    adapter: str = "",
) -> Request:
    """A Request with its key."""
    key = request_key(
        messages, sampling, model=model, repeat=repeat, constraint=constraint, candidates=candidates,
        thinking=thinking, detail=detail, offer=offer, lent=lent, adapter=adapter,
    )  # fmt: skip
    return Request(
        key, messages, sampling, constraint, candidates, thinking, detail, offer, lent, adapter
    )
