"""The protocol `given`: what stated calls of tools give stands in the first request, and the reply is the answer.

Beside an agent with the same tools it says whether the choice to call is worth anything, or only what tools show.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.core.errors import HarnessError
from harness.core.message import Message, Part, Text
from harness.core.protocol import AnswerProtocol, Ask, Done, Render
from harness.core.tool import UNASKED, Call, Called, NoTools, Observation, Toolbox
from harness.protocols.second import answered, asking
from harness.protocols.unnamed import rendered
from harness.protocols.ways import observed

SIDE = 448
"""Longer side of a picture that a tool gives, in pixels."""
_ARGUMENT = re.compile(r"([a-z][a-z0-9_]{0,39})=([^,\[\]]+|\[[^\[\]]*\])", re.ASCII)
_PARTS = re.compile(r",(?![^\[]*\])")
_CALLS = re.compile(r"\+(?![^\[]*\])")


@dataclass(frozen=True, slots=True)
class Given:
    """One request, which holds what the calls give."""

    name: str = "given"
    calls: tuple[Call, ...] = ()
    form: str = "given:TOOL[,ARGUMENT=VALUE...][+TOOL...]"
    description: str = (
        "one request that holds what stated calls of tools give, without asking the model for them: "
        "given:zoom,region=face"
    )

    @property
    def settings(self) -> Mapping[str, Any]:
        """The calls."""
        return {"given": [[one.name, dict(one.arguments)] for one in self.calls], "side": SIDE}

    def with_words(self, name: str, words: str) -> Given:
        """`zoom,region=face+measure,unit=12`. A value is JSON where it can be, else a word. Raises HarnessError."""
        return Given(name, tuple(self._call(name, part) for part in _CALLS.split(words)))

    def _call(self, name: str, written: str) -> Call:
        tool, *words = _PARTS.split(written)
        found = [_ARGUMENT.fullmatch(word) for word in words]
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", tool, re.ASCII) or not all(found):
            raise HarnessError(
                f"protocol {name}: {written!r} is not a call of a tool",
                hint=f"write {self.form}, such as given:zoom,region=face or given:zoom,box=[0,0,1,0.5]+measure,unit=12",
            )
        return Call(tool, {one[1]: _value(one[2]) for one in found if one})

    def bound(self, toolbox: Toolbox) -> AnswerProtocol:
        """The protocol over the tools of one trial."""
        return BoundGiven(self.name, self.calls, toolbox)

    def step(self, render: Render, replies: Sequence[str]) -> Ask | Done:
        """Without tools, as requests are counted. Raises HarnessError where no call is named."""
        if not self.calls:
            raise HarnessError(
                f"protocol {self.name}: no call is named",
                hint="write what is given behind a colon: --tools zoom --protocol given:zoom,region=face",
            )
        return BoundGiven(self.name, (), NoTools()).step(render, replies)


@dataclass(frozen=True, slots=True)
class BoundGiven:
    """A Given over one sample."""

    name: str
    calls: tuple[Call, ...]
    toolbox: Toolbox

    def step(self, render: Render, replies: Sequence[str]) -> Ask | Done:
        """Ask with what the calls give, then Done. Raises HarnessError for a call that no tool takes, and for a prompt
        that waits for a named reply."""
        rendering = rendered(render, self.name)
        left = iter(replies)
        seen: list[tuple[Call, Observation]] = []
        for call in self.calls:
            one = self._given(call)
            if one.asks:
                reply = next(left, None)
                if reply is None:
                    return asking(one, rendering.messages)
                one = answered(one, reply)
            seen.append((call, one))
        answer = next(left, None)
        if answer is not None:
            return Done(answer, calls=tuple(_called(call, one) for call, one in seen))
        return Ask(_with(rendering.messages, seen))

    def _given(self, call: Call) -> Observation:
        seen = self.toolbox.use(call, side=SIDE)
        if seen.status in {"unknown-tool", "bad-arguments"}:
            raise HarnessError(
                f"protocol {self.name}: {seen.text}",
                hint="`harness show TASK --tools TOOLS` prints the tools with their arguments",
            )
        return seen


def _with(
    messages: Sequence[Message], seen: Sequence[tuple[Call, Observation]]
) -> tuple[Message, ...]:
    """The conversation with what was given at the end of its last user turn."""
    if not seen:
        return tuple(messages)
    parts: list[Part] = [Text("\n\nThese tools were used on the picture for you:\n")]
    for call, one in seen:
        parts.append(Text(observed("text", f"{_written(call)}\n{one.text}")))
        parts += [part for picture in one.pictures for part in (Text("\n"), picture)]
        parts.append(Text("\n"))
    told = list(messages)
    at = max((n for n, one in enumerate(told) if one.role == "user"), default=None)
    if at is None:
        return (*told, Message("user", tuple(parts)))
    told[at] = replace(told[at], parts=(*told[at].parts, *parts))
    return tuple(told)


def _written(call: Call) -> str:
    return f"{call.name} {json.dumps(dict(call.arguments), sort_keys=True)}"


def _called(call: Call, seen: Observation) -> Called:
    arguments = json.dumps(dict(call.arguments), sort_keys=True)
    return Called(UNASKED, call.name, arguments, seen.status, len(seen.pictures), seen.donor)


def _value(written: str) -> Any:
    try:
        return json.loads(written)
    except ValueError:
        return written


GIVEN = Given()
"""The protocol `given`, whose calls stand behind its name."""
