"""What is asked of a model, and the key that names it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields

from harness.core.message import Message, Text


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
    """A rendered conversation with its sampling parameters."""

    key: str
    """Hex digest of all that determines the reply; see `request_key`."""
    messages: tuple[Message, ...]
    sampling: Sampling


def request_key(
    messages: tuple[Message, ...], sampling: Sampling, *, model: str, repeat: int = 0
) -> str:
    """Hash of everything that determines a reply.

    `model` is the card's identity (weights or endpoint, revision, server and decoder versions).
    Pictures enter by the SHA-256 of the bytes that are sent, so that a changed file, frame choice or
    transform makes a new key and an untouched one does not.
    """
    turns = [
        [m.role, [["t", p.text] if isinstance(p, Text) else ["i", p.digest] for p in m.parts]]
        for m in messages
    ]
    body = json.dumps(
        [model, repeat, _parameters(sampling), turns], ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _parameters(sampling: Sampling) -> list[float]:
    return [getattr(sampling, name) for name in _SAMPLING_FIELDS]


_SAMPLING_FIELDS = tuple(field.name for field in fields(Sampling))


def make_request(
    messages: tuple[Message, ...], sampling: Sampling, *, model: str, repeat: int = 0
) -> Request:
    """A Request with its key."""
    return Request(request_key(messages, sampling, model=model, repeat=repeat), messages, sampling)
