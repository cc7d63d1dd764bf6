"""A condition of the example package."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import ImageOps

from harness.core.medium import Medium
from harness.media.transforms import transformed


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Every picture with left and right exchanged."""

    name: str = "mirrored"
    description: str = "left and right exchanged"

    def apply(self, medium: Medium) -> Medium:
        """The medium, mirrored when it is read."""
        return transformed(medium, transform=self.name, change=ImageOps.mirror)


MIRRORED = Mirrored()
