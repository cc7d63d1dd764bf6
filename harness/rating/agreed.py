"""Agreed and disputed answers, item by item.

- One of several options: what most say. A tie is in dispute.
- Several options: those that more than half of the raters name. An option that exactly half name is in dispute.
- A number: the median. In dispute where no more than half of the ratings lie within a tolerance of it.
- Text: what most say, letter case and white space aside.

An adjudication settles a dispute, and stands also where more ratings came later. "Cannot tell" is no vote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from harness.rating.form import FormField, written
from harness.rating.items import ItemKey
from harness.rating.journal import Ratings

Standing = Literal["agreed", "adjudicated", "disputed", "single", "cannot tell"]
"""single: rated by one of several raters only, so that nothing is agreed on yet. cannot tell: nobody could."""

PART_OF_SCALE = 1 / 8
"""The tolerance of a number where its field names none, as a part of the scale."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the raters say of one field of one item together."""

    item: ItemKey
    field: str
    standing: Standing
    value: str | None
    """As text; None where nothing is agreed on."""
    votes: Mapping[str, str | None]
    """Rater -> answer, None for `cannot tell`."""


def verdicts(ratings: Ratings) -> list[Verdict]:
    """One for each field of each item that anybody rated, in the order of items, then fields."""
    raters = len({rater for rater, _, _ in ratings.given})
    votes: dict[tuple[ItemKey, str], dict[str, str | None]] = {}
    for (rater, item, name), rating in ratings.given.items():
        votes.setdefault((item, name), {})[rater] = rating.value
    found = []
    for field in ratings.study.fields:
        for (item, name), said in votes.items():
            if name == field.name:
                found.append(_verdict(ratings, field, item, said, raters=raters))
    order = {field.name: place for place, field in enumerate(ratings.study.fields)}
    return sorted(found, key=lambda one: (one.item, order[one.field]))


def disputed(ratings: Ratings) -> dict[ItemKey, tuple[str, ...]]:
    """Item -> the fields that raters disagree about, those already settled included."""
    found: dict[ItemKey, tuple[str, ...]] = {}
    for one in verdicts(ratings):
        if one.standing in ("disputed", "adjudicated"):
            found[one.item] = (*found.get(one.item, ()), one.field)
    return found


def _verdict(
    ratings: Ratings, field: FormField, item: ItemKey, said: dict[str, str | None], *, raters: int
) -> Verdict:
    settled = ratings.settled.get((item, field.name))
    given = [value for value in said.values() if value is not None]
    standing: Standing
    value: str | None = None
    if settled is not None:
        standing, value = "adjudicated", settled.value
    elif not given:
        standing = "cannot tell"
    elif len(said) == 1 and raters > 1:
        standing = "single"
    else:
        value = _together(field, given)
        standing = "agreed" if value is not None else "disputed"
    return Verdict(item, field.name, standing, value, dict(sorted(said.items())))


def _together(field: FormField, given: Sequence[str]) -> str | None:
    """What the answers agree on; None for a dispute."""
    if field.control == "number":
        numbers = [float(text) for text in given]
        middle = median(numbers)
        tolerance = field.spec.tolerance or PART_OF_SCALE * (field.spec.high - field.spec.low)
        near = sum(abs(number - middle) <= tolerance * (1 + 1e-9) for number in numbers)
        return written(float(middle)) if near * 2 > len(numbers) else None
    if field.control == "several":
        counts = Counter(member for text in given for member in _members(field, text))
        if any(count * 2 == len(given) for count in counts.values()):
            return None
        return written(tuple(name for name, count in counts.items() if count * 2 > len(given)))
    told = {_folded(text): text for text in reversed(given)} if field.control == "text" else {}
    most = Counter(_folded(text) if told else text for text in given).most_common(2)
    if len(most) > 1 and most[0][1] == most[1][1]:
        return None
    return told.get(most[0][0], most[0][0])


def _members(field: FormField, text: str) -> tuple[str, ...]:
    value = field.value(text)
    return value if isinstance(value, tuple) else (str(value),)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
