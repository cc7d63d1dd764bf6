"""Movements that give a face a wanted value of a cue: targets for its action units.

A recipe leads from the units of a face towards its targets; units of the cue that it neither names
nor keeps go to rest. The numbers are ours; the names of the values are those of
`harness.faces.cues`.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.faces.units import Unit, both


@dataclass(frozen=True, slots=True)
class Recipe:
    """One movement towards a value."""

    targets: tuple[Unit, ...] = ()
    """Units at the end of the movement."""
    keep: tuple[int, ...] = ()
    """Units of the cue that stay as they are."""


CUE_UNITS: dict[str, tuple[int, ...]] = {
    "eyebrows": (1, 2, 4),
    "eyes": (5, 7, 43),
    "mouth": (12, 14, 15, 17, 20, 23, 24, 25, 26, 27),
    "cheeks": (6, 7),
    "nose": (9, 10),
}
"""The units that may move for a cue."""

_OPENING = (25, 26, 27)

RECIPES: dict[str, dict[str, tuple[Recipe, ...]]] = {
    "eyebrows": {
        "neutral": (
            Recipe(),
            Recipe((both(1, 0.6), both(2, 0.3))),  # against a strong nose wrinkler
        ),
        "raised": (
            Recipe((both(1, 0.8), both(2, 0.8))),
            Recipe((both(1, 0.5), both(2, 1.0))),
            Recipe((both(1, 1.0), both(2, 0.8))),
        ),
        "lowered": (Recipe((both(4, 0.9),)),),
        "inner-raised": (
            Recipe((both(1, 0.9),)),
            Recipe((both(1, 0.9), both(4, 0.6))),
            Recipe((both(1, 0.9), both(4, 0.3))),
        ),
        "asymmetrical": (
            Recipe((Unit(1, 0.6, 0.0), Unit(2, 0.9, 0.0))),
            Recipe((Unit(1, 0.0, 0.6), Unit(2, 0.0, 0.9))),
            Recipe((Unit(1, 0.3, 0.0), Unit(2, 0.9, 0.0), Unit(4, 0.0, 0.4))),
        ),
    },
    "eyes": {
        "normal": (Recipe(), Recipe((both(5, 0.6),)), Recipe((both(7, 0.4),))),
        "wide": (Recipe((both(5, 1.0),)),),
        "narrowed": (Recipe((both(7, 1.0),)), Recipe((both(43, 0.6),))),
        "closed": (Recipe((both(43, 1.0),)),),
    },
    "mouth": {
        "neutral": (Recipe(keep=_OPENING), Recipe()),
        "smile": (
            Recipe((both(12, 0.9),), keep=_OPENING),
            Recipe((both(12, 0.9),)),
            Recipe((both(12, 0.9), both(25, 0.4))),
        ),
        "frown": (
            Recipe((both(15, 0.9),), keep=(17, *_OPENING)),
            Recipe((both(15, 0.9),)),
            Recipe((both(15, 0.9), both(25, 0.4))),
        ),
        "open": (
            Recipe(keep=_OPENING),
            Recipe((both(25, 0.9), both(26, 0.7))),
            Recipe((both(25, 1.0), both(27, 0.6))),
        ),
        "pressed": (
            Recipe((both(24, 0.9),), keep=(17,)),
            Recipe((both(24, 0.9), both(25, 0.6))),
        ),
    },
    "cheeks": {
        # Cheeks that fall open the eyes a little: there the lid tightener makes up for it.
        "neutral": (Recipe(keep=(7,)), Recipe((both(7, 0.8),))),
        "raised": (Recipe((both(6, 1.0),), keep=(7,)), Recipe((both(6, 1.0),))),
    },
    "nose": {
        "neutral": (Recipe(keep=(10,)), Recipe()),
        "wrinkled": (Recipe((both(9, 0.9),), keep=(10,)),),
    },
}
"""Cue to value to the recipes for it, in the order in which they are tried."""


def towards(units: tuple[Unit, ...], recipe: Recipe, *, cue: str, share: float) -> tuple[Unit, ...]:
    """The units after a share (0 to 1) of a recipe's movement, by number."""
    targets = {u.number: u for u in recipe.targets}
    found: dict[int, Unit] = {}
    now = {u.number: u for u in units}
    for number in sorted({*now, *targets}):
        start = now.get(number, both(number, 0.0))
        if number not in CUE_UNITS[cue] or (number in recipe.keep and number not in targets):
            found[number] = start
            continue
        end = targets.get(number, both(number, 0.0))
        left = round(start.left + share * (end.left - start.left), 4)
        right = round(start.right + share * (end.right - start.right), 4)
        if max(left, right) > 0:
            found[number] = Unit(number, left, right)
    return tuple(found.values())
