"""Instructions to the model on how to call tools, for each way of calling."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from harness.protocols.calls import Way

_FORM: Mapping[Way, str] = MappingProxyType(
    {
        "text": '<tool_call>{{"name": "{name}", "arguments": {{...}}}}</tool_call>',
        "react": "Action: {name}\nAction Input: {{...}}",
        "json": '{{"call": {{"name": "{name}", "arguments": {{...}}}}}}',
        "native": "",
    }
)
"""How a call is written."""
_HOW: Mapping[Way, str] = MappingProxyType(
    {
        "text": f"To use a tool, write only\n{_FORM['text']}\n"
        "What the tool gives is then shown to you between <tool_response> and </tool_response>. When you need no tool "
        "(any more), write your answer without a call.",
        "react": f"To use a tool, write only these two lines\n{_FORM['react']}\n"
        "where the input is a JSON object. What the tool gives is then shown to you after Observation: and is never "
        "written by you. When you need no tool (any more), write your answer after Final Answer:",
        "json": f"Reply with one JSON object and nothing else. To use a tool, write\n{_FORM['json']}\n"
        "and what it gives is shown to you. When you need no tool (any more), write\n"
        '{{"answer": ...}}\n'
        "with your answer in place of the dots.",
        "native": "",
    }
)


def introduction(way: Way, offered: Sequence[Mapping[str, Any]], *, calls: int) -> str:
    """What stands behind the prompt: the tools, how they are called, and how often. The server tells the tools itself where
    it is called natively."""
    if way == "native":
        return (
            f"Before you answer you may look again with the tools (at most {calls} calls). When you need no tool (any more), "
            "write your answer without a call."
        )
    tools = "\n".join(json.dumps(dict(one), ensure_ascii=False) for one in offered)
    how = _HOW[way].format(name=offered[0]["name"])
    return f"Before you answer you may look again with these tools (at most {calls} calls):\n{tools}\n\n{how}"


def observed(way: Way, text: str) -> str:
    """What a tool gave, as the model is shown it."""
    if way == "native":
        return text
    if way == "react":
        return f"Observation: {text}"
    return f"<tool_response>\n{text}\n</tool_response>"


def unread(way: Way, offered: Sequence[Mapping[str, Any]], why: str) -> str:
    """What is told of a call that could not be read: why, and how it is written. `why` is a sentence of the harness."""
    if way == "native" or not offered:
        how = "Make the call itself, in the form in which you make calls."
    else:
        how = f"Write it so: {_FORM[way].format(name=offered[0]['name'])}"
    return f"This call could not be read: {why}. {how}"


def asked_again(way: Way) -> str:
    """What is told where the model wrote an observation and made no call."""
    return observed(way, "Only the tools write here. Make a call, or answer.")


def closed(way: Way, *, last: bool) -> str:
    """The last sentence of a turn with observations."""
    if not last:
        return "Go on: another call, or your answer."
    final = {
        "text": "",
        "react": ", after Final Answer:",
        "json": ' as {"answer": ...}',
        "native": "",
    }[way]
    return f"No more calls can be made. Give your answer now, in the form asked for{final}."


def closings(way: str) -> tuple[str, ...]:
    """The sentences that `closed` has; none of a way of calling that has no words here."""
    return tuple(
        closed(known, last=last) for known in _HOW if known == way for last in (True, False)
    )
