"""The protocol `agent`: a model can use tools before it answers.

What tools give is worked out anew from the replies, so that nothing but these is kept and a run that was killed goes on
inside a trial. Pictures are shown in a user turn: some servers take none elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from harness.core.constraint import Constraint, Need
from harness.core.errors import HarnessError
from harness.core.loop import AgentLimits
from harness.core.message import Message, Part, Text
from harness.core.protocol import AnswerProtocol, Ask, Done, Render, Reply
from harness.core.tool import LIMIT_RULE, Call, Called, NoTools, Observation, Offer, Status, Toolbox
from harness.protocols.calls import READERS, WAYS, Malformed, Reading, Way, within_thoughts
from harness.protocols.native import Made, held_to_calls, native_turns
from harness.protocols.own_loop import OwnLoop
from harness.protocols.second import answered, asking
from harness.protocols.unnamed import rendered
from harness.protocols.ways import asked_again, closed, introduction, observed, unread

MOST_RECORDED = 500
"""Characters of a call's arguments that are recorded."""


OWN = "own"
"""The way of models that make their calls in a loop of their own."""
_MOST: Mapping[str, int] = {
    "turns": 50,
    "calls": 100,
    "pictures": 100,
    "side": 2048,
    "tokens": 100_000,
    "total": 1_000_000,
}


@dataclass(frozen=True, slots=True)
class Agent:
    """Asks until a reply holds no call."""

    name: str = "agent"
    way: Way | Literal["own"] = "text"
    limits: AgentLimits = field(default_factory=AgentLimits)
    form: str = "agent[:WAY,LIMIT=N,...]"

    @property
    def description(self) -> str:
        """One line for lists."""
        usual = ", ".join(f"{key}={value}" for key, value in asdict(AgentLimits()).items())
        return (
            "the model may use the tools of --tools before it answers; ways of calling: "
            f"{', '.join(WAYS)} (text: <tool_call> tags; native: told and read by the server; own: by a model that calls them itself); limits: {usual}. "
            "agent:react,turns=3"
        )

    @property
    def settings(self) -> Mapping[str, Any]:
        """The way of calling and the limits."""
        return {"way": self.way, **asdict(self.limits)}

    @property
    def needs(self) -> frozenset[Need]:
        """`tools` where the server is told of them; `calls` where replies are held to calls, if the model can
        be; `loop` where it makes its calls itself."""
        return frozenset({"native": {"tools"}, "json": {"calls"}, OWN: {"loop"}}.get(self.way, ()))

    def with_words(self, name: str, words: str) -> Agent:
        """`react,turns=3`. Raises HarnessError for an unknown way or limit."""
        way, limits = self.way, self.limits
        for number, word in enumerate(words.split(",")):
            key, equals, value = word.partition("=")
            if not equals and not number and word in (*WAYS, OWN):
                way = "own" if word == OWN else WAYS[WAYS.index(word)]
            elif key in _MOST and re.fullmatch(r"[1-9][0-9]{0,6}", value, re.ASCII):
                if int(value) > _MOST[key]:
                    raise HarnessError(
                        f"protocol {name}: {key} is at most {_MOST[key]}",
                        hint=f"write {key}={_MOST[key]}",
                    )
                limits = replace(limits, **{key: int(value)})
            else:
                raise HarnessError(
                    f"protocol {name}: {word!r} is neither a way of calling nor a limit",
                    hint=f"write {self.form}, with one of {', '.join((*WAYS, OWN))} first and limits among "
                    f"{', '.join(one.name for one in fields(AgentLimits))}, such as agent:react,turns=3",
                )
        return Agent(name, way, limits)

    def bound(self, toolbox: Toolbox) -> AnswerProtocol:
        """The protocol over the tools of one trial."""
        if self.way == "own":
            return OwnLoop(self.name, self.limits, toolbox)
        return BoundAgent(self.name, self.way, self.limits, toolbox)

    def step(self, render: Render, replies: Sequence[str]) -> Ask | Done:
        """Without tools, as requests are counted: one that is answered at once."""
        return self.bound(NoTools()).step(render, replies)


@dataclass(slots=True)
class _Talk:
    """How far a trial has come."""

    messages: list[Message]
    first: tuple[Message, ...]
    """The prompt without tools."""
    calls: list[Called] = field(default_factory=list)
    made: set[str] = field(default_factory=set)
    """Calls that were carried out, as JSON."""
    pictures: int = 0
    tokens: int = 0
    over: bool = False
    """Whether the last request was for the answer alone."""


@dataclass(frozen=True, slots=True)
class BoundAgent:
    """An Agent over one sample. What a call gives is remembered while the trial lasts; it is the same each time."""

    name: str
    way: Way
    limits: AgentLimits
    toolbox: Toolbox
    seen: dict[str, Observation] = field(default_factory=dict, compare=False, repr=False)

    def step(self, render: Render, replies: Sequence[str]) -> Ask | Done:
        """Replay the replies, carrying out their calls; ask on, or stop at the one without a call."""
        rendering = rendered(render, self.name)
        talk = _Talk(self._introduced(rendering.messages), first=tuple(rendering.messages))
        tools = {
            one["name"]: one["arguments"].get("properties", {}) for one in self.toolbox.offered
        }
        left = iter(replies)
        for turn, reply in enumerate(left, 1):
            reading = within_thoughts(reply, self.way, tools) or READERS[self.way](reply, tools)
            talk.tokens += reply.tokens if isinstance(reply, Reply) else 0
            if talk.over or not (reading.calls or reading.forged) or _is_cut(reading, reply):
                return self._done(talk, reading, reply, turn)
            asked = self._carry_out(talk, reading, turn, left)
            if asked is not None:
                return asked
        return Ask(
            tuple(talk.messages),
            room=self.limits.tokens,
            offer=self._offer(talk),
            constraint=self._constraint(talk),
        )

    def _offer(self, talk: _Talk) -> Offer | None:
        if self.way != "native" or not self.toolbox.offered:
            return None
        return Offer(tuple(self.toolbox.offered), closed=talk.over)

    def _constraint(self, talk: _Talk) -> Constraint | None:
        if self.way != "json" or not self.toolbox.offered:
            return None
        return held_to_calls(self.toolbox.offered, last=talk.over)

    def _introduced(self, messages: Sequence[Message]) -> list[Message]:
        """The prompt with the tools told at the end of its last user turn."""
        told = list(messages)
        if not self.toolbox.offered:
            return told
        at = max((n for n, one in enumerate(told) if one.role == "user"), default=None)
        text = introduction(self.way, self.toolbox.offered, calls=self.limits.calls)
        if at is None:
            return [*told, Message("user", (Text(text),))]
        told[at] = replace(told[at], parts=(*told[at].parts, Text(f"\n\n{text}")))
        return told

    def _done(self, talk: _Talk, reading: Reading, reply: str, turn: int) -> Done:
        """The answer: what stands outside of calls, all of which were made too late."""
        wrong: Status = "over-limit" if talk.over else "malformed"
        for one in reading.calls:
            talk.calls.append(_called(turn, one, "malformed" if _wrong(one) else wrong))
        if reading.forged:
            talk.calls.append(Called(turn, "", "", "forged"))
        whole = not reading.calls and not reading.forged and reading.answer == reply.strip()
        text = str(reply) if whole else reading.answer
        if _is_cut(reading, reply):
            text = ""  # which is read as truncated
        rules = (LIMIT_RULE,) if talk.over else ()
        return Done(text, calls=tuple(talk.calls), rules=rules)

    def _carry_out(
        self, talk: _Talk, reading: Reading, turn: int, left: Iterator[str]
    ) -> Ask | None:
        """Put the calls of a reply and what they gave into the conversation. A call that a second model answers takes the
        next reply of `left`; where there is none yet, this gives its request."""
        made: list[Made] = []
        first = len(talk.calls) + 1
        for one in reading.calls:
            seen = self._observe(talk, one)
            if seen.asks:
                reply = next(left, None)
                if reply is None:
                    return asking(seen, talk.first)
                seen = answered(seen, reply)
            shown = seen.pictures[: max(0, self.limits.pictures - talk.pictures)]
            if len(shown) < len(seen.pictures):
                seen = replace(
                    seen,
                    text=f"{seen.text} (No more pictures can be shown.)",
                    pictures=shown,
                    status="over-limit",
                )
            talk.pictures += len(shown)
            talk.calls.append(_called(turn, one, seen.status, len(shown), seen.donor))
            made.append(Made(one, seen, shown))
        if reading.forged:
            talk.calls.append(Called(turn, "", "", "forged"))
        again = asked_again(self.way) if reading.forged and not reading.calls else ""
        talk.over = (
            turn >= self.limits.turns
            or len(talk.calls) >= self.limits.calls
            or talk.tokens >= self.limits.total
        )
        last = closed(self.way, last=talk.over)
        if self.way == "native":
            read = any(not _wrong(one) for one in reading.calls)
            more = (again, last if talk.over or not read or any(one.shown for one in made) else "")
            talk.messages += native_turns(made, kept=reading.kept, more=more, first=first)
            return None
        parts: list[Part] = []
        for done in made:
            parts += [Text(observed(self.way, done.seen.text)), *_apart(done.shown), Text("\n")]
        parts += [Text(again)] if again else []
        said = reading.kept if reading.kept.strip() else "(no call)"
        talk.messages.append(Message("assistant", (Text(said),)))
        talk.messages.append(Message("user", (*parts, Text(last))))
        return None

    def _observe(self, talk: _Talk, one: Call | Malformed) -> Observation:
        if len(talk.calls) >= self.limits.calls:
            return Observation("No calls are left.", status="over-limit")
        if isinstance(one, Malformed):
            told = unread(self.way, self.toolbox.offered, one.why)
            return Observation(told, status="malformed")
        written = _written(one)
        if written in talk.made:
            return Observation(
                "You have made this call before; what it gave stands above.", status="repeated"
            )
        talk.made.add(written)
        if written not in self.seen:
            self.seen[written] = self.toolbox.use(one, side=self.limits.side)
        return self.seen[written]


def _apart(pictures: Sequence[Part]) -> list[Part]:
    return [part for picture in pictures for part in (Text("\n"), picture)]


def _is_cut(reading: Reading, reply: str) -> bool:
    """Whether the reply ended within a call at its token limit."""
    return reading.cut and isinstance(reply, Reply) and reply.finish == "length"


def _wrong(one: Call | Malformed) -> bool:
    return isinstance(one, Malformed)


def _written(call: Call) -> str:
    return json.dumps([call.name, dict(call.arguments)], sort_keys=True)


def _called(
    turn: int, one: Call | Malformed, status: Status, pictures: int = 0, donor: str = ""
) -> Called:
    if isinstance(one, Malformed):
        return Called(turn, "", one.text.strip()[:MOST_RECORDED], status, pictures, donor)
    arguments = json.dumps(dict(one.arguments), sort_keys=True, ensure_ascii=False)
    return Called(turn, one.name[:40], arguments[:MOST_RECORDED], status, pictures, donor)


AGENT = Agent()
"""The protocol `agent` with its usual limits."""
