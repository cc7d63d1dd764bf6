"""Conversations in which the model may use tools: it looks again at a small face, and answers at once of a large one.

What the engine adds to a prompt, and what it shows of a call, comes from the engine's own protocol and toolbox, so that
training and runs cannot drift apart. Some of it is reworded, so that other wordings are understood as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from harness.affect_tiny.training import emotion_grammar, face_grammar
from harness.affect_tiny.training import labels as lists
from harness.affect_tiny.training import wording as say
from harness.affect_tiny.training.exchange import (
    ENDED,
    PICTURE,
    Exchange,
    ExchangeRow,
    Pieces,
    turn,
)
from harness.affect_tiny.training.grammar import Grammar, Truth
from harness.affect_tiny.training.scenes import CALL
from harness.affect_tiny.training.shipped import parts_text
from harness.answers.vocabulary import VOCABULARIES, definitions
from harness.core.field import FieldSpec
from harness.core.message import Image, Message, Part, Text
from harness.core.prompt import Rendering
from harness.core.protocol import Ask
from harness.core.tool import Call, Observation, Tool
from harness.prompting.variables import field_variables
from harness.protocols.agent import AGENT
from harness.tools.contrast import CONTRAST
from harness.tools.landmarks import LANDMARKS
from harness.tools.measure import MEASURE
from harness.tools.places import unknown_place
from harness.tools.toolbox import NO_RESULT, NOTHING_NEW, UNAVAILABLE, offer
from harness.tools.zoom import ZOOM

WRITTEN = f"<tool_call>{json.dumps({'name': CALL.name, 'arguments': CALL.arguments})}</tool_call>"
"""The call as the model learns to write it."""
LARGE = 0.66
"""Share of the side of a scene from which on the model answers at once: a little less than where the whole picture
suffices, so that few calls are made without need."""
OTHERS: tuple[Tool, ...] = (MEASURE, LANDMARKS, CONTRAST)
"""Tools that may be offered beside `zoom`, or instead of it."""
_PICTURE = Image("picture 0", b"\x89PNG\r\n\x1a\n")
_REWORDED: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Before you answer you may look again with these tools",
        (
            "You can use these tools before you answer",
            "These tools are available",
            "Tools for a closer look",
            "If you need to, use a tool first",
            "You have tools to look at the picture again",
        ),
    ),
    (
        "show a part of the picture larger: a region of the face, or a box",
        (
            "enlarge a part of the picture",
            "crop and magnify a region",
            "zoom in on a region of the face or on a box",
            "shows a close-up of the face or of one of its parts",
            "look at a region in more detail",
        ),
    ),
    (
        "To use a tool, write only",
        ("Call a tool in this form:", "To call one, write", "A call looks like this:"),
    ),
    (
        "When you need no tool (any more), write your answer without a call.",
        (
            "Otherwise answer.",
            "Answer without a call when you can see enough.",
            "When you are done, answer.",
        ),
    ),
    (
        "Go on: another call, or your answer.",
        ("Go on.", "Now answer, or call again.", "Continue.", "What is your answer?"),
    ),
    (
        "No more calls can be made. Give your answer now, in the form asked for.",
        ("Answer now.", "No calls are left. Answer now.", "Give your final answer."),
    ),
    (NO_RESULT, ("No result.", "There is nothing to see.", "The picture is empty.")),
    (
        UNAVAILABLE,
        (
            "The tool failed.",
            "Error: the tool did not answer.",
            "This tool cannot be used now.",
            "Not available.",
        ),
    ),
    (NOTHING_NEW, ("The picture again.", "Nothing to enlarge; here is the whole picture.")),
)
"""Sentences of the engine and other words for them."""


@dataclass(frozen=True, slots=True)
class AgentRow:
    """A row, and which pictures stand in it, in order: `scene`, `crop` or `grey`."""

    row: ExchangeRow
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """A `Toolbox` that gives the same for every call."""

    offered: Sequence[Mapping[str, Any]]
    gives: Observation
    digest: str = ""

    def use(self, call: Call, *, side: int) -> Observation:
        return self.gives


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a call may give, and what is answered to it."""

    gives: Observation
    answer: str
    picture: str = ""


@dataclass(frozen=True, slots=True)
class AgentRows:
    """Rows of conversations with tools, about scenes and about faces that fill the picture."""

    grammar: Grammar

    def scene_row(self, rng: Random, truth: Truth, *, blank: bool = False) -> AgentRow:
        """A scene with tools: a call and what comes of it, or the answer."""
        usual = rng.random() < 0.5
        messages, answer = self._asked(rng, truth, usual=usual)
        tools = (ZOOM,) if usual or rng.random() < 0.75 else _offered(rng)
        if blank:
            return self._row(rng, messages, tools, (say.CANNOT_TELL,), (), usual=usual)
        if ZOOM in tools and truth["share"] < LARGE:
            told = (_crop(truth, answer), *_failures(rng, answer))
            return self._row(rng, messages, tools, (WRITTEN,), told, usual=usual)
        return self._row(rng, messages, tools, (answer,), (), usual=usual)

    def near_row(self, rng: Random, truth: Truth, *, blank: bool = False) -> AgentRow:
        """A scene as the task asks about it, up to the first reply: a call or the answer."""
        messages, answer = self._asked(rng, truth, usual=True)
        said = WRITTEN if truth["share"] < LARGE else answer
        first = (say.CANNOT_TELL if blank else said,)
        return self._row(rng, messages, (ZOOM,), first, (), usual=True)

    def plain_row(self, rng: Random, truth: Truth, *, blank: bool = False) -> AgentRow:
        """A scene without tools: the answer, whatever can be seen."""
        messages, answer = self._asked(rng, truth, usual=rng.random() < 0.5)
        trunk = chat_text(messages)
        said = say.CANNOT_TELL if blank else answer
        return AgentRow(ExchangeRow(trunk, (((said + "<|im_end|>", True),),)), ("scene",))

    def face_row(self, rng: Random, truth: Truth, *, blank: bool = False) -> AgentRow:
        """A face that fills the picture, any question, and tools, which it does not need."""
        exchange = self._any(rng, truth)
        usual = rng.random() < 0.6
        tools = (ZOOM,) if rng.random() < 0.8 else _offered(rng)
        answer = say.CANNOT_TELL if blank else exchange.answer
        return self._row(rng, _messages(exchange), tools, (answer,), (), usual=usual)

    def _any(self, rng: Random, truth: Truth) -> Exchange:
        """A question of one turn."""
        shipped = self.grammar.shipped
        makes: tuple[Callable[..., Exchange], ...]
        makes = (shipped.emotion, shipped.emotion, shipped.question, shipped.cues, shipped.affect)
        while True:
            if rng.random() < 0.3:
                system, lead = face_grammar.opening(rng)
                found = face_grammar.generic(rng, truth, system=system, lead=lead)
            else:
                found = rng.choice(makes)(rng, truth, None)
            if found.then is None:
                return found

    def _asked(self, rng: Random, truth: Truth, *, usual: bool) -> tuple[tuple[Message, ...], str]:
        """The prompt of the task faces/scene, as it asks or with other labels; or another emotion prompt."""
        shipped = self.grammar.shipped
        if usual:
            labels, answer = list(VOCABULARIES["basic-7"]), str(truth["emotion"])
        else:
            make = lists.plain_list if rng.random() < 0.6 else lists.label_list
            labels, answer = make(rng, truth["emotion"])
        name, question = "agent/emotion", truth["question"]
        if not usual and truth["people"] == 1 and rng.random() < 0.6:
            if rng.random() < 0.3:
                system, lead = face_grammar.opening(rng)
                told = emotion_grammar.emotion_listed(rng, truth)
                found = face_grammar.exchange(rng, "emotion/listed", told, system=system, lead=lead)
                return _messages(found), found.answer
            name = rng.choice(("agent/emotion", "emotion/plain", "emotion/role", "emotion/defined"))
            question = emotion_grammar.fill(rng, rng.choice(_QUESTIONS))
        spec = FieldSpec(kind="label", labels=tuple(labels), definitions=definitions(labels))
        rendering = shipped.library.render(
            shipped.library.prompt(name),
            variables=field_variables({"emotion": spec}, question=question),
            pictures=[_PICTURE],
            replies={},
        )
        return rendering.messages, answer

    def _row(
        self,
        rng: Random,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        first: tuple[str],
        told: Sequence[_Seen],
        *,
        usual: bool,
    ) -> AgentRow:
        """The conversation up to the first reply as trunk; each of `told` in a branch of its own."""
        calls = 8 if usual or rng.random() < 0.5 else rng.choice((1, 2, 3, 4, 5, 10))
        agent = AGENT.with_words("agent", f"calls={calls}")
        offered = [offer(tool) for tool in tools]
        reword = _same if usual else _rewording(rng)

        def conversation(gives: Observation, replies: Sequence[str]) -> str:
            step = agent.bound(_Told(offered, gives)).step(
                lambda _: Rendering(tuple(messages), None), replies
            )
            assert isinstance(step, Ask)  # a call was made, and calls are left
            return chat_text(step.messages)

        start = conversation(Observation(""), ())
        opening = (first[0] + "<|im_end|>", True)
        branches: list[Pieces] = [] if told else [(opening,)]
        pictures = ["scene"]
        for number, seen in enumerate(told):
            whole = conversation(seen.gives, first)
            assert whole.startswith(start + first[0] + "<|im_end|>")
            shown = whole.removeprefix(start + first[0] + "<|im_end|>")
            asked = opening if not number else (opening[0], False)
            branches.append((asked, (reword(shown), False), (seen.answer + "<|im_end|>", True)))
            pictures += [seen.picture] if seen.picture else []
        return AgentRow(ExchangeRow(reword(start), tuple(branches)), tuple(pictures))


_QUESTIONS = (
    "Which {thing} does {person} {show}?",
    "What {thing} does {person} {show}?",
    "How does {person} feel?",
    "Name the {thing} of {person}.",
    "Which {thing} is {shown}?",
)


def chat_text(messages: Sequence[Message]) -> str:
    """The turns as chat text, with the model's turn opened."""
    told = "".join(turn(one.role, parts_text(one)) for one in messages)
    return told + ENDED.removeprefix("<|im_end|>\n")


def _messages(exchange: Exchange) -> tuple[Message, ...]:
    """The first turns of an exchange as the engine holds them."""
    parts: list[Part] = []
    for number, piece in enumerate((exchange.lead + exchange.question).split(PICTURE)):
        parts += [_PICTURE] if number else []
        parts += [Text(piece)] if piece else []
    user = Message("user", tuple(parts))
    return (Message("system", (Text(exchange.system),)), user) if exchange.system else (user,)


def _offered(rng: Random) -> tuple[Tool, ...]:
    """`zoom` beside another tool, mostly, or another tool alone."""
    other = rng.choice(OTHERS)
    if rng.random() < 0.3:
        return (other,)
    return (ZOOM, other) if rng.random() < 0.5 else (other, ZOOM)


def _crop(truth: Truth, answer: str) -> _Seen:
    return _Seen(Observation(truth["found"], (_PICTURE,)), answer, "crop")


def _failures(rng: Random, answer: str) -> list[_Seen]:
    """What else the call might have given: nothing to see, nothing at all, or nothing new."""
    told = []
    if rng.random() < 0.4:
        told.append(_Seen(Observation(NO_RESULT, (_PICTURE,)), say.CANNOT_TELL, "grey"))
    if rng.random() < 0.4:
        missing = UNAVAILABLE if rng.random() < 0.7 else unknown_place("face").text
        told.append(_Seen(Observation(missing), say.NO_PICTURE))
    if rng.random() < 0.3:
        told.append(_Seen(Observation(NOTHING_NEW, (_PICTURE,)), answer, "scene"))
    return told


def _same(text: str) -> str:
    return text


def _rewording(rng: Random) -> Callable[[str], str]:
    """Some sentences of the engine in other words, the same ones throughout a conversation."""
    chosen = [(old, rng.choice(new)) for old, new in _REWORDED if rng.random() < 0.5]

    def reword(text: str) -> str:
        for old, new in chosen:
            text = text.replace(old, new)
        return text

    return reword


def flat(row: AgentRow) -> AgentRow:
    """The same row where the scene itself is grey."""
    return replace(row, pictures=tuple("grey" if one == "scene" else one for one in row.pictures))
