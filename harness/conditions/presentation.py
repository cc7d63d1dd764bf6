"""A condition as it is written on the command line and in the files of a run: pictures, few-shot examples, how pictures
are sent, label order.

`apex+shots-4+label-order:reversed` shows the apex behind four few-shot examples, the labels in reversed order. Here
alone such a word is taken apart; everything else reads the fields of the cell.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.conditions.label_order import ordered, split_order
from harness.conditions.registry import load_condition
from harness.conditions.shots import split_shots
from harness.core.cell import AS_WRITTEN, spelled_condition
from harness.core.condition import Condition
from harness.core.sent_pictures import split_sent


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a sample is shown as, and behind what."""

    condition: str
    """The condition whose pictures are shown."""
    shots: int = 0
    label_order: str = AS_WRITTEN
    pixels: int = 0
    """The most pixels of each picture; 0: as they are."""
    detail: str = ""
    """At which detail a server is asked to look; empty: nothing is said."""

    @property
    def name(self) -> str:
        """In one word."""
        return spelled_condition(
            self.condition, self.shots, self.label_order, pixels=self.pixels, detail=self.detail
        )

    def load(self) -> Condition:
        """The condition of the pictures. Raises HarnessError for one that does not exist."""
        return load_condition(self.condition)


def read_presentation(written: str) -> Presentation:
    """A written condition taken apart. Raises HarnessError for a part that does not exist."""
    shown, order = split_order(written)
    ordered((), order)
    bare, pixels, detail = split_sent(shown)
    base, shots = split_shots(bare)
    load_condition(base)
    return Presentation(base, shots, order, pixels, detail)
