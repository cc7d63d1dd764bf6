"""Sentence forms of the MEGC challenge, built from values.

Wordings are those of the published ME-VQA training files (MEGC 2025), letter for letter; those of
the open questions of 2026 were not seen and take the same sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.answers.action_units import NUMBERS

COMBINED = "combined"

_PLACE: Mapping[str, int] = {name: number for number, name in NUMBERS.items()}
"""The published answers list action units by number (all but two of those rows do)."""

_FORMS = (
    "The action unit present is: {units}. Therefore, the fine-grained expression class is {fine}, "
    "and the coarse expression class is {coarse}.",
    "The action units present are: {units}. Therefore, the fine-grained expression class is "
    "{fine}, and the coarse expression class is {coarse}.",
)
"""For one action unit, and for several."""

_SINGLE: Mapping[str, str] = {
    "coarse": "coarse",
    "fine": "fine",
    "action_units": "action_units",
    "au_shown": "au_shown",
    "au_side": "au_side",
    "event_count": "event_count",
    "micro_count": "micro_count",
    "macro_count": "macro_count",
    "distinct_units": "action_units",
    "event_type": "event_type",
}
"""Question kind -> the one field its answer holds."""


def sentence_for(question_kind: str, values: Mapping[str, Any], *, question: str = "") -> str:
    """The answer to a question of this kind, in the challenge's words.

    Args:
        question_kind: as `harness.sources.megc_questions.question_kind` names it.
        values: field -> value: a label, a count, yes or no, or a collection of action unit names
            (written by their numbers, with a comma and a space between).
        question: the row's question. The combined sentence is in the singular where the question
            says "action unit", in the plural where it says "action units", and follows the number
            of units where it says neither (the open questions of 2026, or no question given).

    Raises:
        KeyError: for an unknown kind, or the name of a field that the answer needs and `values`
            lacks; nothing is made up in its place.
    """
    if question_kind == COMBINED:
        units = values["action_units"]
        form = _FORMS[_is_plural(question, units)]
        parts = {"fine": values["fine"], "coarse": values["coarse"]}
        return form.format(
            units=_plain(units) or "none", **{k: _plain(v) for k, v in parts.items()}
        )
    field = _SINGLE[question_kind]
    text = _plain(values[field])
    return text or ("none" if field == "action_units" else text)


def _is_plural(question: str, units: Any) -> bool:
    words = question.lower()
    if "action units" in words:
        return True
    if "action unit" in words:
        return False
    names = _plain(units)
    return not names or "," in names


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    return ", ".join(sorted(map(str, value), key=lambda name: (_PLACE.get(name, 99), name)))
