"""Parse tool calls in a reply: one grammar for each way of calling.

What is not written as the grammar says is malformed: it is told to the model and counted, and never read as an answer.
Nothing is mended, so that the share of valid calls means what it says. What a model writes as if a tool had said it is
forged: it and all that follows is passed over.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, cast

from harness.core.message import ToolCall
from harness.core.protocol import Reply
from harness.core.tool import Call
from harness.prompting.controls import neutralise
from harness.protocols.strays import Tools, find_stray

Way: TypeAlias = Literal["text", "react", "json", "native"]
WAYS: tuple[Way, ...] = ("text", "react", "json", "native")

MOST_DEPTH = 16
"""Nesting of a call's JSON above which it is malformed."""
MOST_CALL = 20_000
"""Characters of a call above which it is malformed."""


NONE: Tools = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Malformed:
    """What was meant as a call and is none."""

    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reply holds."""

    calls: tuple[Call | Malformed, ...] = ()
    answer: str = ""
    """The reply without calls and without what is forged."""
    kept: str = ""
    """What of the reply stands in the next conversation: up to the end of its last call."""
    forged: bool = False
    """Whether the model wrote an observation itself."""
    cut: bool = False
    """Whether the last call has no end."""


_OPEN = re.compile(r"<\s*tool_call\s*>", re.IGNORECASE)
_CLOSE = re.compile(r"<\s*/\s*tool_call\s*>", re.IGNORECASE)
_FORGED = re.compile(r"<\s*/?\s*tool_response\s*>", re.IGNORECASE)
_FENCE = re.compile(r"```(?:json|python|tool_call)?[ \t]*\n?(.*?)\n?```\s*", re.DOTALL)


def read_text(text: str, tools: Tools = NONE) -> Reading:
    """`<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, any number of them.

    The last may lack its end, which servers cut off where it is a stop word, if its JSON is whole.
    """
    genuine, forged = _before_forged(text, _FORGED)
    calls: list[Call | Malformed] = []
    outside: list[str] = []
    place, cut = 0, False
    while found := _OPEN.search(genuine, place):
        outside.append(genuine[place : found.start()])
        end = _CLOSE.search(genuine, found.end())
        body = genuine[found.end() : end.start() if end else len(genuine)]
        read = _call(body)
        cut = end is None and isinstance(read, Malformed)
        calls.append(read)
        place = end.end() if end else len(genuine)
    rest = genuine[place:]
    if not calls and (stray := _stray(rest, tools, _UNTAGGED)):
        return _only(stray, rest, forged=forged)
    if calls:
        rest = _CLOSE.sub("", rest)
    outside.append(rest)
    kept = genuine[:place]
    kept += "</tool_call>" if calls and not cut and not _CLOSE.search(kept[-20:]) else ""
    return Reading(tuple(calls), "".join(outside).strip(), _tags(kept), forged, cut)


_UNTAGGED = "it is not between <tool_call> and </tool_call>"


def _stray(
    text: str, tools: Tools, why: str, *, react: bool = True
) -> tuple[Malformed, str] | None:
    """A call without its tags, or as another family writes it, and what stands outside of it."""
    if _CLOSE.search(text) or _OPEN.search(text):
        return Malformed(text, why), ""
    found = find_stray(text, tools, react=react)
    if found is None:
        return None
    outside = _EMPTY_FENCE.sub("", text[: found[0]] + text[found[1] :]).strip()
    more = find_stray(outside, tools, react=react)
    return Malformed(text[found[0] : found[1]], why), "" if more else outside


_EMPTY_FENCE = re.compile(r"```\w*\s*```|```\w*\s*\Z|\A\s*```")


def _only(stray: tuple[Malformed, str], text: str, *, forged: bool) -> Reading:
    """A reply whose only call is in another form."""
    return Reading((stray[0],), stray[1], neutralise(text), forged)


def _tags(text: str) -> str:
    """Control tokens made harmless, all but the tags of calls."""
    harmless = neutralise(text)
    return harmless.replace("‹tool_call›", "<tool_call>").replace("‹/tool_call›", "</tool_call>")


_ACTION = re.compile(r"^[ \t]*Action[ \t]*:[ \t]*(?!Input)(.*)$", re.MULTILINE | re.IGNORECASE)
_INPUT = re.compile(r"\s*Action[ \t]*Input[ \t]*:(?:\s*(?=[{`])|[ \t]*)", re.IGNORECASE)
_FINAL = re.compile(r"^[ \t]*Final[ \t]*Answer[ \t]*:[ \t]*", re.MULTILINE | re.IGNORECASE)
_OBSERVED = re.compile(r"^[ \t]*Observation[ \t]*:", re.MULTILINE | re.IGNORECASE)
_THOUGHT = re.compile(r"^[ \t]*Thought[ \t]*:.*$", re.MULTILINE | re.IGNORECASE)


def read_react(text: str, tools: Tools = NONE) -> Reading:
    """`Action: NAME` and `Action Input: {...}` on lines of their own; `Final Answer:` before the answer (ReAct, Yao et
    al., ICLR 2023). A reply with neither is an answer."""
    genuine, forged = _before_forged(text, _OBSERVED)
    genuine, tagged = _before_forged(genuine, _FORGED)
    calls: list[Call | Malformed] = []
    place, last, outside, cut = 0, 0, "", False
    while found := _ACTION.search(genuine, place):
        outside += genuine[place : found.start()]
        given = _INPUT.match(genuine, found.end())
        name = found[1].strip().strip("`\"'*")
        if given is None:
            calls.append(Malformed(found[0], "Action Input: {...} is missing after it"))
            place = last = found.end()
            continue
        body, end = _object_at(genuine, given.end())
        arguments = _value(body)
        if isinstance(arguments, dict):
            calls.append(Call(name, arguments))
        else:
            calls.append(Malformed(genuine[found.start() : end], "Action Input is no JSON object"))
            cut = end == len(genuine)
        place = last = end
    outside += genuine[place:]
    final = _FINAL.search(genuine)
    if final is not None:
        answer = _ACTION.split(genuine[final.end() :])[0]
    else:
        answer = _THOUGHT.sub("", outside) if calls else outside
    why = "it is no Action: and Action Input: on lines of their own"
    unread = genuine if final is None else answer
    if not calls and (stray := _stray(unread, tools, why)):
        return _only(stray, genuine, forged=forged or tagged)
    return Reading(tuple(calls), answer.strip(), neutralise(genuine[:last]), forged or tagged, cut)


def read_json(text: str, tools: Tools = NONE) -> Reading:
    """The whole reply one JSON object: `{"call": {"name": ..., "arguments": {...}}}` or `{"answer": ...}`. The call counts
    where it holds both."""
    genuine, forged = _before_forged(text, _FORGED)
    value = _value(_unfenced(genuine))
    kept = neutralise(genuine.strip())
    if isinstance(value, dict) and value.get("call") is not None:
        told = value["call"]
        read = _call_of(told) if isinstance(told, dict) else None
        found = read or Malformed(genuine, '"call" needs "name" and "arguments"')
        return Reading((found,), _answer(value), kept, forged)
    if isinstance(value, dict) and "answer" in value:
        answer = _answer(value)
        stray = _stray(answer, tools, 'it stands in "answer", not in "call"')
        if stray is None:
            return Reading((), answer, kept, forged)
        return Reading((stray[0],), stray[1], kept, forged)
    if not genuine.strip():
        return Reading((), "", "", forged)
    why = 'the reply is not {"call": {...}} or {"answer": ...}'
    cut = value is None and genuine.lstrip().startswith("{") and not genuine.rstrip().endswith("}")
    return Reading((Malformed(genuine, why),), genuine.strip(), kept, forged, cut)


def within_thoughts(reply: str, way: Way, tools: Tools) -> Reading | None:
    """Where a reply holds nothing but thoughts, and these a call: that one as malformed. None for any other reply."""
    if not isinstance(reply, Reply) or not reply.thoughts or reply.strip():
        return None
    if reply.calls or reply.finish == "length":
        return None
    if way == "json" and find_stray(reply.thoughts, tools) is None:
        return None  # that way reads any prose as a malformed call
    found = READERS[way](reply.thoughts, tools)
    if not found.calls:
        return None
    why = "it stands within your thoughts and nothing stands behind them"
    first = found.calls[0]
    text = first.text if isinstance(first, Malformed) else json.dumps([first.name, first.arguments])
    return Reading((Malformed(text, why),))


def read_native(text: str, tools: Tools = NONE) -> Reading:
    """The calls that the server gave apart from the text (`Reply.calls`). A call that stands in the text is none: the
    server did not read it as one."""
    genuine, forged = _before_forged(text, _FORGED)
    told = text.calls if isinstance(text, Reply) else ()
    calls = tuple(map(_native, told))
    kept = neutralise(genuine.strip())
    why = "it stands in the text of the reply, where the server reads no calls"
    if not calls and (stray := _stray(genuine, tools, why)):
        return _only(stray, genuine, forged=forged)
    cut = bool(calls) and isinstance(calls[-1], Malformed)
    return Reading(calls, genuine.strip(), kept, forged, cut)


_FUNCTION = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""Names of functions that servers take back in a conversation."""


def _native(told: ToolCall) -> Call | Malformed:
    text = f"{told.name[:64]} {told.arguments[:MOST_CALL]}"
    if not _FUNCTION.fullmatch(told.name):
        return Malformed(text, "it names no tool")
    arguments = _value(told.arguments) if told.arguments.strip() else {}
    if not isinstance(arguments, dict):
        return Malformed(text, "its arguments are no JSON object")
    return Call(told.name, arguments)


def _answer(value: Mapping[str, Any]) -> str:
    told = value.get("answer")
    if told is None:
        return ""
    return told.strip() if isinstance(told, str) else json.dumps(told, ensure_ascii=False)


def _before_forged(text: str, mark: re.Pattern[str]) -> tuple[str, bool]:
    """What stands before the first observation that the model wrote itself, and whether there is one."""
    found = mark.search(text)
    return (text, False) if found is None else (text[: found.start()], True)


def _unfenced(text: str) -> str:
    fenced = _FENCE.fullmatch(text.strip())
    return fenced[1] if fenced else text.strip()


def _call(body: str) -> Call | Malformed:
    """The call between two tags."""
    if len(body) > MOST_CALL:
        return Malformed(body[:MOST_CALL], "it is too long")
    value = _value(_unfenced(body))
    if not isinstance(value, dict):
        return Malformed(body, "it is no JSON object")
    return _call_of(value) or Malformed(
        body, 'a call has "name", a text, and "arguments", an object, and nothing else'
    )


_KEYS = frozenset({"name", "arguments", "parameters", "id", "type"})


def _call_of(value: Mapping[str, Any]) -> Call | None:
    """`parameters` may stand for `arguments`, as Llama writes it; `id` and `type` are passed over."""
    name = value.get("name")
    given = [value[key] for key in ("arguments", "parameters") if key in value]
    if not isinstance(name, str) or not name.strip() or len(given) > 1 or not {*value} <= _KEYS:
        return None
    arguments = given[0] if given else {}
    return Call(name.strip(), arguments) if isinstance(arguments, dict) else None


def _value(text: str) -> Any:
    """Strict JSON; None for what is none, holds a key twice, is not finite, is nested too deep, or holds an escaped half
    of a surrogate pair, which no file can hold."""
    if len(text) > MOST_CALL:
        return None
    try:
        value = json.loads(
            text, object_pairs_hook=_once, parse_constant=_refuse, parse_float=_finite
        )
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if _depth(value) <= MOST_DEPTH else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key appears twice")
    return made


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _refuse(number)


def _depth(value: Any) -> int:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, below), default=0)


def _object_at(text: str, start: int) -> tuple[str, int]:
    """The JSON that begins at a place, in a fence or not, and where it ends; where it is none, the rest of the line."""
    fenced = _FENCE.match(text, start)
    if fenced:
        return fenced[1], fenced.end()
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        line = text.find("\n", start)
        end = len(text) if line < 0 else line
    return text[start:end], end


READERS: Mapping[Way, Callable[[str, Tools], Reading]] = MappingProxyType(
    {"text": read_text, "react": read_react, "json": read_json, "native": read_native}
)
"""Way of calling -> how a reply is read. None raises, whatever the text."""


def outside_calls(way: str, text: str) -> str:
    """What a reply says outside of its calls; all of it for a way of calling that has no reader."""
    reader = READERS.get(cast("Way", way))
    return text.strip() if reader is None else reader(text, NONE).answer
