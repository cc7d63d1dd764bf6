"""A reply made plain: Unicode folded, markup blanked, reasoning blocks taken out.

Every step keeps positions, so that what is read can be pointed at in the reply as it came.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from harness.answers.pattern import pattern
from harness.answers.reasoning import find_parts

_BLANK = str.maketrans(
    {
        **{c: " " for c in range(32) if c != 10},
        127: " ",
        13: "\n",
        **dict.fromkeys(map(ord, '*_`#"~|'), " "),
    }
)
_FOLD = {
    "\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201b": "'",
    "\u201c": " ", "\u201d": " ", "\u00ab": " ", "\u00bb": " ",
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2212": "-", "\ufe63": "-",
    "\u2014": ";", "\u2015": ";", "\u3002": ".", "\u3001": ",", "\u2028": "\n", "\u2029": "\n",
    "\u2022": "\n", "\u00d7": " ", "\u2044": "/",
}  # fmt: skip
_CONTROL = pattern(
    r"<[|\uff5c][^|<>\n\uff5c]{0,40}[|\uff5c]>|</?s>|\[/?inst\]|<(?:end|start)_of_turn>",
    re.IGNORECASE,
)
_WORD = pattern(r"\d+(?:\.\d+)?(?![^\W_])|[^\W_]+(?:'[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Reply:
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

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Positions in `raw` for positions in `text`."""
        if self.offsets is None:
            return start, end
        return self.offsets[start], self.offsets[max(start, end - 1)] + 1


def words_of(text: str) -> list[str]:
    """The words of a short text, folded as replies are."""
    return _WORD.findall(_fold(text)[0].translate(_BLANK))


def plain(raw: str, *, truncated: bool) -> Reply:
    """Make a reply plain. Takes time linear in its length; never raises."""
    visible, unclosed, reasoned = _without_reasoning(raw)
    if "<" in visible or "[" in visible:
        visible = _CONTROL.sub(lambda m: " " * len(m.group()), visible)
    text, offsets = _fold(visible)
    return Reply(raw, text.translate(_BLANK), offsets, truncated, unclosed, reasoned)


def keep_case(raw: str) -> str:
    """The visible text with white space made single, case and spelling as they are."""
    visible, _, _ = _without_reasoning(raw)
    visible = "".join(c for c in _CONTROL.sub(" ", visible) if c == "\n" or not _invisible(c))
    return " ".join(visible.split())


def _fold(text: str) -> tuple[str, Sequence[int] | None]:
    if text.isascii():
        return text.lower(), None
    parts: list[str] = []
    offsets = array("l")
    for index, char in enumerate(text):
        if char.isascii():
            folded = char.lower()
        elif char in _FOLD:
            folded = _FOLD[char]
        elif _invisible(char):
            continue
        else:
            folded = unicodedata.normalize("NFKC", char).casefold()
        parts.append(folded)
        offsets.extend([index] * len(folded))
    offsets.append(len(text))
    return "".join(parts), offsets


def _invisible(char: str) -> bool:
    return unicodedata.category(char) in ("Cf", "Cs", "Cc") and char not in "\n\t"


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
