"""Training pictures: drawn once, resized like the processor does, cached on disk.

A pool is a folder of shards, each a `.npy` of pixels and a `.jsonl` of what is true of them, so
that drawing can stop and go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.affect_tiny.training.architecture import Sizes
from harness.affect_tiny.training.landmarks import points_of
from harness.affect_tiny.training.scenes import drawn_scene
from harness.affect_tiny.training.sheets import sheet_of
from harness.affect_tiny.training.windows import window_at
from harness.core.errors import HarnessError
from harness.faces import (
    BASIC_8,
    TEST_SEEDS,
    Face,
    Split,
    annotate,
    annotate_clip,
    clip_at,
    draw,
    face_at,
    frame_at,
)

Kind = Literal["face", "clip", "window", "sheet", "scene"]
SHARD = 256
DRAWN_AT = 224
"""Side in pixels at which faces are drawn, as in the exported data sets."""


@dataclass(frozen=True, slots=True)
class CachedDataset:
    """Pictures and truths in memory (pixels mapped from disk)."""

    pixels: NDArray[np.uint8]
    """(n, frames, side, side, 3); one frame for a face, onset, apex and offset for a clip, first,
    middle and last frame for a window over a long video; a scene and its crop. (n, 1, height, width, 3)
    for contact sheets of clips."""
    truths: tuple[dict[str, Any], ...]
    """Annotations, `units` (action unit number to left and right intensity; not of windows) and, of a
    face in a training pool, `points` (see `harness.affect_tiny.training.landmarks`)."""

    def __len__(self) -> int:
        return len(self.truths)


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """What a pool holds."""

    kind: Kind
    count: int
    seed: int
    split: Split
    side: int
    """Side in pixels of the stored pictures; of a contact sheet, that of a square picture with as many
    pixels."""

    def __post_init__(self) -> None:
        refuse_test_faces(self.seed, self.split)

    @property
    def shards(self) -> int:
        """Number of shards."""
        return -(-self.count // SHARD)


def refuse_test_faces(seed: int, split: str) -> None:
    """Raises HarnessError for a seed or a split that is kept for evaluation."""
    if seed in TEST_SEEDS or split == "test":
        raise HarnessError(
            f"seed {seed}, split {split!r} is kept for evaluation and must not be trained on",
            hint=f"use split train or validation and a seed of {max(TEST_SEEDS) + 1} or more",
        )


def shrink(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture at `side` pixels, by the resampling that the picture processor uses."""
    if pixels.shape[0] == side:
        return pixels
    picture = Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(picture, dtype=np.uint8)


def draw_one(spec: DatasetSpec, index: int) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """Frames (frames, height, width, 3) and truth of one face, clip, window, sheet or scene."""
    if spec.kind == "face":
        face = face_at(index, seed=spec.seed, split=spec.split, labels=BASIC_8)
        drawing = draw(face, size=DRAWN_AT)
        truth = {**annotate(face, drawing), "units": _units(face)}
        truth["points"] = points_of(drawing.landmarks, DRAWN_AT)
        return shrink(drawing.pixels, spec.side)[None], truth
    if spec.kind == "scene":
        shown, truth = drawn_scene(index, seed=spec.seed, split=spec.split)
        return np.stack([shrink(pixels, spec.side) for pixels in shown]), truth
    if spec.kind == "window":
        faces, truth = window_at(index, seed=spec.seed, split=spec.split)
        return np.stack([shrink(frame, spec.side) for frame in _drawn(faces)]), truth
    clip = clip_at(index, seed=spec.seed, split=spec.split)
    faces = tuple(frame_at(clip, i) for i in (clip.onset, clip.apex, clip.offset))
    truth = {**annotate_clip(clip), "units": _units(faces[1])}
    if spec.kind == "sheet":
        return sheet_of(_drawn(faces), Sizes(picture=spec.side))[None], truth
    return np.stack([shrink(frame, spec.side) for frame in _drawn(faces)]), truth


def _drawn(faces: Sequence[Face]) -> list[NDArray[np.uint8]]:
    return [draw(face, size=DRAWN_AT).pixels for face in faces]


def _units(face: Face) -> dict[str, list[float]]:
    return {str(u.number): [u.left, u.right] for u in face.units}


def draw_shard(spec: DatasetSpec, number: int, folder: Path) -> None:
    """Draws one shard and moves it into place whole."""
    start = number * SHARD
    drawn = [draw_one(spec, i) for i in range(start, min(start + SHARD, spec.count))]
    truths, pixels = shard_files(folder, number)
    part = pixels.with_suffix(".part.npy")
    np.save(part, np.stack([frames for frames, _ in drawn]))
    truths.write_text("".join(json.dumps(truth) + "\n" for _, truth in drawn), encoding="utf-8")
    part.replace(pixels)


def shard_files(folder: Path, number: int) -> tuple[Path, Path]:
    """Truths and pixels of a shard; the pixels are there only when both are whole."""
    return folder / f"{number:04d}.jsonl", folder / f"{number:04d}.npy"


def draw_pool(
    spec: DatasetSpec,
    folder: Path,
    *,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> None:
    """Draws whatever shards are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    head = folder / "spec.json"
    wanted = json.dumps(
        {"kind": spec.kind, "seed": spec.seed, "split": spec.split, "side": spec.side}
    )
    if head.exists() and head.read_text(encoding="utf-8") != wanted:
        raise HarnessError(f"{folder} holds another pool", hint="name an empty folder")
    head.write_text(wanted, encoding="utf-8")
    missing = [n for n in range(spec.shards) if not shard_files(folder, n)[1].exists()]
    if workers <= 1:
        for done, number in enumerate(missing, start=1):
            draw_shard(spec, number, folder)
            _tell(progress, folder, done, len(missing))
        return
    with ProcessPoolExecutor(workers) as crew:
        jobs = [crew.submit(draw_shard, spec, number, folder) for number in missing]
        for done, job in enumerate(as_completed(jobs), start=1):
            job.result()
            _tell(progress, folder, done, len(missing))


def _tell(progress: Callable[[str], None] | None, folder: Path, done: int, of: int) -> None:
    if progress is not None and (done % 8 == 0 or done == of):
        progress(f"{folder.name}: {done} of {of} shards drawn")


def load_pool(folder: Path) -> CachedDataset:
    """Every whole shard of a pool.

    Raises:
        HarnessError: if there is none.
    """
    files = sorted(folder.glob("[0-9][0-9][0-9][0-9].npy"))
    if not files:
        raise HarnessError(f"{folder} holds no pictures", hint="draw the pool first")
    truths: list[dict[str, Any]] = []
    for file in files:
        lines = file.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
        truths += [json.loads(line) for line in lines]
    pixels = np.concatenate([np.load(file) for file in files])
    return CachedDataset(pixels=pixels, truths=tuple(truths))
