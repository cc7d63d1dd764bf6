"""Windows over drawn long videos: what happens in a window, or that nothing does."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.faces import Face, LongSpec, Split, long_at, long_frame_at
from harness.faces.sampling import stream

REST = "none"
"""What a window shows in which no micro-expression is at its height."""
SECONDS = 0.5
EACH = 4
"""Windows of one video: one with a micro-expression where there is one, one with something else
that moves, two anywhere else."""
STREAM = 77
_LENGTHS = (10.0, 14.0)


def window_at(index: int, *, seed: int, split: Split) -> tuple[tuple[Face, ...], dict[str, Any]]:
    """First, middle and last face of window number `index`, and its emotion.

    The emotion is that of the micro-expression whose apex lies in the middle half, else `REST`.
    """
    video = long_at(index // EACH, seed=seed, split=split, seconds=_LENGTHS)
    rng = stream(seed, split, STREAM, index)
    length = max(4, round(SECONDS * video.fps / 4) * 4)
    start = _start(video, index % EACH, length, rng)
    frames = (start, start + length // 2, start + length - 1)
    faces = tuple(long_frame_at(video, frame) for frame in frames)
    truth = {"emotion": _emotion(video, start, length), "units": {}, "split": split}
    return faces, truth


def _start(video: LongSpec, slot: int, length: int, rng: np.random.Generator) -> int:
    """First frame of a window that has its slot's sort of thing near its middle."""
    micro = [e.apex for e in video.events if e.kind == "micro-expression"]
    other = [e.onset for e in video.events if e.kind != "micro-expression"]
    other += [e.apex for e in video.events if e.kind != "micro-expression"]
    other += [(b.onset + b.offset) // 2 for b in video.blinks]
    last = video.frames - length
    near = micro if slot == 0 else other if slot == 1 else []
    if not near:
        return int(rng.integers(0, last + 1))
    middle = near[int(rng.integers(len(near)))]
    start = middle - length // 4 - int(rng.integers(0, length // 2))
    return int(np.clip(start, 0, last))


def _emotion(video: LongSpec, start: int, length: int) -> str:
    for event in video.events:
        inside = start + length // 4 <= event.apex < start + length - length // 4
        if event.kind == "micro-expression" and inside:
            return event.emotion
    return REST
