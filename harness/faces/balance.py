"""Drawn sets balanced to order: as many people of each combination of traits as of any other.

People are taken from the same endless sequence as in any drawn set, in its order, those whose combination is full being
passed over; so a balanced set holds people of the plain one, each unchanged, with the same ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, product
from types import MappingProxyType

from harness.core.errors import HarnessError
from harness.core.text import counted
from harness.faces import ranges
from harness.faces.face import Identity, Split
from harness.faces.sampling import identity_at


@dataclass(frozen=True, slots=True)
class Trait:
    """One trait of drawn people that sets can be balanced by."""

    values: tuple[str, ...]
    of: Callable[[Identity], str]


TRAITS: Mapping[str, Trait] = MappingProxyType(
    {
        "skin_tone": Trait(tuple(map(str, range(1, 11))), lambda person: str(person.skin_tone)),
        "age_group": Trait(tuple(ranges.AGE_GROUPS), lambda person: person.age_group),
        "glasses": Trait(("no", "yes"), lambda person: "no" if person.glasses == "none" else "yes"),
        "hair": Trait(tuple(ranges.HAIR_STYLES), lambda person: person.hair_style),
    }
)
"""Name of an annotation -> its values. Emotions are balanced in every drawn set: each person shows each once."""
MOST_PASSED_OVER = 2000
"""People passed over in a row, at most; rare combinations take a while."""


@dataclass(frozen=True, slots=True)
class Balanced:
    """Which faces of the endless sequence make a balanced set."""

    indices: tuple[int, ...]
    """Numbers of faces, `harness.faces.face_at` of each being one."""
    people: Mapping[tuple[str, ...], int]
    """Combination of traits -> people drawn in full or in part."""
    faces: Mapping[tuple[str, ...], int]
    """Combination -> faces."""
    each: int
    """People of every combination; some have one more."""
    partial: int
    """Faces of the last person, where these are fewer than the emotions; else 0."""


def balanced(n: int, *, by: Sequence[str], emotions: int, seed: int, split: Split) -> Balanced:
    """`n` faces of `emotions` consecutive ones a person, their people balanced over every combination of `by`.

    Where the people do not divide evenly, the combinations that come first in the sequence have one more. Raises
    HarnessError for an unknown or repeated trait, for fewer people than combinations, and for one that is too rare.
    """
    for name in by:
        if name not in TRAITS or by.count(name) > 1:
            raise HarnessError(
                f"--balance {','.join(by)}: {name!r} is not a trait to balance by, or is given twice",
                hint=f"use names among {', '.join(TRAITS)}; emotions are balanced in every drawn set",
            )
    cells = list(product(*(TRAITS[name].values for name in by)))
    people = -(-n // emotions)
    each, more = divmod(people, len(cells))
    if not each:
        raise HarnessError(
            f"{counted(n, 'face')} can show {counted(people, 'person', 'people')}, fewer than the {len(cells)} combinations of {' and '.join(by)}",
            hint=f"draw at least {len(cells) * emotions} faces, or balance by fewer traits",
        )
    held: Counter[tuple[str, ...]] = Counter()
    faces: Counter[tuple[str, ...]] = Counter()
    found: list[int] = []
    passed = 0
    for subject in count():
        person = identity_at(subject, seed=seed, split=split)
        cell = tuple(TRAITS[name].of(person) for name in by)
        full = held[cell] >= each + 1 or (held[cell] == each and not more)
        if full:
            passed += 1
            if passed > MOST_PASSED_OVER:
                rare = min(cells, key=lambda one: held[one])
                raise HarnessError(
                    f"no person of {', '.join(rare)} among {MOST_PASSED_OVER} in a row",
                    hint="balance by fewer traits",
                )
            continue
        passed = 0
        more -= held[cell] == each
        held[cell] += 1
        shown = min(emotions, n - len(found))
        found += range(subject * emotions, subject * emotions + shown)
        faces[cell] += shown
        if held.total() == people:
            break
    return Balanced(
        tuple(found),
        {cell: held[cell] for cell in cells},
        {cell: faces[cell] for cell in cells},
        each,
        n % emotions,
    )
