"""The instruction grammar: for a picture, a row of exchanges that share a trunk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from harness.prompting import Library
from harness.tiny import clip_grammar, face_grammar
from harness.tiny import wording as say
from harness.tiny.exchange import PICTURE, Exchange, Row, branch_of, trunk_of
from harness.tiny.shipped import Shipped
from harness.tiny.targets import MIRRORED

Truth = dict[str, Any]
Count = Callable[[str], int]
"""How many tokens a text takes."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """Rows of exchanges about drawn faces and clips."""

    shipped: Shipped
    budget: int = 200
    """Tokens of branches in a row; the last branch may go beyond it."""
    most: int = 7
    """Branches in a row."""

    @classmethod
    def of(cls, library: Library) -> Grammar:
        """The grammar with the prompts of a library."""
        return cls(Shipped(library))

    def face_row(self, rng: Random, truth: Truth, count: Count, *, blank: bool = False) -> Row:
        """A row about a face; about a blank picture, every answer is that no face is visible."""
        draw = rng.random()
        if draw < 0.08:
            return self._row([question_first(rng, truth)], blank=blank)
        if draw < 0.32:
            make, share = self.shipped.emotion, 0.7
        elif draw < 0.47:
            make, share = self.shipped.question, 0.85
        elif draw < 0.62:
            make, share = self.shipped.cues, 0.8
        else:
            system, lead = rng.choice(say.SYSTEMS), rng.choice(say.LEADS) + PICTURE
            first = face_grammar.generic(rng, truth, system=system, lead=lead)
            return self._fill(
                rng,
                first,
                lambda: face_grammar.generic(rng, truth, system=system, lead=lead),
                count,
                blank=blank,
            )
        first = make(rng, truth)

        def another() -> Exchange:
            if rng.random() < share:
                return make(rng, truth)
            return face_grammar.generic(rng, truth, system=first.system, lead=first.lead)

        return self._fill(rng, first, another, count, blank=blank)

    def clip_row(self, rng: Random, truth: Truth, count: Count, *, blank: bool = False) -> Row:
        """A row about a clip."""
        own = rng.random() < 0.6
        if own:
            first = self.shipped.vqa(rng, truth)
        else:
            system, lead = rng.choice(clip_grammar.SYSTEMS), rng.choice(clip_grammar.LEADS)
            first = clip_grammar.generic(rng, truth, system=system, lead=lead)

        def another() -> Exchange:
            if own and rng.random() < 0.85:
                return self.shipped.vqa(rng, truth)
            return clip_grammar.generic(rng, truth, system=first.system, lead=first.lead)

        return self._fill(rng, first, another, count, blank=blank)

    def _fill(
        self,
        rng: Random,
        first: Exchange,
        another: Callable[[], Exchange],
        count: Count,
        *,
        blank: bool,
    ) -> Row:
        """More exchanges behind the first until the budget is used."""
        chosen, trunk = [first], trunk_of(first)
        used = self._size(first, count)
        for _ in range(3 * self.most):
            if used >= self.budget or len(chosen) >= self.most:
                break
            more = another()
            size = self._size(more, count)
            # Prompts of one family share a trunk; one that does not would read a false one.
            if trunk_of(more) == trunk and used + size <= self.budget + 40:
                chosen.append(more)
                used += size
        rng.shuffle(chosen)
        return self._row(chosen, blank=blank)

    def _size(self, exchange: Exchange, count: Count) -> int:
        return sum(count(text) for text, _ in branch_of(exchange))

    def _row(self, exchanges: list[Exchange], *, blank: bool) -> Row:
        if blank:
            exchanges = [replace(e, answer=say.CANNOT_TELL, then=None) for e in exchanges]
        return Row(trunk_of(exchanges[0]), tuple(branch_of(e) for e in exchanges))


def question_first(rng: Random, truth: Truth) -> Exchange:
    """A question that stands before its picture."""
    system = rng.choice(say.SYSTEMS)
    exchange = face_grammar.generic(rng, truth, system=system, lead=PICTURE)
    gap = rng.choice(say.GAPS)
    return replace(exchange, lead=exchange.question.lstrip() + gap + PICTURE, question="")


def mirrored(truth: Truth) -> Truth:
    """What is true of the mirrored picture or clip."""
    turned: Truth = {
        key: MIRRORED.get(truth[key], truth[key]) for key in ("gaze", "head_pose") if key in truth
    }
    units = {number: [right, left] for number, (left, right) in truth["units"].items()}
    return {**truth, **turned, "units": units}
