"""Rows of choices: marked options, labels in other words, yes or no, several questions about one face.

Finding the mark that stands before a label takes a step more than naming the label. Beside all the
rest that step is hardly ever learnt; from nothing, alone, it is not learnt either; and with the
options in their usual order the marks are learnt by heart instead. So these rows have a stage of
their own once the model can name: in plain words, with two options at first. Questions of yes or no
stand among them, or they are unlearnt meanwhile and not found again. Then these rows go on among all
the others, with words around them.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from harness.affect_tiny.training import emotion_grammar, face_grammar
from harness.affect_tiny.training.exchange import PICTURE, Exchange, ExchangeRow
from harness.affect_tiny.training.grammar import Grammar, Truth

EACH = 6
"""Choices about one face."""
GROWN = 0.7
"""Share of the stage after which all options are there; in plain words until then, which finds the
marks several times sooner."""
NOISY = 0.6
"""Share of the rows that stand between other words once the stage is over."""


def _teeth(rng: Random, truth: Truth) -> emotion_grammar.QA:
    return face_grammar.cue_question(rng, truth, "teeth_visible")


_CHECKS = (face_grammar.cue_check, face_grammar.unit_check, _teeth, emotion_grammar.emotion_check)
_WEIGHTS = (4, 3, 2, 1)


@dataclass(frozen=True, slots=True)
class Choices:
    """How hard the rows of choices are."""

    grammar: Grammar
    most: int = 8
    """Options at most."""
    named: float = 0.2
    """Share of the choices with labels to be named, mostly in rarer words, instead of marks."""
    checks: float = 0.3
    """Share of the choices between yes and no."""
    noisy: float = NOISY
    """Share of the rows between other words."""
    plain: bool = False
    """Whether the options are nouns in one layout."""

    @classmethod
    def growing(cls, grammar: Grammar, share: float) -> Choices:
        """The rows of the stage of choices when a share of it is over."""
        grown = min(1.0, share / GROWN)
        if grown < 1.0:
            return cls(grammar, 2 + int(6 * grown), named=0.0, noisy=0.0, plain=True)
        return cls(grammar, noisy=0.3)

    def row(self, rng: Random, truth: Truth, *, blank: bool) -> ExchangeRow:
        """Several choices about one face."""
        noisy = rng.random() < self.noisy
        system, lead = face_grammar.opening(rng) if noisy else ("", PICTURE)
        asked = []
        for _ in range(EACH):
            told = self._told(rng, truth)
            if noisy:
                one = face_grammar.exchange(rng, "choice", told, system=system, lead=lead)
            else:
                one = Exchange("choice", system, lead, "\n" + told[0], told[1])
            asked.append(one)
        return self.grammar.row(asked, blank=blank)

    def _told(self, rng: Random, truth: Truth) -> emotion_grammar.QA:
        draw = rng.random()
        if draw < self.named:
            return emotion_grammar.emotion_renamed(rng, truth)
        if draw < self.named + self.checks:
            return rng.choices(_CHECKS, _WEIGHTS)[0](rng, truth)
        return emotion_grammar.emotion_chosen(
            rng, truth, most=self.most, plain=self.plain, odd=not self.plain
        )
