"""Spot micro-expressions in long videos from optical flow alone, without training.

A micro-expression comes and goes: seen from its apex, the frame REACH seconds before and the one REACH seconds after lie
in the same direction. So for each frame the flow to both is measured at the landmarks of brows, nose wings and mouth, and
what the two have in common is the strength of the frame; a change that stays (a macro-expression, a turn of the head) has
little in common. The idea to hold a frame against those before and after it is that of Moilanen, Zhao and Pietikäinen
(ICPR 2014), there with texture. Brows count only where they move more than the lids, so that a blink is no expression.
Peaks above THRESHOLD of the distance between the eyes are spotted, LENGTH seconds long.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.core.errors import HarnessError
from harness.core.marks import Marked
from harness.core.picture import Picture
from harness.core.sample import Sample
from harness.imports.spot_tables import COLUMNS
from harness.media.decode import open_picture
from harness.media.flow import flow_between
from harness.metrics.spots import Spot
from harness.sources.windows import VIDEO

Floats = NDArray[np.float64]

REACH, LENGTH = 0.23, 0.35
"""Seconds."""
THRESHOLD = 0.008
"""Share of the distance between the eyes. Chosen on drawn videos of other people (split train, seed 2), in which every peak
above it is a micro-expression."""
STRONGEST = 12
"""Landmarks over whose strength the mean is taken."""
BROWS, LIDS, LOWER = slice(17, 27), slice(36, 48), (*range(31, 36), *range(48, 68))
"""Places among 68 landmarks."""
UNNAMED = "unknown"
"""The emotion of a spotted interval: flow alone names none."""


@dataclass(slots=True)
class FlowVideo:
    """The frames of one long video, gathered from its windows."""

    subject: str
    name: str
    fps: float
    frames: dict[int, Picture] = field(default_factory=dict)


def gather_videos(samples: Iterable[Sample]) -> list[FlowVideo]:
    """The videos that the windows of a spotting task lie over, in their order.

    Raises HarnessError for a video whose windows tell no frame rate.
    """
    found: dict[tuple[str, str], FlowVideo] = {}
    for sample in samples:
        key = (str(sample.annotations["subject"]), str(sample.annotations[VIDEO]))
        if not sample.medium.fps:
            raise HarnessError(f"{key[1]}: no frame rate", hint="set source.fps")
        video = found.setdefault(key, FlowVideo(*key, sample.medium.fps))
        video.frames.update(zip(sample.medium.indices, sample.medium.frames, strict=True))
    return list(found.values())


def spot_video(video: FlowVideo, *, on_frame: Callable[[int], None] = lambda n: None) -> list[Spot]:
    """The spotted intervals of a video, in order of time. Raises HarnessError where no landmarks are known."""
    numbers = sorted(video.frames)
    strength = _strengths([video.frames[n] for n in numbers], video, on_frame)
    half = max(1, round(LENGTH * video.fps / 2))
    found = []
    for place in _peaks(_smooth(strength), THRESHOLD, apart=2 * half):
        onset, offset = max(0, place - half), min(len(numbers) - 1, place + half)
        found.append(Spot(video.subject, video.name, numbers[onset], numbers[offset], UNNAMED))
    return sorted(found, key=lambda spot: spot.onset)


def _strengths(frames: list[Picture], video: FlowVideo, on_frame: Callable[[int], None]) -> Floats:
    """(n,) what the flows of each frame to those before and after it have in common; 0 near both ends."""
    reach = max(1, round(REACH * video.fps))
    images: dict[int, Image.Image] = {}
    found = np.zeros(len(frames))
    for place in range(reach, len(frames) - reach):
        for near in (place - reach, place, place + reach):
            if near not in images:
                images[near] = open_picture(frames[near])
        here = images[place]
        before = flow_between([here, images[place - reach]], method="dis")
        after = flow_between([here, images[place + reach]], method="dis")
        found[place] = strength(before, after, _points(frames[place], video))
        images.pop(place - reach)
        on_frame(place)
    return found


def _points(frame: Picture, video: FlowVideo) -> Floats:
    points = frame.marks().points if isinstance(frame, Marked) else ()
    if len(points) != 68:
        raise HarnessError(
            f"{video.name}: the 68 landmarks of its frames are not known",
            hint="name a table of landmarks with --set source.marks=FILE",
        )
    return np.asarray(points, dtype=np.float64)


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
