"""Servers that are told of tools apart from the conversation: what they pass on, refuse, and call.

with caller("keeps", script=[[("zoom", '{"region": "mouth"}')], "happiness"]) as stub: ...
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

from tests.models.stub import Stub, contents, running_stub

Step: TypeAlias = str | Sequence[Any]
"""A reply: a text, or calls, each (name, arguments) or what stands in `tool_calls` as it is."""

KINDS = ("keeps", "drops", "deaf", "refuses", "uncounted")
"""keeps: passes tools on. drops: its chat template drops them without a word. deaf: passes them on and reads no calls.
refuses: wants another start option first. uncounted: counts no tokens."""

NO_AUTO = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'


def caller(
    kind: str = "keeps", script: Sequence[Step] = ("happiness",)
) -> AbstractContextManager[Stub]:
    """A server that gives the replies of a script, the last again and again, one for each assistant turn before."""
    assert kind in KINDS

    def choose(body: dict[str, Any]) -> str:
        if kind == "refuses" and "tools" in body and "tool_choice" not in body:
            return f"400:{NO_AUTO}"
        return _fault(body) or "ok"

    def extend(body: dict[str, Any], completion: dict[str, Any]) -> None:
        completion["usage"] = {} if kind == "uncounted" else counted(body, told=kind != "drops")
        message, choice = completion["choices"][0]["message"], completion["choices"][0]
        named = body.get("tool_choice")
        if kind in {"drops", "deaf"}:
            return
        if isinstance(named, dict):
            step: Step = [(named["function"]["name"], '{"word": "hello"}')]
        elif "tools" in body and "zqxj" not in json.dumps(body["tools"]):
            turn = sum(one["role"] == "assistant" for one in body["messages"])
            step = script[min(turn, len(script) - 1)]
        else:
            return
        if isinstance(step, str):
            message["content"] = step
            return
        message["content"] = None
        choice["finish_reason"] = "tool_calls"
        message["tool_calls"] = [
            {
                "id": f"chatcmpl-tool-{id(body)}-{n}",
                "type": "function",
                "function": {"name": one[0], "arguments": one[1]},
            }
            if isinstance(one, tuple)
            else one
            for n, one in enumerate(step)
        ]

    return running_stub(choose=choose, extend=extend)


def counted(body: dict[str, Any], *, told: bool = True) -> dict[str, int]:
    """Tokens of a prompt: four characters each, 85 for a picture."""
    text, pictures = contents(body)
    calls = [call for one in body["messages"] for call in one.get("tool_calls", ())]
    tools = json.dumps([body.get("tools", ""), calls]) if told else ""
    prompt = len(text) // 4 + 85 * len(pictures) + len(tools) // 4
    return {"prompt_tokens": prompt, "completion_tokens": 7, "total_tokens": prompt + 7}


def _fault(body: dict[str, Any]) -> str:
    """What a strict server refuses of a conversation with calls."""
    waiting: list[str] = []
    for one in body["messages"]:
        if one["role"] == "tool":
            if not isinstance(one["content"], str):
                return "400:messages with role 'tool' can only contain text"
            if one["tool_call_id"] not in waiting:
                return "400:tool_call_id answers no call"
            waiting.remove(one["tool_call_id"])
            continue
        if waiting:
            return "400:an assistant message with tool_calls must be followed by tool messages"
        for call in one.get("tool_calls", ()):
            try:
                json.loads(call["function"]["arguments"])
            except ValueError:
                return "400:arguments of a tool call are not JSON"
            waiting.append(call["id"])
    return ""
