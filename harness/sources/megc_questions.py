"""ME-VQA questions (MEGC 2025 and 2026): which fields a question asks, and what its answer says.

The published files have no column for the kind of question; it stands in the wording alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

COARSE, FINE, UNITS = "coarse", "fine", "action_units"
SHOWN, SIDE = "au_shown", "au_side"

ASKED: Mapping[str, tuple[str, ...]] = {
    "coarse": (COARSE,),
    "fine": (FINE,),
    "action_units": (UNITS,),
    "au_shown": (SHOWN,),
    "au_side": (SIDE,),
    "combined": (COARSE, FINE, UNITS),
}
"""Question kind -> the fields its answer fills."""

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
        ("au_shown", r"is the action unit .+ shown on the face"),
        ("au_side", r"is the action unit .+ located on the left or right(?: side of the)? face"),
    )
)  # fmt: skip

_SENTENCE = re.compile(
    r"(?:the )?action units?(?: present)?(?: (?:is|are))? ?: ?(?P<units>[^.]*)\. "
    r"(?:therefore, )?(?:the )?fine-grained expression class(?: is|:) (?P<fine>[^.]*?),?\.? "
    r"(?:and )?(?:the )?coarse expression class(?: is|:) (?P<coarse>[^.]*)\.?",
    re.IGNORECASE,
)


def question_kind(question: str) -> str | None:
    """The kind of an ME-VQA question (a key of ASKED); None for any other question."""
    text = " ".join(question.split()).rstrip("?. ")
    for kind, pattern in _KINDS:
        if pattern.fullmatch(text):
            return kind
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
