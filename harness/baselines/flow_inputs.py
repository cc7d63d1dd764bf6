"""What the flow network sees of a clip: the movement from onset to apex, and how well that movement is measured.

Three planes: flow to the right, flow downward, and optical strain, the size of the symmetric part of the gradient of the
flow (Shreve, Godavarthy, Goldgof and Sarkar, FG 2011), as in STSTNet (Liong, Gan, See, Khor and Huang, FG 2019). Flow is
that of `harness.media.flow`, in hundredths of the longer side, averaged over a grid of SIDE x SIDE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError, MediaError
from harness.core.marks import Marked
from harness.core.picture import Picture
from harness.core.sample import Sample
from harness.media.decode import open_picture
from harness.media.flow import Method, flow_between
from harness.media.frames import moments

Floats = NDArray[np.float32]

SIDE = 28
"""Cells of the grid, as in STSTNet."""
PLANES = 3
EYES = (slice(36, 42), slice(42, 48))
"""The two eyes among 68 landmarks."""


@dataclass(frozen=True, slots=True)
class FlowError:
    """How far measured movement is from the true one at the landmarks of one clip."""

    endpoint: float
    """Mean distance between measured and true movement of a landmark, in pixels (EPE)."""
    still: float
    """The same if no movement is measured at all: the mean true movement."""
    landmarks: float
    """Mean distance of the landmarks carried along the flow from the true ones at the apex, as a share of the distance
    between the eyes (NME)."""


@dataclass(frozen=True, slots=True, eq=False)
class FlowInputs:
    """The inputs of all usable clips of a task, in its order."""

    samples: tuple[str, ...]
    planes: Floats
    """(n, 3, SIDE, SIDE)"""
    errors: tuple[FlowError, ...]
    """Of the clips whose landmarks are known exactly, which only drawn ones are."""
    left_out: Mapping[str, str]
    """Sample -> why its flow could not be had."""


def flow_inputs(
    samples: Iterable[Sample],
    *,
    method: Method = "dis",
    on_clip: Callable[[int], None] = lambda done: None,
) -> FlowInputs:
    """Read onset and apex of every clip.

    A clip that cannot be read, or of which onset and apex coincide, is left out with its reason. Raises HarnessError
    where a sample is a single picture, and where no clip is usable.
    """
    names: list[str] = []
    planes: list[Floats] = []
    errors: list[FlowError] = []
    left_out: dict[str, str] = {}
    for done, sample in enumerate(samples, 1):
        refuse_picture(sample)
        try:
            onset, apex = _ends(sample)
            flow = flow_between([open_picture(onset), open_picture(apex)], method=method)
        except MediaError as error:
            left_out[sample.id] = error.message
            continue
        names.append(sample.id)
        planes.append(flow_planes(flow))
        if isinstance(onset, Marked) and isinstance(apex, Marked):
            errors.append(flow_error(flow, onset.marks().points, apex.marks().points))
        on_clip(done)
    if not names:
        why = f", such as {next(iter(left_out.values()))}" if left_out else ""
        raise HarnessError(
            f"no clip of the task is usable{why}", hint="check the data with `harness data check`"
        )
    return FlowInputs(tuple(names), np.stack(planes), tuple(errors), left_out)


def refuse_picture(sample: Sample) -> None:
    """Raise HarnessError for a sample that is no clip."""
    if sample.medium.kind != "clip":
        raise HarnessError(
            f"sample {sample.id[:80]} is a single picture, and flow needs a clip",
            hint="use a task of clips, such as faces/me-emotion-3 or casme2/me-emotion-3",
        )


def _ends(sample: Sample) -> tuple[Picture, Picture]:
    """The frames at onset and apex; found by `harness.media.apex` where the apex is not annotated."""
    medium = sample.medium
    found = moments(medium)
    if found.onset == found.apex:
        raise MediaError("onset and apex are the same frame", kind="unsupported")
    onset, apex = medium.frames[found.onset], medium.frames[found.apex]
    return onset, apex


def flow_planes(flow: Floats) -> Floats:
    """(3, SIDE, SIDE) of a flow field (height, width, 2) in pixels: right, down, strain."""
    height, width = flow.shape[:2]
    scaled = flow * (100.0 / max(height, width))
    down_u, right_u = np.gradient(scaled[..., 0])
    down_v, right_v = np.gradient(scaled[..., 1])
    shear = (down_u + right_v) / 2
    strain = np.sqrt(right_u**2 + down_v**2 + 2 * shear**2) * (max(height, width) / 100.0)
    return np.stack([_grid(plane) for plane in (scaled[..., 0], scaled[..., 1], strain)])


def _grid(plane: Floats) -> Floats:
    """The means of a plane over SIDE x SIDE cells."""
    rows, columns = (
        np.minimum((np.arange(n) * SIDE) // n, SIDE - 1) if n >= SIDE else None for n in plane.shape
    )
    if rows is None or columns is None:
        raise MediaError(
            f"a picture of {plane.shape[1]} x {plane.shape[0]} pixels is too small for flow",
            kind="unsupported",
            hint=f"both sides need at least {SIDE} pixels",
        )
    sums = np.zeros((SIDE, SIDE), dtype=np.float64)
    counts = np.zeros((SIDE, SIDE), dtype=np.float64)
    np.add.at(sums, (rows[:, None], columns[None, :]), plane)
    np.add.at(counts, (rows[:, None], columns[None, :]), 1.0)
    return (sums / counts).astype(np.float32)


def flow_error(
    flow: Floats, before: Sequence[tuple[float, float]], after: Sequence[tuple[float, float]]
) -> FlowError:
    """The error of a flow field at 68 landmarks whose places before and after are known exactly."""
    start, end = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    places = np.clip(start.round().astype(int), 0, np.array(flow.shape[1::-1]) - 1)
    measured = flow[places[:, 1], places[:, 0]].astype(np.float64)
    wrong = np.linalg.norm(start + measured - end, axis=1)
    eyes = [end[part].mean(axis=0) for part in EYES]
    return FlowError(
        endpoint=float(wrong.mean()),
        still=float(np.linalg.norm(end - start, axis=1).mean()),
        landmarks=float(wrong.mean() / np.linalg.norm(eyes[0] - eyes[1])),
    )
