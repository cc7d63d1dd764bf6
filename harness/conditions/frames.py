"""Conditions that show selected frames of a clip; single pictures are unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.conditions.family import ConditionFamily
from harness.core.medium import Medium
from harness.media.frames import parse_policy


@dataclass(frozen=True, slots=True)
class Frames:
    """A frame policy as a condition, called by the policy's name. It chooses from the whole clip."""

    name: str
    description: str
    text: str
    """What is shown, for prompts."""
    plain: bool = False
    """What is shown is what prompts say of a clip's frames by themselves."""
    whole_clip: bool = True
    in_place: bool = True

    @property
    def variables(self) -> Mapping[str, str]:
        return {} if self.plain else {"shown": self.text}

    def apply(self, medium: Medium) -> Medium:
        return parse_policy(self.name)(medium)


def _uniform(name: str, number: float) -> Frames:
    text = "These are frames of one clip, evenly spaced from its first frame to its last, in order of time."
    return Frames(name, f"{number:g} frames evenly spaced over each clip", text)


def _around(name: str, number: float) -> Frames:
    text = (
        "These are successive frames of one clip around its apex, where the movement is strongest, in "
        "order of time."
    )
    return Frames(name, f"the apex and up to {number:g} frames on each side", text)


APEX = Frames(
    "apex", "the apex frame of each clip alone",
    "This is the apex frame of a micro-expression, where the movement is strongest.", plain=True,
)  # fmt: skip
ONSET_APEX_OFFSET = Frames(
    "onset-apex-offset", "the onset, apex and offset frame of each clip",
    "These are the onset, apex and offset frames of one micro-expression, in order of time.",
    plain=True,
)  # fmt: skip
ALL = Frames(
    "all", "every frame of each clip", "These are all frames of one clip, in order of time."
)
UNIFORM = ConditionFamily("uniform-N", "N frames evenly spaced over each clip: uniform-8", _uniform)
AROUND_APEX = ConditionFamily(
    "around-apex-N", "the apex and up to N frames on each side: around-apex-3", _around
)
