"""Where a face and its parts lie in a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

from harness.core.picture import Picture

Point: TypeAlias = tuple[float, float]
"""x to the right, y down, in pixels of the upright picture."""

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom, in the same pixels."""

REGION = "region"
"""The annotation that says where the answer is to be seen, as left, top, right, bottom from 0 to 1 of the picture."""

Note: TypeAlias = "tuple[str, str | float | int | bool | None]"
"""Name and cell of an annotation."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What is known of one face; each part may be missing."""

    points: tuple[Point, ...] = ()
    """68 landmarks in the order of iBUG 300-W, or 5: the two eyes, the tip of the nose, the two corners of the mouth,
    of each pair first the left one in the picture."""
    box: Box | None = None
    """The whole face."""
    regions: Mapping[str, tuple[Box, ...]] = field(default_factory=dict)
    """Part of the face -> its boxes: one, or one a side."""


@runtime_checkable
class Marked(Protocol):
    """A picture that knows where its face lies."""

    def marks(self) -> Marks: ...


class FaceFinder(Protocol):
    """Finds faces in pixels, where nothing else says where they lie."""

    @property
    def name(self) -> str:
        """What it is, with its version."""
        ...

    def marks(self, picture: Picture) -> Marks | None:
        """Those of the largest face; None where it finds none, or is not certain. Raises MediaError for
        a picture that cannot be read."""
        ...


@runtime_checkable
class KnownFace(Protocol):
    """A drawn picture that knows what its face does."""

    def units(self) -> Mapping[int, float]:
        """FACS number -> intensity of the stronger side, 0 to 1; units at rest may be left out."""
        ...

    def pose(self) -> tuple[float, float, float]:
        """Yaw (positive: to the right of the picture), pitch (up), roll (clockwise), in degrees."""
        ...


def read_region(written: Any) -> Box | None:
    """An annotation as a region; None where it is none: four numbers from 0 to 1, left < right, top < bottom."""
    try:
        sides = [float(word) for word in str(written).replace(",", " ").split()]
    except ValueError:
        return None
    if len(sides) != 4 or not all(0 <= side <= 1 for side in sides):
        return None
    left, top, right, bottom = sides
    return (left, top, right, bottom) if left < right and top < bottom else None
