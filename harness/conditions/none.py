"""The condition that changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.medium import Medium


@dataclass(frozen=True, slots=True)
class Unchanged:
    """What the task shows is what the model sees."""

    name: str = "none"
    description: str = "the picture or clip as it is"
    in_place: bool = True

    def apply(self, medium: Medium) -> Medium:
        return medium


NONE = Unchanged()
