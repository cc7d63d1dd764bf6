"""The action units that can be drawn, with their FACS and MEGC names.

Numbers and names: Ekman, Friesen & Hager, Facial Action Coding System (2002).
Lower-case names: the vocabulary of the MEGC ME-VQA question files.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.errors import HarnessError

PRESENT_FLOOR = 0.15
"""An action unit is annotated as present when its stronger side reaches this intensity."""


@dataclass(frozen=True, slots=True)
class UnitName:
    """One row of the action unit table."""

    number: int
    """FACS number."""
    facs: str
    """Name in FACS spelling, title case."""
    megc: str
    """Name in the MEGC files, lower case."""
    region: str
    """Where it shows: "brows", "eyes", "nose" or "mouth"."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One action unit at work on a face, each side in [0, 1]."""

    number: int
    """FACS number, one of `UNIT_NUMBERS`."""
    left: float
    """Intensity on the subject's left half (the right half of an unmirrored picture)."""
    right: float
    """Intensity on the subject's right half."""

    def __post_init__(self) -> None:
        if self.number not in UNIT_TABLE:
            raise HarnessError(
                f"action unit {self.number} cannot be drawn",
                hint=f"use one of {', '.join(map(str, UNIT_NUMBERS))}",
            )
        for name, value in (("left", self.left), ("right", self.right)):
            if not 0.0 <= value <= 1.0:
                raise HarnessError(
                    f"action unit {self.number}: {name} intensity {value} is outside 0 to 1",
                    hint="give each side an intensity from 0 to 1",
                )

    @property
    def peak(self) -> float:
        """Intensity of the stronger side, in [0, 1]."""
        return max(self.left, self.right)


_ROWS = (
    (1, "Inner Brow Raiser", "inner brow raiser", "brows"),
    (2, "Outer Brow Raiser", "outer brow raiser", "brows"),
    (4, "Brow Lowerer", "brow lowerer", "brows"),
    (5, "Upper Lid Raiser", "upper lid raiser", "eyes"),
    (6, "Cheek Raiser", "cheek raiser", "eyes"),
    (7, "Lid Tightener", "lid tightener", "eyes"),
    (9, "Nose Wrinkler", "nose wrinkler", "nose"),
    (10, "Upper Lip Raiser", "upper lip raiser", "mouth"),
    (12, "Lip Corner Puller", "lip corner puller", "mouth"),
    (14, "Dimpler", "dimpler", "mouth"),
    (15, "Lip Corner Depressor", "lip corner depressor", "mouth"),
    (17, "Chin Raiser", "chin raiser", "mouth"),
    (20, "Lip Stretcher", "lip stretcher", "mouth"),
    (23, "Lip Tightener", "lip tightener", "mouth"),
    (24, "Lip Pressor", "lip pressor", "mouth"),
    (25, "Lips Part", "lips part", "mouth"),
    (26, "Jaw Drop", "jaw drop", "mouth"),
    (27, "Mouth Stretch", "mouth stretch", "mouth"),
    (43, "Eye Closure", "eye closure", "eyes"),
)

UNIT_TABLE: dict[int, UnitName] = {row[0]: UnitName(*row) for row in _ROWS}
UNIT_NUMBERS: tuple[int, ...] = tuple(UNIT_TABLE)


def both(number: int, intensity: float) -> Unit:
    """The action unit with the same intensity (0 to 1) on both sides."""
    return Unit(number, intensity, intensity)


def present(units: tuple[Unit, ...]) -> tuple[Unit, ...]:
    """The units whose stronger side reaches `PRESENT_FLOOR`, by number."""
    return tuple(sorted((u for u in units if u.peak >= PRESENT_FLOOR), key=lambda u: u.number))
