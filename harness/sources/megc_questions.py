"""ME-VQA and ME-LVQA questions (MEGC 2025 and 2026): which fields one asks, and what its answer says.

The published files have no column for the kind of question; it stands in the wording alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

COARSE, FINE, UNITS = "coarse", "fine", "action_units"
SHOWN, SIDE = "au_shown", "au_side"
EVENTS, MICRO, MACRO, EVENT_TYPE = "event_count", "micro_count", "macro_count", "event_type"

ASKED: Mapping[str, tuple[str, ...]] = {
    "coarse": (COARSE,),
    "fine": (FINE,),
    "action_units": (UNITS,),
    "au_shown": (SHOWN,),
    "au_side": (SIDE,),
    "combined": (COARSE, FINE, UNITS),
    "event_count": (EVENTS,),
    "micro_count": (MICRO,),
    "macro_count": (MACRO,),
    "distinct_units": (UNITS,),
    "event_type": (EVENT_TYPE,),
}
"""Question kind -> the fields its answer fills. The last five are ME-LVQA's, about a long video."""

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("combined", r"what (?:is|are) the action units? present,? and based on (?:it|them)\b.*"),
        # The three open wordings of 2026 ask for the same analysis.
        ("combined", r"(?:please )?(?:analy[sz]e the|provide an? \w+ analysis of the)\b.*"
                     r"\bmicro-expression\b.*"),
        ("coarse", r"what is the coarse(?:-grained)? expression class"),
        ("fine", r"what is the fine(?:-grained)? expression class"),
        ("action_units", r"what (?:is|are) the action units?"),
        ("au_shown", r"is the action unit (?P<unit>.+) shown on the face"),
        ("au_side", r"is the action unit (?P<unit>.+) located on the left or right(?: side of the)? "
                    r"face"),
        ("event_count", r"how many expression events appear in (?:this|the) video"),
        ("micro_count", r"how many micro-expression events appear in (?:this|the) video"),
        ("macro_count", r"how many macro-expression events appear in (?:this|the) video"),
        ("distinct_units", r"what distinct action units appear in (?:this|the) video"),
        ("event_type", r"what is the expression type of the (?P<event>[\w-]+) expression event in "
                       r"(?:this|the) video"),
    )
)  # fmt: skip

_SENTENCE = re.compile(
    r"(?:the )?action units?(?: present)?(?: (?:is|are))? ?: ?(?P<units>[^.]*)\. "
    r"(?:therefore, )?(?:the )?fine-grained expression class(?: is|:) (?P<fine>[^.]*?),?\.? "
    r"(?:and )?(?:the )?coarse expression class(?: is|:) (?P<coarse>[^.]*)\.?",
    re.IGNORECASE,
)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
             "tenth", "eleventh", "twelfth")  # fmt: skip


def question_kind(question: str) -> str | None:
    """The kind of a question (a key of ASKED); None for any other question."""
    found = _match(question)
    return None if found is None else found[0]


def unit_of(question: str) -> str | None:
    """The action unit that a yes/no or a left/right question names, in lower case; else None."""
    found = _match(question)
    named = found[1].groupdict().get("unit") if found else None
    return named.strip().lower() if named else None


def event_of(question: str) -> int | None:
    """N in "the expression type of the N-th expression event" (`2nd`, `2-th`, `second`); else None."""
    found = _match(question)
    named = found[1].groupdict().get("event") if found else None
    if named is None:
        return None
    if named.lower() in _ORDINALS:
        return _ORDINALS.index(named.lower()) + 1
    digits = re.match(r"[0-9]{1,6}", named)
    return int(digits[0]) if digits else None


def _match(question: str) -> tuple[str, re.Match[str]] | None:
    text = " ".join(question.split()).rstrip("?. ")
    for kind, pattern in _KINDS:
        found = pattern.fullmatch(text)
        if found:
            return kind, found
    return None


def answers_of(kind: str, answer: str) -> dict[str, str]:
    """Field -> its text in the given answer. Raises ValueError for a combined answer in other words."""
    if kind != "combined":
        return {ASKED[kind][0]: answer}
    match = _SENTENCE.fullmatch(" ".join(answer.split()))
    if match is None:
        raise ValueError(
            "the combined answer is not of the form 'The action units present are: A, B. Therefore, "
            "the fine-grained expression class is X, and the coarse expression class is Y.'"
        )
    return {COARSE: match["coarse"], FINE: match["fine"], UNITS: match["units"]}
