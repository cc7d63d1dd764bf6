"""Conditions that show some frames of a clip; single pictures pass unchanged."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.medium import Medium
from harness.media.frames import parse_policy


@dataclass(frozen=True, slots=True)
class Frames:
    """A frame policy as a condition, called by the policy's name."""

    name: str
    description: str

    def apply(self, medium: Medium) -> Medium:
        return parse_policy(self.name)(medium)


APEX = Frames("apex", "the apex frame of each clip alone")
ONSET_APEX_OFFSET = Frames("onset-apex-offset", "the onset, apex and offset frame of each clip")
