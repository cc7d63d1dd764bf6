"""Normalise a reply: fold Unicode, blank markup, remove reasoning blocks.

Every step keeps positions, so that what is read can be pointed at in the reply as it came.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from harness.answers.folding import BLANK, fold, invisible
from harness.answers.pattern import blanks, pattern
from harness.answers.reasoning import find_parts
from harness.answers.speech import Speech, english

LONGEST = 32_768
"""Characters that are read of a reply, its reasoning aside: of a longer one its end."""

_CONTROL = pattern(
    r"<[|\uff5c][^|<>\n\uff5c]{0,40}[|\uff5c]>|</?s>|\[/?inst\]|<(?:end|start)_of_turn>",
    re.IGNORECASE,
)


_ITEM = r"[ \t]{0,8}(?:[-*+\u2022]|\d{1,2}[.)])[ \t]"
_LOOSE = pattern(rf"^({_ITEM}[^\n]{{0,200}})(\n[ \t]*)(?=\n{_ITEM})", re.MULTILINE)
"""An item of a list and the blank line between it and the next."""
_DOT = pattern(r"\n(?=[ \t]{0,8}\u2022)")
"""The end of a line before a bullet, which itself begins a line."""


@dataclass(frozen=True, slots=True)
class NormalizedReply:
    """A reply ready to be read."""

    raw: str
    text: str
    """Lower case, NFKC, markdown and control tokens blanked, reasoning blanked."""
    offsets: Sequence[int] | None
    """Position in `raw` of each character of `text` (one more at the end); None: the same."""
    truncated: bool
    unclosed: bool
    """A reasoning block was opened and never closed."""
    reasoned: bool
    """A reasoning block was taken out."""
    speech: Speech = field(default_factory=english)
    """The languages it is read in."""
    cut: bool = False
    """It is longer than what is read, so `text` is only its end."""
    begin: int = 0
    """Where a cut reply begins to be visible, in `raw`."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Positions in `raw` for positions in `text`."""
        if self.offsets is None:
            return start, end
        return self.offsets[start], self.offsets[max(start, end - 1)] + 1


def plain(raw: str, *, truncated: bool, speech: Speech | None = None) -> NormalizedReply:
    """Make a reply plain, to be read in some languages (English where none are given).

    Takes time linear in its length; never raises. Of more than `LONGEST` visible characters only the last are kept.
    """
    visible, unclosed, reasoned = _without_reasoning(raw)
    speech = speech or english()
    if len(raw) > LONGEST:
        found = NormalizedReply(raw, "", None, truncated, unclosed, reasoned, speech)
        return _end_of(found, visible)
    if "<" in visible or "[" in visible:
        visible = _CONTROL.sub(blanks, visible)
    text, offsets = fold(_lines(visible))
    text = text.translate(BLANK)
    return NormalizedReply(raw, text, offsets, truncated, unclosed, reasoned, speech)


def _end_of(reply: NormalizedReply, visible: str) -> NormalizedReply:
    """A long reply with the text that is visible, or the end of that."""
    end = len(visible.rstrip())
    first = end - len(visible[:end].lstrip())
    start = max(first, end - LONGEST)
    text, places = fold(_CONTROL.sub(blanks, visible[start:end]))
    places = range(len(text) + 1) if places is None else places
    # Where a character stands for many, what they are folded to is still long.
    drop = len(text) - LONGEST if len(text) > 2 * LONGEST else 0
    offsets = array("l", [start + place for place in places[drop:]])
    return replace(
        reply, text=text[drop:].translate(BLANK), offsets=offsets, cut=start > first or drop > 0, begin=first,
    )  # fmt: skip


def _lines(text: str) -> str:
    """The text with one line end for each line of a list; as long as it was."""
    if "\r" in text:
        text = text.replace("\r\n", " \n")
    if "\n" in text:
        text = _LOOSE.sub(lambda m: m[1] + " " * len(m[2]), text)
    return _DOT.sub(" ", text) if "\u2022" in text else text


def keep_case(raw: str) -> str:
    """The visible text with white space made single, case and spelling as they are."""
    visible = _without_reasoning(raw)[0].strip()
    visible = "".join(c for c in _CONTROL.sub(" ", visible) if c == "\n" or not invisible(c))
    return " ".join(visible.split())


def _without_reasoning(raw: str) -> tuple[str, bool, bool]:
    """The reply with reasoning blanked; whether a block was left open; whether there was one."""
    parts = find_parts(raw)
    if not parts.reasoning and parts.end == len(raw):
        return raw, False, False
    pieces: list[str] = []
    done = 0
    for begin, end in parts.reasoning:
        pieces += [raw[done:begin], " " * (end - begin)]
        done = end
    stop = max(done, parts.end)
    pieces += [raw[done:stop], " " * (len(raw) - stop)]
    return "".join(pieces), parts.thought == "unclosed", bool(parts.reasoning)
