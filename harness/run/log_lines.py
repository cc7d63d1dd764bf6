"""Required content of each log line, so that damaged lines are reported at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from harness.run.digests import KEY

_PLAIN = 3
"""What every line of a trial says; most say no more."""


_BESIDES = frozenset({"reused", "scores", "refusal", "model"})
"""What few lines of replies say besides, and is of some form."""


def _reply(line: Any) -> None:
    _texts(line, "text", "finish", "conversation")
    _key(line["key"])
    _wanted(line["latency"], int, float)
    _list_of(line["usage"], int, type(None))
    if _BESIDES.isdisjoint(line):
        return
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
    for key in line["keys"]:
        _key(key)
    if len(line) == _PLAIN:
        return
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


def _key(key: str) -> None:
    if len(bytes.fromhex(key)) < KEY:
        raise ValueError("a key that is too short")


def _texts(line: Any, *names: str) -> None:
    for name in names:
        if type(line[name]) is not str:
            raise TypeError(f"{name} is no text")


def _list_of(values: Any, *kinds: type) -> None:
    if not isinstance(values, list):
        raise TypeError(f"{type(values).__name__}, not a list")
    for value in values:
        if not isinstance(value, kinds):
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
