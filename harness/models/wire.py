"""The chat-completions body and its reply, as bytes."""

from __future__ import annotations

import json
import re
from binascii import b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from harness.core.generation import Finish, Usage
from harness.core.message import Image, Message, Text, Video
from harness.core.request import Request, Sampling

NEUTRAL: Mapping[str, float] = {
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": -1,
    "repetition_penalty": 1.0,
}
"""Values at which leaving a parameter out changes nothing on a server whose default it is."""

PARAMETERS = (*NEUTRAL, "seed", "max_tokens")
"""All that Sampling holds, as it is spelt on the wire."""

_FINISH: dict[str, Finish] = {"length": "length", "content_filter": "filtered"}


class BadReply(ValueError):
    """The body is not a chat completion."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A chat completion, read."""

    text: str
    finish: Finish
    usage: Usage
    body: Mapping[str, Any] = field(default_factory=dict)
    """The whole reply as the server wrote it."""
    latency: float = 0.0
    """Seconds from sending to the last byte."""


def parameters(sampling: Sampling) -> dict[str, float | int]:
    """Every sampling parameter under its name on the wire. No limit on k is -1: all servers take that."""
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k or -1,
        "repetition_penalty": sampling.repetition_penalty,
        "seed": sampling.seed,
        "max_tokens": sampling.max_tokens,
    }


def encode(
    request: Request,
    *,
    model: str,
    dropped: frozenset[str] = frozenset(),
    extra: Mapping[str, Any] | None = None,
) -> bytes:
    """The body to post. Pictures go in as data URLs of their own bytes, a video as one of its frames' (the times of
    the frames are a matter of `extra`, see `harness.models.film`).

    Written piece by piece: `json.dumps` over the base64 would scan and copy every picture again.
    `dropped` names parameters that the server refused; `max_tokens` is renamed, not left out. `extra` is
    added at the top, such as a constraint in the server's spelling; no name in it is a parameter's.
    """
    pieces = [_head(model, request.sampling, dropped)]
    if extra:
        pieces.append(b", " + json.dumps(extra)[1:-1].encode())
    pieces.append(b', "messages": [')
    for i, message in enumerate(request.messages):
        pieces.append(
            b'%s{"role": "%s", "content": ' % (b", " if i else b"", message.role.encode())
        )
        _content(message, pieces)
        pieces.append(b"}")
    pieces.append(b"]}")
    return b"".join(pieces)


@lru_cache(maxsize=8)
def _head(model: str, sampling: Sampling, dropped: frozenset[str]) -> bytes:
    """The start of a body, which all requests of a cell share."""
    head: dict[str, Any] = {"model": model, **parameters(sampling)}
    for name in dropped:
        value = head.pop(name)
        if name == "max_tokens":
            head["max_completion_tokens"] = value
    return json.dumps(head)[:-1].encode()


def _content(message: Message, pieces: list[bytes]) -> None:
    """Append a turn's content: a string if it holds no picture, else parts in order.

    Neighbouring texts become one part, since servers that flatten parts put a line break between them.
    """
    if all(isinstance(part, Text) for part in message.parts):
        pieces.append(_quoted(message.text))
        return
    text, comma = "", b"["
    for part in (*message.parts, None):
        if isinstance(part, Text):
            text += part.text
            continue
        if text:
            pieces.append(b'%s{"type": "text", "text": %s}' % (comma, _quoted(text)))
            text, comma = "", b", "
        if part is not None:
            _url(part, comma, pieces)
            comma = b", "
    pieces.append(b"]")


def _url(part: Image | Video, comma: bytes, pieces: list[bytes]) -> None:
    """Append a picture or a video as a part of its own."""
    kind, mime, frames = (
        (b"image_url", part.mime.encode(), (part,))
        if isinstance(part, Image)
        else (b"video_url", b"video/jpeg", part.frames)
    )
    pieces.append(b'%s{"type": "%s", "%s": {"url": "data:%s;base64,' % (comma, kind, kind, mime))
    for number, frame in enumerate(frames):
        pieces += [b","] if number else []
        pieces.append(b2a_base64(frame.data, newline=False))
    pieces.append(b'"}}')


@lru_cache(maxsize=8)
def _quoted(text: str) -> bytes:
    """As a JSON string. Most requests of a run say the same."""
    return json.dumps(text).encode()


def decode(data: bytes, *, latency: float = 0.0) -> Reply:
    """Read a reply that took `latency` seconds. Raises BadReply where it is not a chat completion.

    Null content is an empty text, as servers send it where nothing was said; a refusal in its own field
    is the text.
    """
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadReply(f"not JSON: {error}") from error
    try:
        choice = body["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason")
        text = _text(message)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadReply(f"no choices[0].message: {words(data)}") from error
    usage = body.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Reply(
        text,
        _FINISH.get(finish, "stop") if isinstance(finish, str) else "stop",
        Usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))),
        body,
        latency,
    )


def _text(message: dict[str, Any]) -> str:
    content = message["content"] if "content" in message else message["refusal"]
    if content is None:
        content = message.get("refusal") or ""
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part.get("type") == "text")
    if not isinstance(content, str):
        raise TypeError(type(content).__name__)
    # A lone surrogate (an escaped half of a pair) is legal JSON and cannot be written to a file.
    return content.encode("utf-8", "replace").decode()


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def words(data: bytes, *, most: int = 500) -> str:
    """What a server says in an error body: its message, else the start of the body."""
    said: object = data[:4000].decode("utf-8", "replace")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        error = body.get("error", body)
        if isinstance(error, dict):
            said = error.get("message") or error.get("detail") or error
        else:
            said = error
    return " ".join(str(said).split())[:most]


def refused_parameter(data: bytes) -> str | None:
    """The parameter of ours that an error body says the server does not know, if it says so.

    Servers have no common code for this, so the words are read: a name of ours beside a word of refusal.
    """
    said = data[:4000].decode("utf-8", "replace").lower()
    for pattern in _REFUSALS:
        if found := pattern.search(said):
            return found.group("name")
    return None


_NAME = rf"\b(?P<name>{'|'.join(PARAMETERS)})\b"
_REFUSALS = (
    re.compile(
        rf"\b(?:unknown|unrecogni[sz]ed|unsupported|unexpected|extra)\b[^.]{{0,60}}?{_NAME}"
    ),
    re.compile(
        rf"{_NAME}[^.]{{0,60}}?\b(?:not supported|not permitted|does not support|unsupported"
        r"|unknown|extra_forbidden|extra inputs)\b"
    ),
    re.compile(rf"\bextra_forbidden\b.{{0,60}}?{_NAME}"),
)
