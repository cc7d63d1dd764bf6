"""Conditions that show or magnify the movement of a clip from its onset to its apex.

Onset and apex are those annotated, else stood in for as `harness.media.frames` says. A single picture,
and a clip in which onset and apex are one frame, have no movement to show: the trial fails as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from harness.conditions.family import ConditionFamily
from harness.core.errors import MediaError
from harness.core.medium import Medium
from harness.media import flow
from harness.media.derived import Derived, Make, difference
from harness.media.frames import Moments, keep, moments

GAIN = 4.0
"""How many times the change of a pixel is made larger in a difference picture."""


@dataclass(frozen=True, slots=True)
class OnsetApexPair:
    """One picture made from the onset frame and the apex frame."""

    name: str
    description: str
    make: Make
    text: str
    """What is shown, for prompts."""
    legend: str = ""
    whole_clip: bool = True

    @property
    def variables(self) -> Mapping[str, str]:
        told = {"shown": self.text}
        return {**told, "flow_legend": self.legend} if self.legend else told

    def apply(self, medium: Medium) -> Medium:
        found = _moving(medium, self.name)
        onset, apex = medium.frames[found.onset], medium.frames[found.apex]
        numbers = f"{medium.indices[found.onset]}-to-{medium.indices[found.apex]}"
        return replace(
            medium,
            frames=(Derived((onset, apex), self.name, self.make),),
            indices=(medium.indices[found.apex],),
            changes=(*medium.changes, f"{self.name}-{numbers}", *_notes(found)),
        )


@dataclass(frozen=True, slots=True)
class Magnified:
    """Onset, apex and offset frame, the movement of the last two since the onset made larger."""

    name: str
    description: str
    factor: float
    text: str
    whole_clip: bool = True

    @property
    def variables(self) -> Mapping[str, str]:
        return {"shown": self.text}

    def apply(self, medium: Medium) -> Medium:
        found = _moving(medium, self.name)
        places = sorted({found.onset, found.apex, found.offset})
        onset = medium.frames[found.onset]
        make = partial(flow.magnify, factor=self.factor)
        frames = tuple(
            medium.frames[place]
            if place == found.onset
            else Derived((onset, medium.frames[place]), self.name, make)
            for place in places
        )
        shown = keep(medium, places, "onset-apex-offset", found.notes)
        return replace(shown, frames=frames, changes=(*shown.changes, self.name))


def _moving(medium: Medium, name: str) -> Moments:
    if medium.kind != "clip":
        raise MediaError(
            f"condition {name} needs a clip; a single picture shows no motion",
            kind="unsupported",
            hint="use it on tasks whose samples are clips",
        )
    found = moments(medium)
    if found.onset == found.apex:
        medium.frames[found.apex].read()  # frames that are not there at all are told as such
        raise MediaError(
            f"onset and apex are the same frame ({medium.indices[found.apex]}), so condition "
            f"{name} has no motion to show; the clip has {len(medium.frames)} frame(s)",
            kind="unsupported",
            hint="use clips with at least two frames and an onset before the apex",
        )
    return found


def _notes(found: Moments) -> tuple[str, ...]:
    return tuple(note for note in found.notes if not note.startswith("offset"))


def _magnified(name: str, number: float) -> Magnified:
    return Magnified(
        name,
        f"onset, apex and offset with the motion since the onset magnified {number:g} times",
        number,
        "These are the onset, apex and offset frames of one micro-expression, in order of time; the "
        f"movement since the onset was made {number:g} times as large as it is.",
    )


DIFFERENCE = OnsetApexPair(
    "difference",
    f"apex minus onset, {GAIN:g} times, on mid-grey",
    partial(difference, gain=GAIN),
    "This picture is the difference between the onset and the apex frame of one micro-expression, made "
    f"{GAIN:g} times as large: mid-grey did not change, lighter parts became lighter, darker parts "
    "became darker.",
)
_FLOW_TEXT = (
    "This picture shows the optical flow from the onset to the apex of one micro-expression: how each "
    "part of the face moved."
)
OPTICAL_FLOW = OnsetApexPair(
    "optical-flow",
    "optical flow from onset to apex as colours (dense inverse search, OpenCV)",
    partial(flow.flow_picture, method="dis"),
    _FLOW_TEXT,
    flow.LEGEND,
)
OPTICAL_FLOW_TVL1 = OnsetApexPair(
    "optical-flow-tvl1",
    "optical flow by TV-L1 (needs OpenCV with its contrib modules)",
    partial(flow.flow_picture, method="tvl1"),
    _FLOW_TEXT,
    flow.LEGEND,
)
MAGNIFIED = ConditionFamily(
    "magnified-N",
    "onset, apex and offset with the motion since the onset magnified N times: magnified-4",
    _magnified,
    whole=False,
    most=50,
)
