"""Conditions that show the frames of a clip as one picture of numbered tiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.conditions.family import ConditionFamily
from harness.core.medium import Medium
from harness.media.frames import parse_policy
from harness.media.sheet import contact_sheet

_SHOWN = {
    "shown": "This picture is a contact sheet of frames of one clip, numbered in order of time from left "
    "to right and from top to bottom. Compare the later frames with the first."
}


@dataclass(frozen=True, slots=True)
class SheetCondition:
    """The frames as one contact sheet; single pictures pass unchanged."""

    name: str
    description: str
    policy: str = "all"
    """Which frames, by the name of a frame policy."""
    whole_clip: bool = False
    """False: of the frames that the task shows."""

    @property
    def variables(self) -> Mapping[str, str]:
        return _SHOWN

    def apply(self, medium: Medium) -> Medium:
        if medium.kind != "clip":
            return medium
        chosen = parse_policy(self.policy)(medium)
        places = ",".join(map(str, chosen.indices))
        return replace(
            chosen,
            frames=(contact_sheet(chosen.frames),),
            indices=chosen.indices[:1],
            changes=(*chosen.changes, f"contact-sheet-of-{places}"),
        )


def _uniform(name: str, number: float) -> SheetCondition:
    description = f"{number:g} frames evenly spaced over each clip, as one contact sheet"
    return SheetCondition(name, description, f"uniform-{number:g}", whole_clip=True)


CONTACT_SHEET = SheetCondition(
    "contact-sheet", "the frames of the task as one picture of numbered tiles"
)
SHEET_OF = ConditionFamily(
    "contact-sheet-N",
    "N frames evenly spaced over each clip, as one picture of numbered tiles: contact-sheet-9",
    _uniform,
)
