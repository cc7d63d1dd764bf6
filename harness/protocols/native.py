"""Tool calls that a server gives apart from the text (`agent:native`): the turns that follow. Also what holds the way `json`.

A turn with a call is followed by one turn of the role `tool` for each call, which holds text alone: many servers refuse
pictures there. What tools show comes in a user turn behind these.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.constraint import Constraint
from harness.core.message import Message, Part, Text, ToolCall
from harness.core.tool import Call, Observation
from harness.prompting.controls import neutralise
from harness.protocols.calls import Malformed


@dataclass(frozen=True, slots=True)
class Made:
    """A call, and what came of it."""

    call: Call | Malformed
    seen: Observation
    shown: tuple[Part, ...] = ()
    """Those of its pictures that are shown."""


def native_turns(
    made: Sequence[Made], *, kept: str, more: Iterable[str], first: int
) -> list[Message]:
    """The turns behind a reply with calls: its own, one for each result, and a user turn with pictures and with what
    else is to be said (`more`). Calls are numbered from `first`.

    A call that could not be read is no call to the server, which would refuse it: what was wrong stands in the user turn.
    """
    calls, results = [], []
    parts: list[Part] = []
    for number, one in enumerate(made, first):
        if isinstance(one.call, Malformed):
            parts.append(Text(f"{one.seen.text}\n"))
            continue
        name = f"call{number:05d}"  # nine letters and digits, as Mistral's template wants it
        arguments = json.dumps(dict(one.call.arguments), ensure_ascii=False)
        calls.append(ToolCall(one.call.name, neutralise(arguments), name))
        results.append(Message("tool", (Text(one.seen.text),), answers=name))
        if one.shown:
            parts.append(Text(f"What {one.call.name} shows ({one.seen.text}):"))
            parts += [part for picture in one.shown for part in (Text("\n"), picture)]
            parts.append(Text("\n"))
    said = kept.strip() or ("" if calls else "(no call)")
    turns = [Message("assistant", (Text(said),) if said else (), calls=tuple(calls)), *results]
    parts += [Text(one) for one in more if one]
    return [*turns, Message("user", tuple(parts))] if parts else turns


def held_to_calls(offered: Sequence[Mapping[str, Any]], *, last: bool) -> Constraint:
    """What holds a reply of the way `json` to a call of one of these tools or an answer, or to an answer alone.

    Rules between arguments (one of two, left below right) are in no schema, so that such calls may still be wrong.
    """
    answer = _object({"answer": {"anyOf": [{"type": "string"}, {"type": "object"}]}})
    shared: dict[str, Any] = {}
    calls = []
    for one in offered if not last else ():
        arguments = _own_definitions(dict(one["arguments"]), one["name"], shared)
        call = _object({"name": {"type": "string", "enum": [one["name"]]}, "arguments": arguments})
        calls.append(_object({"call": call}))
    schema: dict[str, Any] = {"anyOf": [*calls, answer]}
    schema |= {"$defs": shared} if shared else {}
    return Constraint("calls", text=json.dumps(schema, ensure_ascii=False))


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _own_definitions(schema: dict[str, Any], tool: str, shared: dict[str, Any]) -> dict[str, Any]:
    """The schema closed to other names, its definitions moved to `shared` under names of the tool's own."""
    text = json.dumps(schema).replace('"#/$defs/', f'"#/$defs/{tool}.')
    made: dict[str, Any] = json.loads(text)
    shared.update({f"{tool}.{name}": one for name, one in made.pop("$defs", {}).items()})
    return {"type": "object", "properties": {}, **made, "additionalProperties": False}
