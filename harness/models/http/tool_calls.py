"""Tools that a server is told apart from the conversation: how they are sent, and what proves that a server
passes them on.

A server may accept the field `tools` and drop it without a word, as the chat template of Qwen2.5-VL does. So it is not
believed: the same conversation must have more tokens with tools than without, and a tool that is asked for by name must
be called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.generation import Generation
from harness.core.message import Message, Text, ToolCall
from harness.core.request import Sampling, make_request
from harness.core.tool import Offer
from harness.models.http.probe import LONG, SHORT, Put, check_silence

_PROBE = Offer(
    (
        {
            "name": "zqxj_lookup",
            "description": "give the length of a word",
            "arguments": {
                "type": "object",
                "properties": {
                    # A value that is fixed ends, where a weak model would fill a string to the token limit.
                    "word": {"type": "string", "enum": ["hello"], "description": "the word"}
                },
                "required": ["word"],
            },
        },
    )
)
_HELLO = (Message("user", (Text("How long is the word hello?"),)),)
OTHERWISE = "use --protocol agent:text, whose calls are written in the text"


def body_of(offer: Offer | None) -> dict[str, Any]:
    """What tells a server of tools, as the OpenAI API has it."""
    if offer is None:
        return {}
    tools = [
        {
            "type": "function",
            "function": {
                "name": one["name"],
                "description": one["description"],
                "parameters": {"type": "object", "properties": {}, **one["arguments"]},
            },
        }
        for one in offer.tools
    ]
    return {"tools": tools, **({"tool_choice": "none"} if offer.closed else {})}


@dataclass(frozen=True, slots=True)
class Proof:
    """What a probe found of a server and tools."""

    how: str = ""
    """What proved that it passes them on; empty where nothing did."""
    why_not: str = ""


async def prove_tools(put: Put) -> Proof:
    """Find out whether a server passes tools on to its model and reads its calls.

    Raises HarnessError where it does not answer.
    """
    without = await _tried(put, {})
    told = await _tried(put, body_of(_PROBE))
    if without.refused or told.refused:
        return Proof(why_not=f"this server refuses tools: {told.refused or without.refused}")
    if not told.tokens or not without.tokens:
        return Proof(
            why_not="this server does not count the tokens of prompts, so nothing shows whether it passes tools on"
        )
    if told.tokens == without.tokens:
        return Proof(
            why_not=f"this server's chat template drops tools: a prompt has {told.tokens} tokens with and without them"
        )
    name = _PROBE.tools[0]["name"]
    choice = {"tool_choice": {"type": "function", "function": {"name": name}}}
    named = await _tried(put, {**body_of(_PROBE), **choice})
    if named.refused:
        return Proof(
            why_not=f"this server refuses a tool that is asked for by name: {named.refused}"
        )
    if not any(call.name == name for call in named.calls):
        return Proof(why_not="this server returns no tool_calls where a tool is asked for by name")
    return Proof(
        f"prompt tokens {without.tokens}, with tools {told.tokens}; a named tool is called"
    )


@dataclass(frozen=True, slots=True)
class _Tried:
    tokens: int = 0
    calls: tuple[ToolCall, ...] = field(default_factory=tuple)
    refused: str = ""


async def _tried(put: Put, extra: Mapping[str, Any]) -> _Tried:
    for room in (SHORT, LONG):  # a model that thinks needs more
        request = make_request(_HELLO, Sampling(max_tokens=room), model="probe")
        reply = await put(request, extra)
        if isinstance(reply, Generation):
            check_silence(reply)
            return _Tried(refused="" if reply.failure is None else reply.failure.detail)
        if reply.calls or reply.finish != "length" or "tool_choice" not in extra:
            break
    return _Tried(reply.usage.prompt_tokens, reply.calls)
