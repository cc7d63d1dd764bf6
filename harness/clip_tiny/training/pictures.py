"""Pictures to train on, with all that is true of them: drawn once, kept in shards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.affect_tiny.training.dataset_cache import DRAWN_AT, refuse_test_faces, shrink
from harness.faces import BASIC_7, UNIT_TABLE, Face, Split, Unit, annotate, draw, face_at
from harness.faces.points import marks_of

SEED = 2026
"""Of the faces that are trained on."""
STORED = 112
"""Side of the stored pictures in pixels."""
EACH = 10
"""Pictures of a person: one for each emotion, and others with units that belong to none."""
SHARD = 50
"""Persons in a shard."""
UNITS = tuple(sorted(UNIT_TABLE))
"""Numbers of the units, in the order of the columns of `Pictures.units`."""
ONE_PIECE = frozenset({17, 25, 26, 27, 43})
"""Units that have no sides of their own."""
INNER = 17
"""Landmarks before this one are the outline of the face, which are no target."""
NO_EMOTION = "none"


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures in memory."""

    pixels: NDArray[np.uint8]
    """(n, side, side, 3)"""
    units: NDArray[np.float32]
    """(n, units, 2): intensities on the left and on the right, 0 to 1."""
    points: NDArray[np.float32]
    """(n, 51, 2): landmarks of brows, nose, eyes and mouth, as shares of the side."""
    truths: tuple[dict[str, Any], ...]
    """The annotations of each picture (`harness.faces.annotate`); the emotion is `none` where units belong to none."""

    def __len__(self) -> int:
        return len(self.truths)

    @property
    def persons(self) -> tuple[str, ...]:
        """Who is shown, picture by picture: what an identity embedding is trained on."""
        return tuple(str(truth["subject"]) for truth in self.truths)


def face_of(person: int, place: int, *, seed: int, split: Split) -> Face:
    """Picture number `place` of a person: emotions first, then 1 to 5 units drawn at random."""
    if place < len(BASIC_7):
        return face_at(person * len(BASIC_7) + place, seed=seed, split=split)
    rng = np.random.default_rng([seed, person, place])
    face = face_at(person * len(BASIC_7) + int(rng.integers(len(BASIC_7))), seed=seed, split=split)
    chosen = set(rng.choice(UNITS, size=int(rng.integers(1, 6)), replace=False).tolist())
    if 27 in chosen:
        chosen.discard(26)
    if chosen & {26, 27}:
        chosen.add(25)
    units = []
    for number in sorted(chosen):
        peak = float(rng.uniform(0.35, 1.0))
        skew = 0.0 if number in ONE_PIECE else abs(face.identity.asymmetry) * float(rng.random())
        sides = (peak, peak * (1 - skew))
        left, right = sides if rng.random() < 0.5 else sides[::-1]
        units.append(Unit(number, round(left, 4), round(right, 4)))
    return replace(face, units=tuple(units), emotion="neutral")


def draw_shard(shard: int, *, seed: int, split: Split, folder: Path, each: int = EACH) -> None:
    """Draw the pictures of one shard and write them, unless they are there."""
    target = folder / f"{shard:04}.npz"
    if target.exists():
        return
    pixels, units, points, truths = [], [], [], []
    for person in range(shard * SHARD, (shard + 1) * SHARD):
        for place in range(each):
            face = face_of(person, place, seed=seed, split=split)
            drawing = draw(face, size=DRAWN_AT)
            truth = annotate(face, drawing)
            if place >= len(BASIC_7):
                truth["emotion"] = NO_EMOTION
            own = {unit.number: (unit.left, unit.right) for unit in face.units}
            pixels.append(shrink(drawing.pixels, STORED))
            units.append([own.get(number, (0.0, 0.0)) for number in UNITS])
            marks = marks_of(face, size=DRAWN_AT).points[INNER:]
            points.append([(x / DRAWN_AT, y / DRAWN_AT) for x, y in marks])
            truths.append(json.dumps(truth))
    part = target.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(
            file, pixels=np.stack(pixels), units=np.asarray(units, np.float32),
            points=np.asarray(points, np.float32), truths=np.asarray(truths),
        )  # fmt: skip
    part.rename(target)


def draw_all(
    folder: Path,
    persons: int,
    *,
    seed: int = SEED,
    split: Split = "train",
    workers: int = 1,
    each: int = EACH,
) -> None:
    """Draw what is missing of `each` pictures of so many persons. Raises HarnessError for faces kept for evaluation."""
    refuse_test_faces(seed, split)
    folder.mkdir(parents=True, exist_ok=True)
    job = partial(draw_shard, seed=seed, split=split, folder=folder, each=each)
    shards = range(-(-persons // SHARD))
    if workers == 1:
        for shard in shards:
            job(shard)
        return
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(job, shards))


def read_all(folder: Path, persons: int, *, each: int = EACH) -> Pictures:
    """The pictures of so many persons, of each as many as were drawn."""
    parts = list(_shards(folder, persons))
    truths = [json.loads(str(one)) for part in parts for one in part["truths"]]
    most = persons * each
    return Pictures(
        np.concatenate([part["pixels"] for part in parts])[:most],
        np.concatenate([part["units"] for part in parts])[:most],
        np.concatenate([part["points"] for part in parts])[:most],
        tuple(truths[:most]),
    )


def _shards(folder: Path, persons: int) -> Iterator[dict[str, Any]]:
    for shard in range(-(-persons // SHARD)):
        with np.load(folder / f"{shard:04}.npz") as file:
            yield {name: file[name] for name in file.files}
