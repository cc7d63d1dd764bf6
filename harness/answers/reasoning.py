"""Split a reply into reasoning and answer, and find the end of its turn.

Model families mark their reasoning differently, and servers without a parser for it leave it in the text: blocks
(`<think>`, `[THINK]`, `<seed:think>`, `<|START_THINKING|>`, Kimi's and Gemma's own), channels (gpt-oss), sections of
which the last is the conclusion (LLaVA-CoT). A block may lack its beginning, which some chat templates write, and its
end, where the reply was cut off. Some servers also let the model run on behind the end of its turn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.answers.pattern import pattern

if TYPE_CHECKING:
    from harness.core.generation import Generation, Thought

_W = r"(?:think(?:ing)?|thoughts?|thought_process|reason(?:ing)?|reflection|scratchpad)"
_OPENING = (
    rf"<(?:\w{{1,12}}:)?{_W}(?:\s[^<>/]{{0,60}})?>"
    rf"|<\|(?:(?:begin|start)_(?:of_)?)?{_W}(?:_(?:begin|start))?\|>"
    rf"|\u25c1{_W}\u25b7|\[think(?:ing)?\]|<\|channel>\s*{_W}\b|<unused94>(?:thought\b)?"
)
_CLOSING = (
    rf"</(?:\w{{1,12}}:)?{_W}\s?>|<\|/{_W}\|>|<\|end_(?:of_)?{_W}\|>|<\|{_W}_end\|>"
    rf"|\u25c1/{_W}\u25b7|\[/think(?:ing)?\]|<channel\|>|<unused95>"
)
_ENDING = (
    r"<\|(?:im_end|eot_id|eot|eom_id|end_of_text|endoftext|end_of_turn|end_of_turn_token|end_of_sentence"
    r"|return|user|observation)\|>|<end_of_turn>|<turn\|>|</s>|<\|end\|>|<eos>|<\|im_start\|>\s*user"
    r"|<\uff5c(?:end\u2581of\u2581sentence|user)\uff5c>"
)
_BLOCK = pattern(rf"{_OPENING}|{_CLOSING}", re.IGNORECASE)
_MARK = pattern(rf"(?P<open>{_OPENING})|(?P<close>{_CLOSING})|(?P<end>{_ENDING})", re.IGNORECASE)
_CHANNEL = pattern(r"<\|channel\|>\s*(?P<name>\w{1,20})[^<]{0,80}?<\|message\|>", re.IGNORECASE)
_BARE_CHANNEL = pattern(r"\s*(?:analysis|commentary)(?=[A-Z\"'])")
"""gpt-oss where the special tokens were left out: `analysisWe need...assistantfinalhappiness`."""
_BARE_FINAL = pattern(r"assistant\s?final(?=\S)")
_SECTION = pattern(r"\s*<(?:summary|caption|reasoning)>", re.IGNORECASE)
_CONCLUSION = pattern(r"<conclusion>|</conclusion>", re.IGNORECASE)
_END = pattern(_ENDING, re.IGNORECASE)
_TURN = (
    r"(?:<\|im_start\|>\s*assistant|<\|start\|>\s*assistant(?!<\|channel)|<start_of_turn>\s*model"
    r"|<\|turn>\s*model|<\|start_header_id\|>assistant<\|end_header_id\|>|<\|assistant\|>|<s>)\s*"
)
_START = pattern(rf"\s*{_TURN}", re.IGNORECASE)
_STARTING = pattern(_TURN, re.IGNORECASE)
_MARKS = ("<", "[", "\u25c1", "analysis", "commentary")


@dataclass(frozen=True, slots=True)
class Parts:
    """Where things stand in a reply, as places in its text."""

    reasoning: tuple[tuple[int, int], ...]
    """Begin and end of each stretch of reasoning, its marks included, in order."""
    end: int
    """Where the turn ends; nothing from here on is read."""
    thought: Thought = ""
    """Whether the last stretch was never closed, or the first never opened."""


def find_parts(text: str) -> Parts:
    """Part a reply into reasoning and answer. Takes time linear in its length; never raises."""
    if _is_plain(text):
        return Parts((), len(text))
    for find in (_channels, _bare_channels, _sections):
        found = find(text)
        if found is not None:
            return found
    return _blocks(text)


def _is_plain(text: str) -> bool:
    """Whether a reply is all answer, as most are."""
    return not any(mark in text for mark in _MARKS)


def part(generation: Generation) -> Generation:
    """A reply whose text holds its reasoning, with that in its place; another one as it is."""
    if _is_plain(generation.text):
        return generation
    parts = find_parts(generation.text)
    if not parts.reasoning:
        return generation
    text, thoughts, done = generation.text, [generation.reasoning], 0
    left = []
    for begin, end in parts.reasoning:
        left.append(text[done:begin])
        thoughts.append(_without_marks(text[begin:end]))
        done = end
    return replace(
        generation,
        text="".join([*left, text[done:]]).lstrip(),
        reasoning="\n\n".join(thought for thought in thoughts if thought),
        thought=parts.thought,
    )


def spoken(text: str) -> str:
    """What a model says to the one who asked: no reasoning, and nothing behind the end of its turn."""
    if _is_plain(text):
        return text
    parts = find_parts(text)
    if not parts.reasoning and parts.end == len(text):
        return text
    left, done = [], 0
    for begin, end in parts.reasoning:
        left.append(text[done:begin])
        done = end
    return "".join([*left, text[done : max(done, parts.end)]]).strip()


def _channels(text: str) -> Parts | None:
    """gpt-oss: the last `final` channel is the answer; without one there is none."""
    marks = list(_CHANNEL.finditer(text))
    if not marks:
        return None
    final = next((m for m in reversed(marks) if m["name"].lower() == "final"), None)
    if final is None:
        return Parts(((0, len(text)),), len(text), "unclosed")
    end = _end_of_turn(text, final.end())
    return Parts(((0, final.end()),), end)


def _bare_channels(text: str) -> Parts | None:
    if not _BARE_CHANNEL.match(text):
        return None
    final = max(_BARE_FINAL.finditer(text), key=lambda mark: mark.start(), default=None)
    if final is None:
        return Parts(((0, len(text)),), len(text), "unclosed")
    return Parts(((0, final.end()),), _end_of_turn(text, final.end()))


def _sections(text: str) -> Parts | None:
    """LLaVA-CoT: of its sections only the conclusion is the answer."""
    if not _SECTION.match(text):
        return None
    tags = list(_CONCLUSION.finditer(text))
    opened = next((t for t in reversed(tags) if not t.group().startswith("</")), None)
    if opened is None:
        lone = _SECTION.match(text)
        if lone is not None and "reasoning" in lone.group().lower():
            return None  # a plain block that is called <reasoning>
        return Parts(((0, len(text)),), len(text), "unclosed")
    closed = next((t for t in tags if t.start() >= opened.end()), None)
    return Parts(((0, opened.end()),), len(text) if closed is None else closed.start())


def _blocks(text: str) -> Parts:
    """Blocks with an opening and a closing mark. One of them may be missing.

    A closing mark without an opening one ends reasoning that began with the reply. What stands behind the end of the
    turn opens and closes nothing.
    """
    start = _START.match(text)
    spans: list[tuple[int, int]] = [] if start is None else [start.span()]
    done = since = 0 if start is None else start.end()
    opened: int | None = None
    ended: int | None = None
    thought: Thought = ""
    for mark in _MARK.finditer(text, done):
        if mark.lastgroup == "end":
            if opened is None and ended is None and text[since : mark.start()].strip():
                ended = mark.start()
            since = mark.end()
        elif opened is None and ended is not None:
            break
        elif mark.lastgroup == "open":
            opened = mark.start() if opened is None else opened
        else:
            if opened is None and len(spans) == (start is not None):
                thought = "unopened"
            spans.append((done if opened is None else opened, mark.end()))
            done = since = mark.end()
            opened = None
    if opened is not None:
        return Parts((*spans, (opened, len(text))), len(text), "unclosed")
    return Parts(tuple(spans), len(text) if ended is None else ended, thought)


def _end_of_turn(text: str, start: int) -> int:
    """Where the turn ends from `start` on; a mark before any word ends nothing."""
    for mark in _END.finditer(text, start):
        if text[start : mark.start()].strip():
            return mark.start()
        start = mark.end()
    return len(text)


def _without_marks(text: str) -> str:
    text = _CHANNEL.sub("\n", text)
    return _END.sub("", _STARTING.sub("", _BLOCK.sub("", text), count=1)).strip()
