"""Required content of each log line, so that damaged lines are reported at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from harness.run.digests import KEY


def _reply(line: Any) -> None:
    _texts(line, "text", "finish", "conversation")
    if len(bytes.fromhex(line["key"])) < KEY:
        raise ValueError("a key that is too short")
    _wanted(line["latency"], int, float)
    _list_of(line["usage"], int, type(None))
    if line.get("reused") is not None:
        _texts(line, "reused")
    for name in ("scores", "refusal"):
        if line.get(name) is not None:
            _wanted(line[name], dict)
    if line.get("model") is not None:
        _texts(line, "model")
    if scores := line.get("scores"):
        _texts(scores, "estimator")
        _list_of(scores["labels"], str)
        _list_of(scores["logprobs"], int, float)
        _list_of(scores["tokens"], int)


def _trial(line: Any) -> None:
    _texts(line, "trial", "basis")
    _list_of(line["keys"], str)
    _list_of(line.get("rules") or [], str)
    _list_of(line.get("votes") or [], int)
    for call in line.get("calls") or ():
        _list_of(call, int, str)
    _wanted(line.get("tool_seconds") or 0, int, float)
    if line.get("text") is not None:
        _texts(line, "text")
    if failure := line.get("failure"):
        _texts(failure, "kind", "detail")
    _wanted(line.get("shown") or {}, dict)


def _conversation(line: Any) -> None:
    _texts(line, "id")
    for role, text in line["turns"]:
        _wanted(role, str)
        _wanted(text, str)


def _texts(line: Any, *names: str) -> None:
    for name in names:
        _wanted(line[name], str)


def _list_of(values: Any, *kinds: type) -> None:
    _wanted(values, list)
    if not all(isinstance(value, kinds) for value in values):
        raise TypeError(f"a value that is not {kinds[0].__name__}")


def _wanted(value: Any, *kinds: type) -> None:
    if not isinstance(value, kinds):
        raise TypeError(f"{type(value).__name__}, not {kinds[0].__name__}")


LINES: Mapping[str, Callable[[Any], None]] = MappingProxyType(
    {
        "generations.jsonl": _reply,
        "trials.jsonl": _trial,
        "conversations.jsonl": _conversation,
    }
)
"""File name -> a check that raises TypeError, ValueError or LookupError for what is no line of it."""
