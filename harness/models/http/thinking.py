"""Find by probing how a server is asked to think more or less.

Servers differ, and most pass over a field that they do not know without a word. So nothing is believed that is merely
accepted: a way counts where the reasoning of the replies, as it is written or as its tokens are counted, comes, goes or
grows with it. Where reasoning is there and a way is known to be read (a word that does not exist is refused, one of its
own is not) but makes no difference that can be seen, it is taken with a note.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from harness.answers.constraints import obeys
from harness.answers.reasoning import part
from harness.core.constraint import ConstraintKind
from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.message import Message, Text
from harness.core.model import Card
from harness.core.request import Request, Sampling, make_request
from harness.core.thinking import EFFORTS, OFF, ON, thinking_budget
from harness.models.http.completion import Completion
from harness.models.http.constraint_dialects import bare, spell
from harness.models.http.probe import PROOFS, Put, check_silence

Body: TypeAlias = Mapping[str, Any]
"""What is added to a request's body."""

_QUESTION = (
    Message("user", (Text("How many whole numbers from 1 to 60 can be divided by 3 or by 7? Answer with the number."),)),
)  # fmt: skip
_ROOM = 2048
"""Tokens that a reply may have beside a budget."""
_ASKING = 256
"""Tokens that the question takes at the most."""
_LEAST_BUDGET = 1024
"""The least that Anthropic takes."""
_TIGHT = 16
"""A budget that no reasoning keeps to by chance."""
_HIDDEN = 24
"""Tokens counted beyond the bytes of the text (a token has at least one) from which something was thought unseen."""
_NONSENSE = "zqxj"


@dataclass(frozen=True, slots=True)
class Found:
    """How one level is asked for."""

    way: str
    body: Body
    shown: bool = True
    """Whether that was seen to make a difference."""

    @property
    def least(self) -> int:
        """The tokens of thinking that its words name; 0 where they name none."""
        kind = self.body.get("thinking")
        named = kind.get("budget_tokens") if isinstance(kind, Mapping) else None
        return named if isinstance(named, int) else 0

    @property
    def told(self) -> str:
        """As the manifest has it."""
        said = json.dumps(self.body, ensure_ascii=False) if self.body else self.way
        return said if self.shown else f"{said} (taken; no difference was seen)"


def _effort(level: str) -> list[Body]:
    words = {OFF: ["none", "minimal"], ON: ["medium"]}.get(
        level, [level] if level in EFFORTS else []
    )
    return [{"reasoning_effort": word} for word in words]


def _reasoning(level: str) -> list[Body]:
    if level in {OFF, ON}:
        return [{"reasoning": {"enabled": level == ON}}]
    if level in EFFORTS:
        return [{"reasoning": {"effort": level}}]
    return [{"reasoning": {"max_tokens": thinking_budget(level)}}]


def _template(name: str) -> Callable[[str], list[Body]]:
    def bodies(level: str) -> list[Body]:
        if level in EFFORTS:
            return []
        budget = thinking_budget(level)
        said: dict[str, Any] = {name: level != OFF}
        said |= {} if budget is None else {"thinking_budget": budget}
        return [{"chat_template_kwargs": said}]

    return bodies


def _switch(level: str) -> list[Body]:
    if level in EFFORTS:
        return []
    budget = thinking_budget(level)
    more = {} if budget is None else {"thinking_budget": budget}
    return [{"enable_thinking": level != OFF, **more}]


def _typed(level: str) -> list[Body]:
    if level in EFFORTS:
        return []
    if level == OFF:
        return [{"thinking": {"type": "disabled"}}]
    budget = thinking_budget(level)
    if budget is not None:
        return [{"thinking": {"type": "enabled", "budget_tokens": budget}}]
    kinds: list[dict[str, Any]] = [{"type": "enabled"}, {"type": "adaptive"}]
    return [{"thinking": kind} for kind in (*kinds, {**kinds[0], "budget_tokens": _LEAST_BUDGET})]


def _google(level: str) -> list[Body]:
    budget = {OFF: 0, ON: -1}.get(level, thinking_budget(level))
    said: dict[str, Any] = (
        {"thinking_level": level} if level in EFFORTS else {"thinking_budget": budget}
    )
    said["include_thoughts"] = level != OFF
    return [{"extra_body": {"google": {"thinking_config": said}}}]


def _think(level: str) -> list[Body]:
    if thinking_budget(level) is not None:
        return []
    return [{"think": level if level in EFFORTS else level == ON}]


Ways: TypeAlias = Mapping[str, Callable[[str], list[Body]]]

WAYS: Ways = {
    "reasoning_effort": _effort,
    "chat_template_kwargs.enable_thinking": _template("enable_thinking"),
    "chat_template_kwargs.thinking": _template("thinking"),
    "reasoning": _reasoning,
    "thinking": _typed,
    "enable_thinking": _switch,
    "think": _think,
    "extra_body.google.thinking_config": _google,
}
"""Name -> the bodies by which a level may be asked for, tried in this order; none where it has no word for it.
reasoning_effort: OpenAI, Gemini, Ollama, gpt-oss on vLLM and SGLang; chat_template_kwargs: hybrid models on vLLM, SGLang,
LMDeploy; reasoning: OpenRouter; thinking: Anthropic, GLM, DeepSeek; enable_thinking: DashScope; think: Ollama."""


class Thinking:
    """What was found out of one server."""

    def __init__(
        self,
        put: Put,
        *,
        place: str,
        sampling: Sampling | None = None,
        window: int | None = None,
        ways: Ways = WAYS,
    ) -> None:
        """`place` names the server in sentences; `window` is the most tokens of a conversation, if it is known. `ways` are
        those that are tried."""
        self._ways = ways
        self._put, self._place, self._window = put, place, window
        self._found: dict[str, Found] = {}
        self.sampling = sampling or Sampling()
        """With which replies will be drawn."""

    async def find(self, levels: Sequence[str], *, held_too: Sequence[str], card: Card) -> Card:
        """Find out how these are asked for; the card with what was found.

        Of `held_too` it is found out whether the model then thinks also before a reply that is held to something.
        """
        found = await find_thinking(
            self._put, levels, self.sampling, window=self._window, ways=self._ways
        )
        self._found |= found
        thinks = [
            level
            for level in held_too
            if level in found
            and await thinks_when_held(self._put, found[level], self.sampling, card.constraints)
        ]
        unseen = [level for level, one in found.items() if not one.shown]
        notes = [
            f"{self._place} takes thinking {', '.join(unseen)} ({found[unseen[0]].way}), but that it makes a difference "
            "was not seen"
        ] if unseen else []  # fmt: skip
        return replace(
            card,
            thinking={level: one.told for level, one in self._found.items()},
            thinking_held=tuple(dict.fromkeys((*card.thinking_held, *thinks))),
            notes=(*card.notes, *notes),
        )

    def body_of(self, request: Request) -> Body:
        """What asks for a request's thinking. Raises HarnessError where that cannot be asked for."""
        found = self._found.get(request.thinking)
        if found is None:
            raise HarnessError(
                f"{self._place} does not support thinking {request.thinking}",
                hint="leave --thinking out for it",
            )
        if found.least >= request.sampling.max_tokens:
            raise HarnessError(
                f"{self._place} needs at least {found.least} tokens to think, but replies are limited "
                f"to {request.sampling.max_tokens} in total",
                hint=f"--max-tokens {found.least + 1024}",
            )
        return found.body


async def find_thinking(
    put: Put,
    levels: Sequence[str],
    sampling: Sampling,
    *,
    window: int | None = None,
    ways: Ways = WAYS,
) -> dict[str, Found]:
    """Level -> how it is asked for, of those that were proved.

    Raises HarnessError where the server does not answer, or refuses the sampling while it thinks.
    """
    trial = _Trial(put, sampling, most=max(1, window - _ASKING) if window else None, ways=ways)
    usual = await trial.thought({}, _ROOM)
    found: dict[str, Found] = {}
    if usual is None:
        return found
    fallback: dict[str, Found] = {}
    for way in ways:
        left = [level for level in levels if level not in found]
        if not left:
            break
        for level, one in (await _by(way, left, trial, usual)).items():
            (found if one.shown else fallback).setdefault(level, one)
    if ON in levels and usual:
        found.setdefault(ON, Found("it always thinks", {}))
    return {**fallback, **found}


async def thinks_when_held(
    put: Put, found: Found, sampling: Sampling, held: Mapping[ConstraintKind, str]
) -> bool:
    """Whether the model thinks before a reply that is held to something, by what it was proved to be held to."""
    for kind, spelling in held.items():
        request = make_request(
            _QUESTION, replace(sampling, max_tokens=_ROOM), model="probe", constraint=PROOFS[kind]
        )
        reply = await put(request, {**found.body, **spell(PROOFS[kind], spelling)})
        if isinstance(reply, Generation):
            check_silence(reply)
        elif _amount(reply):
            text = bare(part(reply.generation("probe")).text.strip(), PROOFS[kind], spelling)
            if obeys(text, PROOFS[kind]):
                return True
    return False


@dataclass(slots=True)
class _Trial:
    """Asks one question in many ways, each once."""

    put: Put
    sampling: Sampling
    most: int | None = None
    """Most tokens of a reply that the server can give."""
    known: dict[str, int | None] = field(default_factory=dict)
    ways: Ways = field(default_factory=lambda: WAYS)

    async def thought(self, body: Body, room: int) -> int | None:
        """Tokens of reasoning, roughly; None where the request was refused."""
        room = room if self.most is None else min(room, self.most)
        name = json.dumps([body, room], sort_keys=True)
        if name not in self.known:
            request: Request = make_request(
                _QUESTION, replace(self.sampling, max_tokens=room), model="probe"
            )
            reply = await self.put(request, body)
            if isinstance(reply, Generation):
                check_silence(reply)
            self.known[name] = None if isinstance(reply, Generation) else _amount(reply)
        return self.known[name]


async def _by(way: str, levels: Sequence[str], trial: _Trial, usual: int) -> dict[str, Found]:
    """The levels that one way asks for."""
    found: dict[str, Found] = {}
    seen: dict[str, int] = {"": usual}
    bodies: dict[str, Body] = {}

    async def look(level: str) -> None:
        """Try a level, in the first of its words that is taken; of `off` in the first that stops the thinking."""
        for body in trial.ways[way](level):
            amount = await trial.thought(body, _room(level))
            if amount is not None and (level not in seen or (level == OFF and amount < seen[OFF])):
                seen[level], bodies[level] = amount, body
            if level in seen and (level != OFF or not seen[OFF]):
                return

    for level in levels:
        await look(level)
    if not bodies:
        return found
    if not _differs(seen):
        for contrast in (OFF, ON, "low", "high"):
            if contrast not in seen:
                await look(contrast)
            if _differs(seen):
                break
    differs = _differs(seen)
    for level, body in bodies.items():
        if level not in levels or bool(seen[level]) == (level == OFF):
            continue
        shown = differs
        if thinking_budget(level) is not None and shown:
            shown = await _keeps_budget(way, level, trial, seen[level])
        if shown:
            found[level] = Found(way, body)
        elif level != OFF and (differs or await _reads(way, trial)):
            found[level] = Found(way, body, shown=False)
    return found


def _room(level: str) -> int:
    return _ROOM + (thinking_budget(level) or 0)


def _differs(seen: Mapping[str, int]) -> bool:
    """Whether reasoning came or went, or was at one effort at least twice as long as at a lower one."""
    if len({bool(amount) for amount in seen.values()}) > 1:
        return True
    efforts = [seen[effort] for effort in EFFORTS if effort in seen]
    return len(efforts) > 1 and efforts[-1] >= 2 * efforts[0] > 0


async def _keeps_budget(way: str, level: str, trial: _Trial, amount: int) -> bool:
    """Whether a number of tokens is read: a tight one is refused, or makes the reasoning shorter."""
    tight = trial.ways[way](str(_TIGHT))
    less = await trial.thought(tight[0], _room(level)) if tight else amount
    return less is None or 2 * less <= amount or amount <= _TIGHT


async def _reads(way: str, trial: _Trial) -> bool:
    """Whether a word that does not exist is refused."""
    text = json.dumps(next(iter(trial.ways[way](ON)), {}))
    for word in ('"medium"', "true", '"enabled"', "-1"):
        if word in text:
            body = json.loads(text.replace(word, f'"{_NONSENSE}"'))
            return await trial.thought(body, _ROOM) is None
    return False


def _amount(reply: Completion) -> int:
    """Tokens of reasoning: as they are counted, else by what is written, else by what is counted and not seen."""
    parted = part(reply.generation("probe"))
    if reply.usage.reasoning_tokens:
        return reply.usage.reasoning_tokens
    if parted.reasoning.strip() or parted.thought:
        return max(1, len(parted.reasoning) // 4)
    unseen: int = reply.usage.completion_tokens - len(parted.text.encode())
    return unseen if unseen > _HIDDEN else 0
