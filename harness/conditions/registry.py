"""Conditions by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from harness.conditions import crop, cue, mixture, region, resize
from harness.conditions.family import Family
from harness.conditions.joined import Joined
from harness.conditions.label_order import AS_WRITTEN, ordered, split_order
from harness.conditions.prompted import Prompted
from harness.conditions.shots import FORM as SHOTS_FORM
from harness.conditions.shots import MOST_SHOTS, split_shots
from harness.core.condition import Condition
from harness.core.errors import HarnessError
from harness.core.registry import Registry

CONDITIONS = Registry(
    "condition",
    "harness.conditions",
    {
        "none": "harness.conditions.none:NONE",
        "blank": "harness.conditions.blank:BLANK",
        "face-crop": "harness.conditions.crop:FACE_CROP",
        "all": "harness.conditions.frames:ALL",
        "apex": "harness.conditions.frames:APEX",
        "onset-apex-offset": "harness.conditions.frames:ONSET_APEX_OFFSET",
        "uniform-N": "harness.conditions.frames:UNIFORM",
        "around-apex-N": "harness.conditions.frames:AROUND_APEX",
        "contact-sheet": "harness.conditions.sheet:CONTACT_SHEET",
        "contact-sheet-N": "harness.conditions.sheet:SHEET_OF",
        "difference": "harness.conditions.motion:DIFFERENCE",
        "optical-flow": "harness.conditions.motion:OPTICAL_FLOW",
        "optical-flow-tvl1": "harness.conditions.motion:OPTICAL_FLOW_TVL1",
        "magnified-N": "harness.conditions.motion:MAGNIFIED",
        "video": "harness.conditions.video:VIDEO",
        "video-N": "harness.conditions.video:VIDEO_OF",
        "video-slowed-N": "harness.conditions.video:SLOWED",
    },
)
"""Name -> a Condition; a name that ends in `-N` -> a Family of them, one for each number."""

_PREFIXED: Mapping[str, Callable[[str], Condition]] = {
    cue.PREFIX: cue.cue_condition,
    crop.PREFIX: crop.crop_condition,
    resize.PREFIX: resize.resize_condition,
    mixture.PREFIX: mixture.mix_condition,
    region.PREFIX: region.region_condition,
    region.CONTROL: region.region_condition,
}
"""What a name begins with -> a function from the name to its Condition."""

_NUMBERED = re.compile(r"(.+)-([0-9]{1,6}(?:\.[0-9]{1,3})?)", re.ASCII)


def load_condition(name: str) -> Condition:
    """The condition of that name: registered, one of a family (`uniform-8`), several joined by `+`, or any with a label
    order behind it (`label-order:reversed`).

    Raises HarnessError listing the names there are.
    """
    shown, order = split_order(name)
    if order != AS_WRITTEN:
        ordered((), order)
        return Prompted(name, load_condition(shown), f"labels {order}")
    shown, shots = split_shots(name)
    if shots:
        return Prompted(name, load_condition(shown), f"{shots} worked examples first")
    if "+" in name:
        parts = tuple(load_condition(part) for part in name.split("+"))
        film = next((part.name for part in parts if needs_video(part)), None)
        if film is not None:
            raise HarnessError(
                f"condition {name}: {film} shows a clip as one video and stands alone",
                hint=f"run it beside the others: --condition {film} --condition ...",
            )
        return Joined(name, parts)
    for prefix, make in _PREFIXED.items():
        if name.startswith(prefix):
            return make(name)
    numbered = _NUMBERED.fullmatch(name)
    if numbered and f"{numbered[1]}-N" in CONDITIONS.names():
        family: Family = CONDITIONS.load(f"{numbered[1]}-N")
        return family.of(name, float(numbered[2]))
    found: Condition | Family = CONDITIONS.load(name)
    if isinstance(found, Family):
        raise HarnessError(
            f"condition {name}: N is a number to fill in", hint=found.description.split(": ")[-1]
        )
    return found


def needs_video(condition: Condition) -> bool:
    """Whether a condition shows clips as video, behind whatever worked examples and label order."""
    if isinstance(condition, Prompted):
        return needs_video(condition.shown)
    return bool(getattr(condition, "needs_video", False))


def describe_conditions() -> Iterator[tuple[str, str]]:
    """Name and one line of each condition and family."""
    yield cue.FORM, "one cue of a drawn face changed, all else equal: cue:teeth_visible=yes"
    yield (
        region.FORM,
        "a part of the face covered: region:mouth=blur; region:all=blur is each part, and its control",
    )
    yield region.CONTROL_FORM, "as much of the face covered elsewhere: region-control:mouth=blur"
    yield (
        resize.FORM,
        "the longer side of every picture in pixels, whatever the task says: resize:224",
    )
    yield (
        mixture.FORM,
        "each picture mixed with one of another label and subject, LAMBDA of its own: mix:0.7",
    )
    yield (
        SHOTS_FORM,
        f"N (to {MOST_SHOTS}) worked examples first, where the prompt shows them: shots-4",
    )
    for name in CONDITIONS.names():
        yield name, str(getattr(CONDITIONS.load(name), "description", ""))
