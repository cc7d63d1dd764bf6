"""The request body of a chat completion, as bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pybase64 import b64encode

from harness.core.message import Audio, Image, Message, Text, ToolCall, Video
from harness.core.request import Request, Sampling
from harness.core.text import digest_json

NEUTRAL: Mapping[str, float] = {
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": -1,
    "repetition_penalty": 1.0,
}
"""Values at which leaving a parameter out changes nothing on a server whose default it is."""

PARAMETERS = (*NEUTRAL, "seed", "max_tokens")
"""All that Sampling holds, as it is spelt on the wire."""


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
    the frames are a matter of `extra`, see `harness.models.http.video`).

    Written piece by piece: `json.dumps` over the base64 would scan and copy every picture again. pybase64 takes .3 µs for
    a picture of 15 kB, the standard library 17.
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
        _content(message, pieces, request.detail)
        if message.calls:
            calls = json.dumps([call_body(call) for call in message.calls])
            pieces.append(b', "tool_calls": ' + calls.encode())
        if message.answers:
            pieces.append(b', "tool_call_id": ' + _quoted(message.answers))
        pieces.append(b"}")
    pieces.append(b"]}")
    return b"".join(pieces)


def call_body(call: ToolCall) -> dict[str, Any]:
    """A call as it stands in an assistant turn."""
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


@lru_cache(maxsize=8)
def _head(model: str, sampling: Sampling, dropped: frozenset[str]) -> bytes:
    """The start of a body, which all requests of a cell share."""
    head: dict[str, Any] = {"model": model, **parameters(sampling)}
    for name in dropped:
        value = head.pop(name)
        if name == "max_tokens":
            head["max_completion_tokens"] = value
    return json.dumps(head)[:-1].encode()


def _content(message: Message, pieces: list[bytes], detail: str) -> None:
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
        if isinstance(part, Audio):
            _sound(part, comma, pieces)
            comma = b", "
        elif part is not None:
            _url(part, comma, pieces, detail)
            comma = b", "
    pieces.append(b"]")


def _sound(part: Audio, comma: bytes, pieces: list[bytes]) -> None:
    """Append a sound as a part of its own: the base64 of a WAV file, without a data URL."""
    pieces.append(b'%s{"type": "input_audio", "input_audio": {"data": "' % comma)
    pieces.append(b64encode(part.data))
    pieces.append(b'", "format": "wav"}}')


def _url(part: Image | Video, comma: bytes, pieces: list[bytes], detail: str) -> None:
    """Append a picture or a video as a part of its own; what is said of detail concerns pictures."""
    kind, mime, frames = (
        (b"image_url", part.mime.encode(), (part,))
        if isinstance(part, Image)
        else (b"video_url", b"video/jpeg", part.frames)
    )
    pieces.append(b'%s{"type": "%s", "%s": {"url": "data:%s;base64,' % (comma, kind, kind, mime))
    for number, frame in enumerate(frames):
        pieces += [b","] if number else []
        pieces.append(b64encode(frame.data))
    said = b', "detail": "%s"' % detail.encode() if detail and isinstance(part, Image) else b""
    pieces.append(b'"%s}}' % said)


@lru_cache(maxsize=8)
def _quoted(text: str) -> bytes:
    """As a JSON string. Most requests of a run say the same."""
    return json.dumps(text).encode()


def told_body(body: Mapping[str, Any]) -> str:
    """What an identity says of fields that a person adds to every request; empty where there are none."""
    return f"body={digest_json(dict(body))[:12]}" if body else ""
