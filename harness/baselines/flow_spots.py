"""Spot micro-expressions in long videos from optical flow alone, without training.

A micro-expression comes and goes: seen from its apex, the frame REACH seconds before and the one REACH seconds after lie
in the same direction. So for each frame the flow to both is measured at the landmarks of brows, nose wings and mouth, and
what the two have in common is the strength of the frame; a change that stays (a macro-expression, a turn of the head) has
little in common. The idea to hold a frame against those before and after it is that of Moilanen, Zhao and Pietikäinen
(ICPR 2014), there with texture. Brows count only where they move more than the lids, so that a blink is no expression.
Peaks above THRESHOLD of the distance between the eyes are spotted, LENGTH seconds long. The landmarks of drawn frames are
exact; of others a table says them for each window, or the detector looks at the first frame of each. Tuned and measured on
drawn videos alone: what it finds in films of real faces has not been measured.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.core.errors import HarnessError, MediaError
from harness.core.marks import Marked
from harness.core.medium import Medium
from harness.core.picture import Picture
from harness.core.sample import Sample
from harness.imports.spot_tables import COLUMNS
from harness.media.decode import open_picture
from harness.media.flow import flow_between
from harness.media.marks import marks_of
from harness.metrics.spots import Spot
from harness.sources.windows import VIDEO

Floats = NDArray[np.float64]
_Small: TypeAlias = "tuple[Image.Image, float]"

REACH, LENGTH = 0.23, 0.35
"""Seconds."""
THRESHOLD = 0.008
"""Share of the distance between the eyes. Chosen on drawn videos of other people (split train, seed 2), in which every peak
above it is a micro-expression."""
STRONGEST = 12
"""Landmarks over whose strength the mean is taken."""
BROWS, LIDS, LOWER = slice(17, 27), slice(36, 48), (*range(31, 36), *range(48, 68))
"""Places among 68 landmarks."""
RATE = 30.0
"""Frames a second that are looked at; of a faster video every n-th."""
LARGEST = 640
"""Pixels of the longer side to which larger frames are scaled down."""
UNNAMED = "unknown"
"""The emotion of a spotted interval: flow alone names none."""


@dataclass(slots=True)
class FlowVideo:
    """The frames of one long video, gathered from its windows."""

    subject: str
    name: str
    fps: float
    frames: dict[int, Picture] = field(default_factory=dict)
    windows: dict[int, Medium] = field(default_factory=dict)
    """First frame of a window -> the window, whose landmarks hold for its frames where these have none of their own."""


@dataclass(frozen=True, slots=True)
class FlowSpots:
    """What was spotted in one video."""

    spots: tuple[Spot, ...]
    """In order of time."""
    unseen: int
    """Frames in whose window no face was found; nothing is spotted there."""


def gather_videos(samples: Iterable[Sample]) -> list[FlowVideo]:
    """The videos that the windows of a spotting task lie over, in their order.

    Raises HarnessError for a video whose windows tell no frame rate.
    """
    found: dict[tuple[str, str], FlowVideo] = {}
    for sample in samples:
        medium = sample.medium
        key = (str(sample.annotations["subject"]), str(sample.annotations[VIDEO]))
        if not medium.fps:
            raise HarnessError(f"{key[1]}: no frame rate", hint="set source.fps")
        video = found.setdefault(key, FlowVideo(*key, medium.fps))
        video.frames.update(zip(medium.indices, medium.frames, strict=True))
        video.windows[medium.indices[0]] = medium
    return list(found.values())


def spot_video(video: FlowVideo, *, on_frame: Callable[[int], None] = lambda n: None) -> FlowSpots:
    """The spotted intervals of a video. Raises HarnessError where no landmarks are known."""
    numbers = sorted(video.frames)
    step = max(1, round(video.fps / RATE))
    places = range(0, len(numbers), step)
    strength, unseen = _strengths([numbers[p] for p in places], video, on_frame, video.fps / step)
    half = max(1, round(LENGTH * video.fps / 2))
    found = []
    for peak in _peaks(_smooth(strength), THRESHOLD, apart=max(1, round(2 * half / step))):
        place = places[peak]
        onset, offset = max(0, place - half), min(len(numbers) - 1, place + half)
        found.append(Spot(video.subject, video.name, numbers[onset], numbers[offset], UNNAMED))
    return FlowSpots(tuple(sorted(found, key=lambda spot: spot.onset)), unseen * step)


def _strengths(
    numbers: Sequence[int], video: FlowVideo, on_frame: Callable[[int], None], fps: float
) -> tuple[Floats, int]:
    """(n,) what the flows of each frame to those before and after it have in common, 0 near both ends and where no face
    was found; and at how many frames none was."""
    reach = max(1, round(REACH * fps))
    images: dict[int, _Small] = {}
    found = np.zeros(len(numbers))
    points, unseen = _Landmarks(video), 0
    for place in range(reach, len(numbers) - reach):
        for near in (place - reach, place, place + reach):
            if near not in images:
                images[near] = _small(video.frames[numbers[near]])
        here, scale = images[place]
        seen = points.at(numbers[place])
        if seen is None:
            unseen += 1
        else:
            before = flow_between([here, images[place - reach][0]], method="dis")
            after = flow_between([here, images[place + reach][0]], method="dis")
            found[place] = strength(before, after, seen * scale)
        images.pop(place - reach)
        on_frame(place)
    points.refuse_blind()
    return found, unseen


def _small(frame: Picture) -> _Small:
    """The frame with at most LARGEST pixels on its longer side, and how much smaller it is."""
    image = open_picture(frame)
    side = max(image.size)
    if side <= LARGEST:
        return image, 1.0
    scale = LARGEST / side
    return image.resize((round(image.width * scale), round(image.height * scale))), scale


class _Landmarks:
    """The landmarks of the frames of one video: their own, or those of the window they lie in."""

    def __init__(self, video: FlowVideo) -> None:
        self._video = video
        self._firsts = sorted(video.windows)
        self._known: dict[int, Floats | None] = {}
        self._reason: MediaError | None = None

    def at(self, number: int) -> Floats | None:
        """(68, 2) pixels of the whole frame; None where no face was found. Raises HarnessError where nothing says."""
        frame = self._video.frames[number]
        if isinstance(frame, Marked):
            return self._checked(frame.marks().points)
        if not self._firsts:
            raise self._unknown()
        first = self._firsts[max(0, bisect_right(self._firsts, number) - 1)]
        if first not in self._known:
            self._known[first] = self._of_window(self._video.windows[first])
        return self._known[first]

    def _of_window(self, medium: Medium) -> Floats | None:
        try:
            return self._checked(marks_of(medium, wanted_by="spotting from flow").points)
        except MediaError as error:
            if medium.finder is None:
                raise self._unknown() from None
            self._reason = error
            return None

    def _checked(self, points: Sequence[tuple[float, float]]) -> Floats:
        if len(points) != 68:
            raise self._unknown()
        return np.asarray(points, dtype=np.float64)

    def _unknown(self) -> HarnessError:
        return HarnessError(
            f"{self._video.name}: the 68 landmarks of its frames are not known",
            hint="let the detector look (--set source.marks=auto), or name a table with landmarks of every window: "
            "--set source.marks=FILE",
        )

    def refuse_blind(self) -> None:
        """Raise HarnessError where the detector found no face in any window."""
        if self._reason is not None and not any(one is not None for one in self._known.values()):
            raise HarnessError(
                f"{self._video.name}: no face was found in it", hint=self._reason.hint
            )


def strength(before: NDArray[np.float32], after: NDArray[np.float32], points: Floats) -> float:
    """How far a face has come and goes again, as a share of the distance between the eyes.

    `before` and `after` are flow fields (height, width, 2) from a frame to an earlier and to a later one, `points` its
    68 landmarks.
    """
    places = np.clip(points.round().astype(int), 0, np.array(before.shape[1::-1]) - 1)
    back, on = (flow[places[:, 1], places[:, 0]].astype(np.float64) for flow in (before, after))
    common = np.sqrt(np.clip((back * on).sum(axis=1), 0, None))
    common = np.minimum(common, 1.5 * np.minimum(*(np.linalg.norm(f, axis=1) for f in (back, on))))
    brows = common[BROWS] * (common[BROWS].mean() > common[LIDS].mean())
    counted = np.sort(np.concatenate([brows, common[list(LOWER)]]))[-STRONGEST:]
    eyes = np.linalg.norm(points[36:42].mean(axis=0) - points[42:48].mean(axis=0))
    return float(counted.mean() / eyes)


def _smooth(values: Floats) -> Floats:
    window = np.hanning(7)[1:-1]
    return np.convolve(np.pad(values, 2, mode="edge"), window / window.sum(), "valid")


def _peaks(values: Floats, least: float, *, apart: int) -> Iterator[int]:
    """Places of the greatest values, each `apart` from all greater ones."""
    free = np.ones(len(values), dtype=np.bool_)
    for place in np.argsort(-values, kind="stable").tolist():
        if values[place] < least:
            return
        if free[place]:
            yield place
            free[max(0, place - apart) : place + apart + 1] = False


def spots_table(spots: Iterable[Spot]) -> str:
    """Spotted intervals in the columns of ME-STR."""
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows((s.subject, s.video, s.onset, s.offset, s.emotion) for s in spots)
    return lines.getvalue()
