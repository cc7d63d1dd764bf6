"""Mix two samples to create a known ambiguity: `mix:0.7` is 70% of the sample and 30% of another.

After MIDAS (arXiv 2506.20867), which trains on mixed clips with mixed labels: here a model that was not trained so is
shown them, and `harness.analyses.rows.mixture` says whether its label distribution follows the mixed soft label. Which sample
is the other one, `harness.run.mix_pairing` decides; the trial records it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.conditions.chain import SIGN, Chain, parts_of
from harness.conditions.family import Worded
from harness.conditions.joined import Joined
from harness.core.condition import Condition
from harness.core.errors import HarnessError, MediaError
from harness.core.medium import Medium
from harness.core.picture import Picture
from harness.media.decode import open_picture
from harness.media.frames import parse_policy
from harness.media.transforms import encode_png
from harness.media.video_file import opened

if TYPE_CHECKING:
    from PIL import Image

PREFIX = "mix:"
FORM = "mix:LAMBDA"
_WEIGHT = re.compile(r"(?:0?\.[0-9]{1,4}|[01](?:\.0{1,4})?)", re.ASCII)
_WITH = "-with-"
"""Between the condition and the other sample's id, in the record of a trial."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Every picture of a sample mixed with one of another sample; frame by frame in clips."""

    name: str
    weight: float
    """0..1: the sample's own part, lambda of mixup; the other has the rest."""
    sample_alone: bool = True

    @property
    def description(self) -> str:
        """One line for lists."""
        return (
            f"each picture mixed with one of another label and subject: {self.weight:g} of its own, "
            f"{round(1 - self.weight, 4):g} of the other"
        )

    def apply(self, medium: Medium) -> Medium:
        """Raises MediaError: there is no mixture without a second sample."""
        raise MediaError(
            f"the condition {self.name} mixes a sample with one of another label and subject, "
            "and the task has none",
            kind="unsupported",
            hint="use it on a task with at least two labels and two subjects",
        )


@dataclass(frozen=True, slots=True)
class Mixed:
    """`Mix` with the other sample known."""

    name: str
    weight: float
    other: Medium
    called: str
    """Id of the other sample."""
    policy: str
    """The frame policy of the task: the other clip is seen through it as the sample is."""
    sample_alone: bool = True

    def apply(self, medium: Medium) -> Medium:
        """Frame i of n with frame i of the other, or where it has m with the one at i(m - 1)/(n - 1).

        Raises MediaError where one is a picture and the other a clip.
        """
        other = parse_policy(self.policy)(opened(self.other))
        if other.kind != medium.kind:
            raise MediaError(
                f"a picture and a clip cannot be mixed (the other sample is {self.called})",
                kind="unsupported",
            )
        count, last = len(medium.frames), len(other.frames) - 1
        frames = tuple(
            MixedPicture(frame, other.frames[_beside(place, count, last)], self.weight)
            for place, frame in enumerate(medium.frames)
        )
        told = f"{PREFIX}{self.weight:g}{_WITH}{self.called}"
        return replace(medium, frames=frames, changes=(*medium.changes, told))


@dataclass(frozen=True, slots=True)
class MixedPicture:
    """Two pictures in one when it is read: weight * own + (1 - weight) * other, value by value (sRGB as stored).

    The other is scaled and cut about its centre to the size of the first.
    """

    own: Picture
    other: Picture
    weight: float

    @property
    def name(self) -> str:
        return f"{self.own.name} ({PREFIX}{self.weight:g}{_WITH}{self.other.name})"

    def read(self) -> bytes:
        """PNG bytes, the same each time. Raises MediaError where one of the two cannot be used."""
        return encode_png(mixed(open_picture(self.own), open_picture(self.other), self.weight))


def mixed(own: Image.Image, other: Image.Image, weight: float) -> Image.Image:
    """The mixture of two RGB pictures, in the size of the first, rounded to whole values."""
    import numpy as np
    from PIL import Image, ImageOps

    if other.size != own.size:
        other = ImageOps.fit(other, own.size, Image.Resampling.LANCZOS)
    a, b = (np.asarray(picture, dtype=np.float64) for picture in (own, other))
    return Image.fromarray((weight * a + (1 - weight) * b).round().clip(0, 255).astype(np.uint8))


def _beside(place: int, count: int, last: int) -> int:
    """The frame of another clip, numbered 0..last, that stands beside frame `place` of `count`."""
    return last // 2 if count == 1 else (2 * place * last + count - 1) // (2 * (count - 1))


def _mix(name: str, weight: str) -> Mix:
    """The condition that `mix:LAMBDA` names. Raises HarnessError for what is no number from 0 to 1."""
    if _WEIGHT.fullmatch(weight) is None:
        raise HarnessError(
            f"condition {name}: {weight!r} is not between 0 and 1",
            hint=f"write {FORM}, such as mix:0.5 or mix:0.75",
        )
    return Mix(name, float(weight))


MIX = Worded(
    "mix",
    FORM,
    "each picture mixed with one of another label and subject, LAMBDA of its own: mix:0.7",
    _mix,
)


def weight_of(condition: str) -> float | None:
    """The weight in the name of a condition, whatever stands around it; None where it mixes nothing."""
    parts = [part for part in parts_of(condition) if part.startswith(PREFIX)]
    return float(parts[0].removeprefix(PREFIX)) if len(parts) == 1 else None


def unmixed(condition: str) -> str:
    """The name of a condition without its mixture: `none` where nothing is left."""
    joined = (
        SIGN.join(part for part in one.split(SIGN) if not part.startswith(PREFIX))
        for one in condition.split("+")
    )
    return "+".join(filter(None, joined)) or "none"


def partner_in(changes: object) -> str | None:
    """The id of the other sample, read off the recorded changes of a trial; None where there was none."""
    for change in changes if isinstance(changes, list | tuple) else ():
        if isinstance(change, str) and change.startswith(PREFIX) and _WITH in change:
            return change.partition(_WITH)[2]
    return None


def mixes(condition: Condition) -> bool:
    """Whether a condition needs a second sample."""
    if isinstance(condition, Joined | Chain):
        return any(mixes(part) for part in condition.parts)
    return isinstance(condition, Mix)


def beside(condition: Condition, other: Medium, *, called: str, policy: str) -> Condition:
    """The condition with its second sample; `called` is that sample's id, `policy` the task's frame policy."""
    if isinstance(condition, Mix):
        return Mixed(condition.name, condition.weight, other, called, policy)
    if isinstance(condition, Joined | Chain):
        parts = [beside(part, other, called=called, policy=policy) for part in condition.parts]
        return replace(condition, parts=tuple(parts))
    return condition
