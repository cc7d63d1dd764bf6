"""The condition that hides the face, to measure the effect of the prompt alone."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.medium import Medium
from harness.media.transforms import blank


@dataclass(frozen=True, slots=True)
class Blank:
    """Every picture becomes uniform mid-grey of its own size."""

    name: str = "blank"
    description: str = (
        "uniform mid-grey instead of every picture: shows what the prompt alone gives"
    )
    sample_alone: bool = True
    in_place: bool = True

    def apply(self, medium: Medium) -> Medium:
        return blank(medium)


BLANK = Blank()
