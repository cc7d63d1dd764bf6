"""Pictures in another size: `resize:224`.

Overrides the task's own `media.resize`: the picture is scaled once, from what the data set holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.conditions.family import Worded
from harness.core.errors import HarnessError
from harness.core.medium import Medium
from harness.media.transforms import resize

FORM = "resize:SIDE"
LARGEST = 4096


@dataclass(frozen=True, slots=True)
class Resize:
    """Every picture scaled, up or down, until its longer side has so many pixels."""

    name: str
    side: int
    sizes: bool = True

    @property
    def description(self) -> str:
        """One line for lists."""
        return f"longer side of {self.side} pixels, whatever the task says"

    def apply(self, medium: Medium) -> Medium:
        return resize(medium, longer_side=self.side)


def _resize(name: str, side: str) -> Resize:
    """The condition that `resize:SIDE` names. Raises HarnessError for a side out of 1 to LARGEST."""
    if not re.fullmatch(r"[1-9][0-9]{0,3}", side, re.ASCII) or int(side) > LARGEST:
        raise HarnessError(
            f"condition {name}: {side!r} is no number of pixels",
            hint=f"write {FORM} with a whole number from 1 to {LARGEST}",
        )
    return Resize(name, int(side))


RESIZE = Worded(
    "resize",
    FORM,
    "the longer side of every picture in pixels, whatever the task says: resize:224",
    _resize,
)
