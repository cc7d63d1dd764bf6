"""Tools as a LangGraph agent is lent them, what it did with them, and middleware that keeps it within limits."""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

from langchain.agents.middleware import (
    AgentMiddleware,
    ModelCallLimitMiddleware,
    ToolCallLimitMiddleware,
)
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import StructuredTool

from harness.core.errors import HarnessError
from harness.core.generation import Usage
from harness.core.loop import AgentLimits, LentTools, LoopRecord
from harness.core.message import Image, Text, ToolCall, written_call
from harness.core.message import Message as Turn
from harness.core.tool import Call, Called, Observation, Status
from harness.models.langchain.messages import calls_of, read_message_of, read_usage, to_blocks

LAST = "No more calls can be made. Give your answer now, in the form asked for."
_MOST = 500
"""Characters of a call's arguments that are recorded."""
_ANSWERS = "tools"
"""Where a tool message's artifact holds what became of its call."""


_Outcome: TypeAlias = "tuple[Any, dict[str, Called]]"
"""What a tool of LangChain gives: content, and an artifact that no model sees."""


@dataclass(eq=False)
class Trail(AsyncCallbackHandler):  # type: ignore[misc]
    """What an agent does in one trial, by the events of LangChain: of any graph, whatever its state holds."""

    raise_error: ClassVar[bool] = True
    """What goes wrong here is told, not logged."""
    lent: LentTools | None
    pictures: int
    """Those of the conversation, after which the pictures of tools are numbered."""
    replies: list[AIMessage] = field(default_factory=list)
    seen: list[BaseMessage] = field(default_factory=list)
    """Replies, and what tools gave, in the order of their ends."""
    usage: Usage = field(default_factory=Usage)
    limited: bool = False
    broken: HarnessError | None = None
    """Why a tool of another package failed in another way than it may."""
    ran: dict[tuple[int, str], Called | None] = field(default_factory=dict)
    """Turn and id of a call -> what became of it; None for tools of the graph's own."""
    _ids: dict[Any, str] = field(default_factory=dict)
    """Run of a tool, as LangChain names it -> id of its call."""
    _waiting: list[tuple[str, Call]] = field(default_factory=list)
    """Calls of the last reply that were not looked at yet, in its order."""
    _outcomes: dict[str, _Outcome] = field(default_factory=dict)
    _unasked: list[Called] = field(default_factory=list)
    """Calls of tools that no reply of a chat model of LangChain asked for: those of the graph's own code."""
    _begun: int = 0
    _shown: int = 0
    _made: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def on_llm_end(self, response: Any, **_: Any) -> None:
        """A model replied."""
        message = getattr(response.generations[0][0], "message", None)
        if not isinstance(message, AIMessage):
            return
        told = read_usage(message)
        with self._lock:
            self.replies.append(message)
            self.seen.append(message)
            self.usage = Usage(
                self.usage.prompt_tokens + told.prompt_tokens,
                self.usage.completion_tokens + told.completion_tokens,
                self.usage.reasoning_tokens + told.reasoning_tokens,
            )
            self._waiting = [
                (one["id"] or "", Call(one["name"], one["args"])) for one in message.tool_calls
            ]
            self._outcomes = {}

    async def on_tool_start(
        self, serialized: Any, input_str: Any, *, run_id: Any, **told: Any
    ) -> None:
        """A tool is called."""
        self._ids[run_id] = str(told.get("tool_call_id") or "")

    async def on_tool_end(self, output: Any, **_: Any) -> None:
        """A tool gave something."""
        if not isinstance(output, ToolMessage):
            return
        artifact = output.artifact
        called = artifact.get(_ANSWERS) if isinstance(artifact, dict) else None
        with self._lock:
            place = (len(self.replies), output.tool_call_id)
            self.ran[place] = called if isinstance(called, Called) else None
            self.seen.append(output)

    def use(self, name: str, arguments: Mapping[str, Any], run: Any) -> _Outcome:
        """Content blocks for the model, and the record. All calls of a reply are carried out in its order, whichever of them
        LangChain runs first: the limits, and what is a repetition, follow from the reply alone."""
        with self._lock:
            while self._waiting:
                one, call = self._waiting.pop(0)
                if call.name in self.offered:
                    self._outcomes[one] = self._carry_out(call)
                else:
                    self._begun += 1
            known = self._outcomes.pop(self._ids.get(run, ""), None)
            if known is None:
                known = self._carry_out(Call(name, arguments))
                self._unasked.append(known[1][_ANSWERS])
            return known

    @property
    def offered(self) -> frozenset[str]:
        """Names of the tools that are lent."""
        if self.lent is None:
            return frozenset()
        return frozenset(one["name"] for one in self.lent.toolbox.offered)

    def _carry_out(self, call: Call) -> _Outcome:
        assert self.lent is not None
        limits = self.lent.limits
        written = json.dumps([call.name, dict(call.arguments)], sort_keys=True, default=str)
        self._begun += 1
        over = self._begun > limits.calls or self.usage.completion_tokens >= limits.total
        over = over or len(self.replies) > limits.turns
        seen = self._seen(call, over=over, again=written in self._made)
        self._made.add(written)
        shown = seen.pictures[: max(0, limits.pictures - self._shown)]
        self._shown += len(shown)
        if len(shown) < len(seen.pictures):
            text = f"{seen.text} (No more pictures can be shown.)"
            seen = replace(seen, text=text, pictures=shown, status="over-limit")
        last = over or self._begun >= limits.calls or len(self.replies) >= limits.turns
        self.limited = self.limited or last
        text = f"{seen.text}\n{LAST}" if last else seen.text
        told = json.dumps(dict(call.arguments), sort_keys=True, ensure_ascii=False, default=str)
        turn = max(1, len(self.replies))
        called = Called(turn, call.name, _plain(told)[:_MOST], seen.status, len(shown), seen.donor)
        return to_blocks(Turn("user", (Text(text), *shown))), {_ANSWERS: called}

    def _seen(self, call: Call, *, over: bool, again: bool) -> Observation:
        assert self.lent is not None
        if over:
            return Observation("No calls are left.", status="over-limit")
        if again:
            told = "You have made this call before; what it gave stands above."
            return Observation(told, status="repeated")
        try:
            return self.lent.toolbox.use(call, side=self.lent.limits.side)
        except HarnessError as error:
            self.broken = error
            raise

    def record(self, messages: Sequence[BaseMessage]) -> LoopRecord:
        """Calls in the order in which the model made them, those among them that never reached a tool, and then those that the
        graph's own code made. `messages` are those that the graph added to the conversation; where replies are missing there,
        the turns are those that were seen."""
        calls = []
        for turn, reply in enumerate(self.replies, 1):
            for one in reply.tool_calls:
                called = self.ran.get((turn, one["id"] or ""), _UNSEEN)
                if isinstance(called, Called):
                    calls.append(called)
                elif called is _UNSEEN:
                    status: Status = "over-limit" if one["name"] in self.offered else "unknown-tool"
                    calls.append(_unmade(turn, one["name"], one["args"], status))
            for wrong in reply.invalid_tool_calls:
                text = f"{wrong.get('name') or ''} {wrong.get('args') or ''}".strip()
                calls.append(Called(turn, "", _plain(text)[:_MOST], "malformed"))
        told = {id(one) for one in calls}
        calls += [one for one in self._unasked if id(one) not in told]
        if self.lent is None:  # tools of the graph's own are not counted
            calls = []
        whole = sum(isinstance(one, AIMessage) for one in messages) >= len(self.replies)
        turns = _turns(messages if whole else self.seen, self.pictures)
        return LoopRecord(turns, tuple(calls), limited=self.limited)


def _turns(messages: Sequence[BaseMessage], pictures: int) -> tuple[tuple[str, str], ...]:
    """Role and text of messages; pictures are numbered behind the first `pictures`."""
    made = []
    for message in messages:
        calls = ""
        if isinstance(message, AIMessage):
            calls = "".join(written_call(ToolCall(*one)) for one in calls_of(message))
            text = read_message_of(message)[0]
        else:
            said = []
            for block in (
                message.content if isinstance(message.content, list) else [message.content]
            ):
                if isinstance(block, dict) and block.get("type") in {"image", "image_url"}:
                    pictures += 1
                    said.append(f"\n[image {pictures}]")
                else:
                    said.append(str(block.get("text", "") if isinstance(block, dict) else block))
            text = "".join(said)
        role = {"ai": "assistant", "human": "user"}.get(message.type, message.type)
        made.append((role, _plain(text + calls)))
    return tuple(made)


_UNSEEN = object()


def _unmade(turn: int, name: str, arguments: Any, status: Status) -> Called:
    told = json.dumps(arguments, sort_keys=True, ensure_ascii=False, default=str)
    return Called(turn, _plain(name)[:40], _plain(told)[:_MOST], status)


def _plain(text: str) -> str:
    """A lone surrogate cannot be written to a file."""
    return text.encode("utf-8", "replace").decode()


def structured_tools(trail: Trail) -> list[StructuredTool]:
    """The tools that are lent. Arguments are checked by the toolbox, so that wrong ones are told and counted alike in
    every way of calling."""
    if trail.lent is None:
        return []
    return [_structured(trail, one) for one in trail.lent.toolbox.offered]


def _structured(trail: Trail, offered: Mapping[str, Any]) -> StructuredTool:
    def call(callbacks: Any = None, **arguments: Any) -> Any:
        run = getattr(callbacks, "parent_run_id", None)  # LangChain's name of this run of the tool
        return trail.use(str(offered["name"]), arguments, run)

    return StructuredTool.from_function(
        call,
        name=offered["name"],
        description=offered["description"],
        args_schema={"type": "object", "properties": {}, **offered["arguments"]},
        infer_schema=False,
        response_format="content_and_artifact",
    )


def limiting(limits: AgentLimits) -> list[AgentMiddleware]:
    """Middleware that ends an agent's loop at the limits, and asks as servers take it."""
    return [
        ToolCallLimitMiddleware(run_limit=limits.calls, exit_behavior="continue"),
        ModelCallLimitMiddleware(run_limit=limits.turns + 1, exit_behavior="end"),
        TurnsAsServersTakeThem(),
    ]


class TurnsAsServersTakeThem(AgentMiddleware):  # type: ignore[misc]
    """Puts what servers refuse in another place before a model is asked: see `as_servers_take_them`."""

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """Ask with the turns changed."""
        return handler(request.override(messages=as_servers_take_them(request.messages)))

    async def awrap_model_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """Ask with the turns changed."""
        return await handler(request.override(messages=as_servers_take_them(request.messages)))


def as_servers_take_them(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The messages as servers of the OpenAI protocol take them.

    They refuse pictures in tool messages, and calls whose arguments are no JSON. So each group of tool messages is
    followed by a user turn with its pictures, and with what is said of calls that could not be read. For graphs without
    middleware, to be called before a model is asked.
    """
    made: list[BaseMessage] = []
    waiting: list[Any] = []
    answered = {one.tool_call_id for one in messages if isinstance(one, ToolMessage)}
    for message in (*messages, None):
        if isinstance(message, ToolMessage):
            text, pictures = _apart(message)
            made.append(message.model_copy(update={"content": text}) if pictures else message)
            if pictures:
                shows = f"What {message.name or 'the tool'} shows ({text}):"
                waiting += [{"type": "text", "text": shows}, *pictures]
            continue
        if waiting:
            made.append(HumanMessage(content=waiting))
            waiting = []
        if isinstance(message, AIMessage) and message.invalid_tool_calls:
            made.append(_readable(message, answered))
            names = [one["name"] for one in message.invalid_tool_calls if one["id"] not in answered]
            told = f"A call could not be read: no JSON object ({', '.join(map(str, names))})."
            waiting = [{"type": "text", "text": told}] if names else []
        elif message is not None:
            made.append(message)
    return made


def _readable(message: AIMessage, answered: Collection[str]) -> AIMessage:
    """The message without the arguments that are no JSON; calls that nothing answers are left out."""
    calls = [
        {"type": "tool_call", "name": one["name"] or "unknown", "args": {}, "id": one["id"]}
        for one in message.invalid_tool_calls
        if one["id"] in answered
    ]
    beside = {
        name: value for name, value in message.additional_kwargs.items() if name != "tool_calls"
    }
    changed = {
        "tool_calls": [*message.tool_calls, *calls],
        "invalid_tool_calls": [],
        "additional_kwargs": beside,
    }
    return message.model_copy(update=changed)


def _apart(message: ToolMessage) -> tuple[str, list[Any]]:
    """The text of a tool message, and its pictures."""
    blocks = message.content if isinstance(message.content, list) else [message.content]
    pictures = [one for one in blocks if isinstance(one, dict) and one.get("type") == "image"]
    texts = (one.get("text", "") if isinstance(one, dict) else one for one in blocks)
    return "".join(map(str, texts)), pictures


def count_images(messages: Sequence[Turn]) -> int:
    """Pictures in a conversation."""
    return sum(isinstance(part, Image) for message in messages for part in message.parts)
