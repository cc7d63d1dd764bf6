"""The instruction grammar: for a picture, a row of exchanges with a common prefix."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from harness.affect_tiny.training import clip_grammar, emotion_grammar, face_grammar
from harness.affect_tiny.training import wording as say
from harness.affect_tiny.training.exchange import (
    PICTURE,
    Exchange,
    ExchangeRow,
    branch_of,
    trunk_of,
)
from harness.affect_tiny.training.noise import idle
from harness.affect_tiny.training.shipped import ShippedPrompts
from harness.affect_tiny.training.shipped_clips import ShippedClips
from harness.affect_tiny.training.targets import MIRRORED
from harness.prompting.library import Library

Truth = dict[str, Any]
Count = Callable[[str], int]
"""How many tokens a text takes."""
ONE_AFTER_ANOTHER = re.compile(rf"{PICTURE}(\s*{PICTURE})+")
CLOSE_LEADS = tuple(x for x in clip_grammar.LEADS if PICTURE not in ONE_AFTER_ANOTHER.sub("", x))
"""Leads with nothing between the frames."""
SHEET_LEADS = (
    PICTURE,
    f"Three frames of a clip on one sheet: {PICTURE}",
    f"A contact sheet of a clip, in order of time:\n{PICTURE}",
    f"Onset, apex and offset side by side:\n{PICTURE}",
)


DRAWS = (18, 9, 14, 2, 3)
"""How often a row about a face begins with a shipped prompt of emotions, questions, cue reports, affect or units."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """Rows of exchanges about drawn faces and clips."""

    shipped: ShippedPrompts
    clips: ShippedClips
    sheets: ShippedClips
    budget: int = 200
    """Tokens of branches in a row; the last branch may go beyond it."""
    most: int = 7
    """Branches in a row."""
    draws: tuple[int, ...] = DRAWS

    @classmethod
    def of(cls, library: Library) -> Grammar:
        """The grammar with the prompts of a library."""
        shipped = ShippedPrompts(library)
        return cls(shipped, ShippedClips(shipped), ShippedClips(shipped, sheets=True))

    def face_row(
        self, rng: Random, truth: Truth, count: Count, *, blank: bool = False
    ) -> ExchangeRow:
        """A row about a face; about a blank picture, every answer is that no face is visible."""
        draw = rng.random()
        if draw < 0.07:
            return self.row([question_first(rng, truth)], blank=blank)
        if draw < 0.11:
            return self.row([system_led(rng, truth)], blank=blank)
        if draw < 0.55:
            system, lead = face_grammar.opening(rng)
            first = face_grammar.generic(rng, truth, system=system, lead=lead)
            return self._fill(
                rng,
                first,
                lambda: face_grammar.generic(rng, truth, system=system, lead=lead),
                count,
                blank=blank,
            )
        make, share = rng.choices(
            (
                (self.shipped.emotion, 0.7),
                (self.shipped.question, 0.85),
                (self.shipped.cues, 0.7),
                (self.shipped.affect, 0.5),
                (self.shipped.units, 0.5),
            ),
            self.draws,
        )[0]
        first = make(rng, truth, None)
        # Each cue report has a system turn of its own, so only the same one fits the trunk.
        name = first.kind if first.kind.startswith("cues/") else None

        def another() -> Exchange:
            if rng.random() < share:
                return make(rng, truth, name)
            return face_grammar.generic(rng, truth, system=first.system, lead=first.lead)

        return self._fill(rng, first, another, count, blank=blank)

    def clip_row(
        self, rng: Random, truth: Truth, count: Count, *, blank: bool = False
    ) -> ExchangeRow:
        """A row about a clip."""
        return self._clip_row(rng, truth, count, self.clips, clip_grammar.LEADS, blank=blank)

    def sheet_row(
        self, rng: Random, truth: Truth, count: Count, grid: tuple[int, int], *, blank: bool = False
    ) -> ExchangeRow:
        """A row about a clip on a contact sheet with so many rows and columns of tokens.

        A fifth of them is worded as if the frames stood apart: so a run words it that makes a sheet
        for a model which takes one picture."""
        apart = rng.random() < 0.2
        told, leads = (self.clips, CLOSE_LEADS) if apart else (self.sheets, SHEET_LEADS)
        row = self._clip_row(rng, truth, count, told, leads, blank=blank)
        return replace(row, trunk=ONE_AFTER_ANOTHER.sub(PICTURE, row.trunk), grid=grid)

    def _clip_row(
        self,
        rng: Random,
        truth: Truth,
        count: Count,
        told: ShippedClips,
        leads: Sequence[str],
        *,
        blank: bool,
    ) -> ExchangeRow:
        draw = rng.random()
        own = draw < 0.65
        if draw < 0.04:
            return self.row([told.emotion(rng, truth)], blank=blank)
        if own:
            first = told.vqa(rng, truth)
        else:
            system, lead = rng.choice(clip_grammar.SYSTEMS), rng.choice(leads)
            first = clip_grammar.generic(rng, truth, system=system, lead=lead)

        def another() -> Exchange:
            if own and rng.random() < 0.85:
                return told.vqa(rng, truth)
            return clip_grammar.generic(rng, truth, system=first.system, lead=first.lead)

        return self._fill(rng, first, another, count, blank=blank)

    def window_row(self, rng: Random, truth: Truth, *, blank: bool = False) -> ExchangeRow:
        """A row about a window of a long video."""
        return self.row([self.clips.window(rng, truth)], blank=blank)

    def _fill(
        self,
        rng: Random,
        first: Exchange,
        another: Callable[[], Exchange],
        count: Count,
        *,
        blank: bool,
    ) -> ExchangeRow:
        """More exchanges behind the first until the budget is used."""
        chosen, trunk = [first], trunk_of(first)
        used = self._size(first, count)
        for _ in range(2 * self.most):
            if used >= self.budget or len(chosen) >= self.most:
                break
            more = another()
            size = self._size(more, count)
            # Prompts of one family share a trunk; one that does not would read a false one.
            if trunk_of(more) == trunk and used + size <= self.budget + 40:
                chosen.append(more)
                used += size
        rng.shuffle(chosen)
        return self.row(chosen, blank=blank)

    def _size(self, exchange: Exchange, count: Count) -> int:
        return sum(count(text) for text, _ in branch_of(exchange))

    def row(self, exchanges: Sequence[Exchange], *, blank: bool) -> ExchangeRow:
        """Exchanges of one trunk as a row; of a blank picture nothing can be told."""
        if blank:
            exchanges = [replace(e, answer=say.CANNOT_TELL, then=None) for e in exchanges]
        return ExchangeRow(trunk_of(exchanges[0]), tuple(branch_of(e) for e in exchanges))


def question_first(rng: Random, truth: Truth) -> Exchange:
    """A question that stands before its picture."""
    system = face_grammar.system_turn(rng)
    exchange = face_grammar.generic(rng, truth, system=system, lead=PICTURE)
    gap = rng.choice(say.GAPS)
    return replace(exchange, lead=exchange.question.lstrip() + gap + PICTURE, question="")


def system_led(rng: Random, truth: Truth) -> Exchange:
    """An emotion question in the system turn; the user sends little more than the picture."""
    make = emotion_grammar.emotion_listed if rng.random() < 0.8 else emotion_grammar.emotion_open
    question, answer = make(rng, truth)
    draw = rng.random()
    said = "" if draw < 0.4 else idle(rng) if draw < 0.7 else rng.choice(say.SENT)
    system = face_grammar.polite(rng, question)
    if rng.random() < 0.5:
        system = f"{rng.choice(say.TOLD)} {system}"
    lead, gap = rng.choice(say.LEADS) + PICTURE, rng.choice(say.GAPS)
    return Exchange("emotion/system", system, lead, gap + said if said else "", answer)


def mirrored(truth: Truth) -> Truth:
    """What is true of the mirrored picture or clip."""
    turned: Truth = {
        key: MIRRORED.get(truth[key], truth[key]) for key in ("gaze", "head_pose") if key in truth
    }
    units = {number: [right, left] for number, (left, right) in truth["units"].items()}
    return {**truth, **turned, "units": units}
