"""Users of the page: a rater with all items, or an adjudicator with the disputed ones."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from harness.core.errors import HarnessError
from harness.rating.agreed import disputed
from harness.rating.form import FormField
from harness.rating.items import Item, in_order
from harness.rating.journal import Rating, RatingJournal

LONGEST = 3600.0
"""Seconds that an answer can have taken; a longer pause is no time of looking."""
_BYTES = 16


@dataclass(slots=True)
class Seat:
    """One person's items, in their order, and how far they are."""

    rater: str
    items: list[Item]
    asks: list[tuple[str, ...]]
    """For each item the fields that are asked."""
    adjudicates: bool
    token: str = field(default_factory=lambda: secrets.token_urlsafe(_BYTES))
    """Part of the address: whoever has it is taken for this person."""
    unseen: set[int] = field(default_factory=set)
    """Items that could not be shown in this session."""


def rater_seat(rater: str, items: Sequence[Item], journal: RatingJournal) -> Seat:
    """All items for a rater, in an order of their own."""
    order = in_order(items, rater=rater, seed=journal.ratings.study.seed)
    return Seat(rater, order, [item.asks for item in order], adjudicates=False)


def adjudicator_seat(rater: str, items: Sequence[Item], journal: RatingJournal) -> Seat:
    """The items in dispute, with the fields in dispute. Raises HarnessError where there are none."""
    asked = disputed(journal.ratings)
    chosen = [item for item in items if item.key in asked]
    if not chosen:
        raise HarnessError(
            "there is nothing to adjudicate",
            hint="two or more raters must have rated the same items and disagree: harness rate TASK --report",
        )
    order = in_order(chosen, rater=rater, seed=journal.ratings.study.seed)
    return Seat(rater, order, [asked[item.key] for item in order], adjudicates=True)


class Desk:
    """The items of a seat beside the journal: what is answered, what is next, and how answers are taken."""

    def __init__(self, seat: Seat, journal: RatingJournal) -> None:
        self.seat, self._journal = seat, journal
        self.fields: dict[str, FormField] = {f.name: f for f in journal.ratings.study.fields}
        own = journal.ratings.of(seat.rater, adjudicates=seat.adjudicates)
        self._own: dict[int, dict[str, str | None]] = {}
        place = {item.key: at for at, item in enumerate(seat.items)}
        for (key, name), rating in own.items():
            at = place.get(key)
            if at is not None and name in seat.asks[at]:
                self._own.setdefault(at, {})[name] = rating.value

    def answers(self, at: int) -> dict[str, str | None]:
        """Field -> the answer so far; None for `cannot tell`."""
        return dict(self._own.get(at, {}))

    def complete(self, at: int) -> bool:
        """Whether every field of an item is answered."""
        return len(self._own.get(at, {})) == len(self.seat.asks[at])

    @property
    def done(self) -> int:
        """Items with every field answered."""
        return sum(self.complete(at) for at in self._own)

    def next_open(self, after: int = -1) -> int | None:
        """The first item behind `after`, else from the start, that is not complete and can be shown; None at the end."""
        count = len(self.seat.items)
        start = min(after + 1, count)
        for at in chain(range(start, count), range(start)):
            if not self.complete(at) and at not in self.seat.unseen:
                return at
        return None

    def take(self, at: int, answers: Mapping[str, Any], *, seconds: float) -> None:
        """Write answers to an item: field -> what the page sends, None for `cannot tell`.

        Nothing is written where one of them is wrong. Raises ValueError that names the field.
        """
        checked: dict[str, str | None] = {}
        for name, given in answers.items():
            if name not in self.seat.asks[at]:
                raise ValueError(f"{name}: not asked here")
            try:
                checked[name] = None if given is None else self.fields[name].checked(given)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        item, now = self.seat.items[at], time.time()
        for name, value in checked.items():
            self._journal.add(
                Rating(
                    self.seat.rater, item.key, name, value, min(max(seconds, 0.0), LONGEST), now,
                    self.seat.adjudicates, item.sample.cluster,
                )
            )  # fmt: skip
            self._own.setdefault(at, {})[name] = value
