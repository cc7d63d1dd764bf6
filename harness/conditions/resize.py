"""Pictures in another size: `resize:224` scales all, `resize:at-most-224` those that are larger.

Overrides the task's own `media.resize`: the picture is scaled once, from what the data set holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.conditions.family import Worded
from harness.core.errors import HarnessError
from harness.core.medium import Medium
from harness.media.transforms import resize, shrink

FORM = "resize:SIDE"
AT_MOST = "at-most-"
LARGEST = 4096


@dataclass(frozen=True, slots=True)
class Resize:
    """Every picture scaled, up or down, until its longer side has so many pixels; or down alone."""

    name: str
    side: int
    shrinks: bool = False
    """Whether smaller pictures are left as they are."""
    sizes: bool = True

    @property
    def description(self) -> str:
        """One line for lists."""
        most = "at most " if self.shrinks else ""
        return f"longer side of {most}{self.side} pixels, whatever the task says"

    def apply(self, medium: Medium) -> Medium:
        change = shrink if self.shrinks else resize
        return change(medium, longer_side=self.side)


def _resize(name: str, side: str) -> Resize:
    """The condition that `resize:SIDE` or `resize:at-most-SIDE` names. Raises HarnessError for a side out of 1 to
    LARGEST."""
    shrinks, side = side.startswith(AT_MOST), side.removeprefix(AT_MOST)
    if not re.fullmatch(r"[1-9][0-9]{0,3}", side, re.ASCII) or int(side) > LARGEST:
        raise HarnessError(
            f"condition {name}: {side!r} is not a number of pixels",
            hint=f"write {FORM} with a whole number from 1 to {LARGEST}, or resize:{AT_MOST}SIDE",
        )
    return Resize(name, int(side), shrinks)


RESIZE = Worded(
    "resize",
    FORM,
    "the longer side of every picture in pixels, whatever the task says: resize:224 (resize:at-most-224: none enlarged)",
    _resize,
)
