"""Conditions that show a clip as one video with its recorded frame times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.conditions.family import ConditionFamily
from harness.core.medium import Medium
from harness.media.frames import parse_policy

_SHOWN = {
    "shown": "This is one clip of a face, from its first frame to its last, in order of time."
}
"""True of the frames one by one too, which a model gets that takes no video."""


@dataclass(frozen=True, slots=True)
class Filmed:
    """The whole clip, or some of its frames, as one video; single pictures pass unchanged.

    The times are those of the clip: a frame's number over the frames per second of the recording. Where these are not
    known, showing the medium fails and says so (`harness.media.video`).
    """

    name: str
    description: str
    policy: str = "all"
    """Which frames, by the name of a frame policy."""
    slowed: float = 1.0
    """How many times as long as they were the times are told."""
    whole_clip: bool = True
    needs_video: bool = True
    in_place: bool = True

    @property
    def variables(self) -> Mapping[str, str]:
        return _SHOWN

    def apply(self, medium: Medium) -> Medium:
        if medium.kind != "clip":
            return medium
        chosen = parse_policy(self.policy)(medium)
        fps = None if chosen.fps is None else chosen.fps / self.slowed
        told = f"{self.name}-at-{'unknown' if fps is None else f'{fps:g}'}-fps"
        return replace(chosen, kind="video", fps=fps, changes=(*chosen.changes, told))


def _some(name: str, number: float) -> Filmed:
    text = f"{number:g} frames evenly spaced over each clip, as one video with their own times"
    return Filmed(name, text, policy=f"uniform-{number:g}")


def _slowed(name: str, number: float) -> Filmed:
    text = f"each clip as one video, with its times stretched {number:g} times"
    return Filmed(name, text, slowed=number)


VIDEO = Filmed(
    "video", "each clip as one video with its own frame times, for models that accept video"
)
VIDEO_OF = ConditionFamily(
    "video-N", "N frames evenly spaced over each clip, as one video with their own times: video-16", _some
)  # fmt: skip
SLOWED = ConditionFamily(
    "video-slowed-N",
    "each clip as one video, with its times stretched N times (for models whose clock is too "
    "slow to order the frames of a micro-expression): video-slowed-20",
    _slowed,
    whole=False,
)
