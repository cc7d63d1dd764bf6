"""Join a stream of server-sent events into one reply."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

DONE = "[DONE]"
_MOST_CALLS = 256
"""Calls of one reply that are put together; more of them are let go, since each piece is looked up among them."""


def is_stream(data: bytes) -> bool:
    """Whether a body is a stream of events, whatever its Content-Type says."""
    return data[:64].lstrip().startswith((b"data:", b"event:", b": ", b":\n", b"id:", b"retry:"))


def read_stream(data: bytes) -> dict[str, Any]:
    """The chat completion whose pieces the events are.

    A stream that ends without saying so is an error: `{"error": ...}`, as is one that says so itself.
    """
    message: dict[str, Any] = {"role": "assistant", "content": None}
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": None}
    body: dict[str, Any] = {"choices": [choice]}
    ended = False
    for event in _events(data):
        if event == DONE:
            ended = True
            break
        try:
            piece = json.loads(event)
        except (ValueError, RecursionError):
            return {
                "error": {"message": f"an event of the stream is not valid JSON: {event[:100]}"}
            }
        if not isinstance(piece, dict):
            continue
        if piece.get("error"):
            return {"error": piece["error"]}
        for name in ("model", "system_fingerprint", "usage", "id"):
            if piece.get(name):
                body[name] = piece[name]
        choices = piece.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(first, dict) and first.get("index", 0) == 0:
            _add(first, choice, message)
    if not ended and choice["finish_reason"] is None:
        return {"error": {"message": "the stream ended before the reply was complete", "code": 502}}
    return body


def _add(piece: dict[str, Any], choice: dict[str, Any], message: dict[str, Any]) -> None:
    """Add one piece: texts grow, lists grow, the rest is replaced."""
    delta = piece.get("delta") or piece.get("message")
    if not isinstance(delta, dict):
        delta = {"content": piece["text"]} if isinstance(piece.get("text"), str) else {}
    for name, value in delta.items():
        held = message.get(name)
        if name == "role" or value is None:
            continue
        if name == "tool_calls" and isinstance(value, list):
            message[name] = _calls(held if isinstance(held, list) else [], value)
            continue
        if name == "function_call" and isinstance(value, dict):
            message[name] = _grown(held, value)
            continue
        both = isinstance(held, type(value)) and isinstance(value, (str, list))
        message[name] = held + value if both else value
    for name in ("finish_reason", "native_finish_reason", "stop_reason", "error"):
        if piece.get(name):
            choice[name] = piece[name]


def _calls(held: list[Any], pieces: list[Any]) -> list[Any]:
    """The calls with these pieces added, each to the call that it belongs to: names and arguments grow."""
    made = list(held)
    for piece in pieces:
        call = _call_of(piece, made)
        more = piece.get("function") if isinstance(piece, dict) else None
        if call is None:
            made += [piece] if len(made) < _MOST_CALLS else []
        elif isinstance(more, dict):
            call["function"] = _grown(call.get("function"), more)
    return made


def _call_of(piece: Any, made: list[Any]) -> dict[str, Any] | None:
    """The call that a piece goes on with: the one of its index. Where it has none, or all have the same one, the last call,
    unless the piece has another id than that. None: it begins a call."""
    known = [call for call in made if isinstance(call, dict)]
    if not isinstance(piece, dict) or not known:
        return None
    place, name = _index(piece), piece.get("id")
    if place is not None:
        known = [call for call in known if _index(call) == place]
    call = known[-1] if known else None
    if call is None or (name and call.get("id") and name != call["id"]):
        return None
    function = piece.get("function")
    begins = not name and isinstance(function, dict) and bool(function.get("name"))
    return None if place is None and begins else call


def _index(call: dict[str, Any]) -> int | None:
    place = call.get("index")
    if isinstance(place, str) and place.isascii() and place.isdigit() and len(place) < 4:
        return int(place)
    return place if isinstance(place, int) else None


def _grown(held: Any, more: dict[str, Any]) -> dict[str, Any]:
    """A function's name and arguments with a piece added. Some servers repeat the whole name in each piece."""
    whole = dict(held) if isinstance(held, dict) else {}
    for name, value in more.items():
        before = whole.get(name)
        if value is None or (name == "name" and value == before):
            continue
        both = isinstance(value, str) and isinstance(before, str)
        whole[name] = before + value if both else value
    return whole


def _events(data: bytes) -> Iterator[str]:
    """The data of each event."""
    lines: list[str] = []
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    for line in [*text.split("\n"), ""]:
        if not line:
            if lines:
                yield "\n".join(lines)
            lines = []
        elif line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
