"""Pairs of drawn pictures: the same person in another pose, light and expression, or another person.

Persons are parted into ten folds, and no person is in pairs of two folds. Of each person as many pairs are genuine as
are impostors; half of the impostors are look-alikes: of another face, with the hair style, glasses and beard of the
first and a skin tone at most one step away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from harness.faces.face import Face, Split
from harness.faces.prototypes import BASIC_7
from harness.faces.sampling import face_at, stream

PairType = Literal["genuine", "other person", "look-alike"]
EACH = 12
"""Pairs in which a person is the first."""
FOLDS = 10
_PAIR = 9
"""Of the streams of random numbers (`harness.faces.sampling`)."""
_TYPES: tuple[PairType, ...] = ("genuine", "look-alike", "genuine", "other person")
TONES = ((3, "1-3"), (7, "4-7"), (10, "8-10"))
"""Last step of the Monk scale -> name of the band."""


@dataclass(frozen=True, slots=True)
class FacePair:
    """Two faces and how they belong together."""

    first: Face
    second: Face
    pair: PairType
    fold: int
    """1 to 10."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "first": self.first.to_dict(), "second": self.second.to_dict(), "pair": self.pair,
            "fold": self.fold,
        }  # fmt: skip


def pair_at(index: int, *, n: int, seed: int, split: Split) -> FacePair:
    """Pair number `index` of `n`. Raises HarnessError for an unknown split or a negative seed."""
    persons = max(2 * FOLDS, n // EACH)
    person, place = index % persons, index // persons
    rng = stream(seed, split, _PAIR, person)
    order = [(a, b) for a in range(len(BASIC_7)) for b in range(len(BASIC_7)) if a != b]
    pictures = [order[i] for i in rng.permutation(len(order))]
    one, other = pictures[place % len(pictures)]
    fold = person * FOLDS // persons
    first = face_at(person * len(BASIC_7) + one, seed=seed, split=split)
    pair: PairType = _TYPES[(place + person) % 4]
    whose = person
    if pair == "other person":
        mates = [p for p in range(persons) if p * FOLDS // persons == fold and p != person]
        whose = mates[int(rng.integers(len(mates), size=place + 1)[-1])]
    elif pair == "look-alike":
        whose = persons + index  # a person who is in no other pair
    second = face_at(whose * len(BASIC_7) + other, seed=seed, split=split)
    if pair == "look-alike":
        second = _made_alike(second, first)
    return FacePair(first, second, pair, fold + 1)


def _made_alike(face: Face, to: Face) -> Face:
    """The face with the hair style, glasses, beard and, if it is further away than a step, the skin tone of another."""
    own, given = face.identity, to.identity
    tone = own.skin_tone if abs(own.skin_tone - given.skin_tone) <= 1 else given.skin_tone
    identity = replace(
        own, hair_style=given.hair_style, glasses=given.glasses, beard=given.beard, skin_tone=tone
    )
    return replace(face, identity=identity)


def annotate_pair(pair: FacePair) -> dict[str, Any]:
    """What is known of a pair: same (yes or no), pair, fold, subject, other_subject, emotion, other_emotion; age_group,
    tone_group and glasses where both persons are alike in them, else None."""
    first, second = pair.first.identity, pair.second.identity
    groups = {
        "age_group": (first.age_group, second.age_group),
        "tone_group": (_band(first.skin_tone), _band(second.skin_tone)),
        "glasses": tuple("no" if one.glasses == "none" else "yes" for one in (first, second)),
    }
    return {
        "same": "yes" if pair.pair == "genuine" else "no",
        "pair": pair.pair,
        "fold": str(pair.fold),
        "subject": first.subject,
        "other_subject": second.subject,
        "emotion": pair.first.emotion,
        "other_emotion": pair.second.emotion,
        **{name: one if one == other else None for name, (one, other) in groups.items()},
    }


def _band(tone: int) -> str:
    return next(name for last, name in TONES if tone <= last)
