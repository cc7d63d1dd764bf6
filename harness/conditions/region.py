"""Cover one part of the face, or an equal area elsewhere on it: `region:mouth=blur`, `region-control:mouth=blur`.

For photographs, where a cue cannot be drawn again. What a model's answer loses by the first beyond what it loses by
the second is its reliance on that region (`harness cues`): not a cause, since covering takes away more than a cue.
Where the parts lie comes from annotations (`harness.media.marks`); a drawn face knows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import get_args

from harness.conditions.chain import SIGN
from harness.conditions.family import Worded
from harness.core.errors import HarnessError
from harness.core.medium import Medium
from harness.media.cover import Fill, Patch, cover, patches_of
from harness.media.marks import marks_of
from harness.media.parts import PARTS, face_unit, part_of
from harness.media.transforms import transformed
from harness.media.verify import upright_size

PREFIX = "region:"
CONTROL = "region-control:"
FORM = "region:PART=FILL"
CONTROL_FORM = "region-control:PART=FILL"
EVERY = "all"
"""As a part: every part and its control; see `expanded`."""
FILLS: tuple[Fill, ...] = get_args(Fill)
_RECORDED = re.compile(
    r"region-control:([a-z]+)=[a-z]+-(?:on|beyond)-face-([0-9]{1,3})%-on-features-at-", re.ASCII
)
_DONE: dict[Fill, str] = {
    "occlude": "covered by mid-grey",
    "blur": "blurred",
    "mean": "filled with its mean colour",
}


@dataclass(frozen=True, slots=True)
class Region:
    """A part covered in every picture; of a clip, at the place it has in the first frame."""

    name: str
    part: str
    fill: Fill
    control: bool
    """Whether the same area elsewhere is covered instead."""
    sample_alone: bool = True
    in_place: bool = True

    @property
    def description(self) -> str:
        """One line for lists."""
        what = (
            f"an equally large area of the face other than the {self.part}"
            if self.control
            else self.part
        )
        return f"{what}, {_DONE[self.fill]}"

    def apply(self, medium: Medium) -> Medium:
        """Raises MediaError where nothing says where the part lies, or it cannot be covered."""
        marks = marks_of(medium, wanted_by=self.name)
        size = upright_size(medium.frames[0])
        patches = patches_of(part_of(marks, self.part), size)
        told = ""
        if self.control:
            from harness.media.control import elsewhere

            found = elsewhere(patches, marks, size)
            patches = found.patches
            place = "on-face" if found.on_face else "beyond-face"
            told = f"-{place}-{found.features:.0%}-on-features"
        change = partial(cover, patches=patches, fill=self.fill, unit=face_unit(marks))
        return transformed(
            medium, transform=f"{self.name}{told}-at-{_places(patches)}", change=change
        )


def _places(patches: tuple[Patch, ...]) -> str:
    """Left, top, width and height of each patch."""
    return "-and-".join(
        ",".join(map(str, (p.left, p.top, p.mask.shape[1], p.mask.shape[0]))) for p in patches
    )


def _region(name: str, words: str) -> Region:
    """The condition that `region:PART=FILL` or `region-control:PART=FILL` names. Raises HarnessError."""
    control = name.startswith(CONTROL)
    part, equals, fill = words.partition("=")
    if part == EVERY and not control:
        raise HarnessError(
            f"condition {name} stands for every part and its control",
            hint="it can be used with `harness run` and `harness plan`; here, name one part, "
            f"such as {PREFIX}mouth={fill or FILLS[0]}",
        )
    if not equals or part not in PARTS:
        raise HarnessError(
            f"condition {name}: unknown face part {part!r}",
            hint=f"write {CONTROL_FORM if control else FORM} with one of {', '.join(PARTS)}",
        )
    if fill not in FILLS:
        raise HarnessError(
            f"condition {name}: unknown fill {fill!r}",
            hint=f"use one of {', '.join(FILLS)}",
        )
    return Region(name, part, fill, control)


REGION = Worded(
    "region",
    FORM,
    "one part of the face covered: region:mouth=blur; region:all=blur is every part and its "
    "control",
    _region,
)
REGION_CONTROL = Worded(
    "region-control",
    CONTROL_FORM,
    "an equally large other area of the face covered: region-control:mouth=blur",
    _region,
)


def on_features(change: str) -> tuple[str, float] | None:
    """Part and share of its control that lies on features, 0 to 1, read off a recorded change; None for any other."""
    found = _RECORDED.match(change)
    return (found[1], int(found[2]) / 100) if found else None


def expanded(name: str) -> tuple[str, ...]:
    """`region:all=blur` as the conditions of every part and its control; any other name as it is."""
    if not name.startswith(f"{PREFIX}{EVERY}="):
        return (name,)
    rest = name.removeprefix(f"{PREFIX}{EVERY}")
    return tuple(f"{prefix}{part}{rest}" for part in PARTS for prefix in (PREFIX, CONTROL))


def covered(name: str) -> tuple[str, str, bool] | None:
    """Part, fill and whether it is the control, of a condition that covers a part; None for any other."""
    if not name.startswith((PREFIX, CONTROL)) or "+" in name or SIGN in name:
        return None
    found = _region(name, name.partition(":")[2])
    return found.part, found.fill, found.control
