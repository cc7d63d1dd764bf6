"""Write drawn pictures, clips or long videos with their ground truth to a folder."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import HarnessError
from harness.faces import ranges
from harness.faces.annotate import annotate, annotate_clip, annotate_long, annotate_mixture
from harness.faces.balance import Balanced, balanced
from harness.faces.clip import clip_at, frame_at
from harness.faces.face import Face, Split
from harness.faces.long import LongSpec, long_frame_at
from harness.faces.long_sampling import long_at
from harness.faces.lvqa import lvqa_rows, str_rows
from harness.faces.mixture import MIXED, mixture_at
from harness.faces.paint import Drawing, draw
from harness.faces.prototypes import BASIC_7, MICRO_7
from harness.faces.sampling import face_at
from harness.faces.sensor import encode_png
from harness.faces.vqa import vqa_rows

Kind = Literal["image", "clip", "long", "mixture"]
Progress = Callable[[int, int], None]
"""Called with (done, total)."""
Row = dict[str, Any]

TABLE = "annotations.parquet"
QUESTIONS = {"clip": "me_vqa_drawn.jsonl", "long": "me_lvqa_drawn.jsonl"}
SPOTTING = "me_str_drawn.csv"

BALANCED_KINDS: tuple[Kind, ...] = ("image", "clip")
"""Kinds in which each person shows each label once."""

_FOLDERS: dict[str, str] = {"image": "images", "clip": "clips", "long": "long", "mixture": "images"}
_LABELS: dict[str, tuple[str, ...]] = {
    "image": BASIC_7,
    "clip": MICRO_7,
    "long": MICRO_7,
    "mixture": MIXED,
}


@dataclass(frozen=True, slots=True)
class _Job:
    """What every picture, clip or video of one export has in common."""

    seed: int
    split: Split
    labels: tuple[str, ...]
    size: int
    out: Path
    seconds: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Written:
    """What one of them leaves besides its media."""

    row: Row
    questions: list[dict[str, str]]
    events: list[dict[str, str | int]]


def export(
    *,
    kind: Kind,
    n: int,
    seed: int,
    out: Path,
    split: Split = "test",
    size: int = 224,
    labels: Sequence[str] | None = None,
    seconds: tuple[float, float] = ranges.LONG_SECONDS,
    progress: Progress | None = None,
    workers: int | None = None,
    chosen: Balanced | None = None,
) -> Path:
    """Draw `n` pictures, clips or long videos; the bytes do not depend on the number of workers.

    Images and mixtures: `images/0000000.png` and a row each in `annotations.parquet`; a mixture's
    row has its soft_label, a share for each label. Clips: `clips/<id>/0000.png` and on, a row each
    in the table, and `me_vqa_drawn.jsonl`. Long videos: `long/<id>/00000.png` and on, every frame
    (30 for each second), a row each with its events, `me_lvqa_drawn.jsonl` and, with the
    micro-expressions, `me_str_drawn.csv`.

    Args:
        labels: default `BASIC_7` for images, `MICRO_7` for clips and long videos, `MIXED` for
            mixtures.
        seconds: least and greatest length of a long video.
        workers: processes; default the number of processors.
        chosen: which pictures or clips of the endless sequence are drawn; default the first `n`.

    Returns:
        The path of the table.

    Raises:
        HarnessError: if `out` is not empty, `n` is not positive, or the kind is unknown.
    """
    if kind not in _FOLDERS:
        raise HarnessError(f"kind {kind!r} is unknown", hint=f"use one of {', '.join(_FOLDERS)}")
    if n < 1:
        raise HarnessError(f"{n} is not a number of faces", hint="ask for 1 or more")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise HarnessError(
            f"{out} is not an empty folder", hint="name a new folder, or empty this one first"
        )
    job = _Job(seed, split, tuple(labels or _LABELS[kind]), size, out, seconds)
    if kind == "long":  # lengths that cannot be are told before a folder is made
        _long(0, job)
    _make_folder(out, _FOLDERS[kind])
    write = {
        "image": _write_image,
        "clip": _write_clip,
        "long": _write_long,
        "mixture": _write_mixture,
    }[kind]
    found: list[_Written] = []
    indices = range(n) if chosen is None else chosen.indices
    for written in _each(partial(write, job=job), indices, workers):
        found.append(written)
        if progress is not None:
            progress(len(found), n)
    if kind in QUESTIONS:
        asked = [question for written in found for question in written.questions]
        lines = [json.dumps(q, ensure_ascii=False, separators=(",", ":")) for q in asked]
        (out / QUESTIONS[kind]).write_text("\n".join(lines) + "\n", encoding="utf-8")
    if kind == "long":
        _write_spotting([event for written in found for event in written.events], out / SPOTTING)
    return _write_table([written.row for written in found], out / TABLE)


def _make_folder(out: Path, name: str) -> None:
    try:
        (out / name).mkdir(parents=True)
    except OSError as error:
        raise HarnessError(
            f"cannot make the folder {out}: {error.strerror}",
            hint="choose another place with --out DIR",
        ) from None


def balanced_draw(
    kind: Kind, n: int, *, by: Sequence[str], seed: int, split: Split = "test"
) -> Balanced:
    """Which pictures or clips make a set balanced by traits, for `export`. Raises HarnessError; see `balanced`."""
    if kind not in BALANCED_KINDS:
        raise HarnessError(
            f"--balance is for pictures and clips, not for --kind {kind}",
            hint=f"use --kind {' or '.join(BALANCED_KINDS)}",
        )
    return balanced(n, by=by, emotions=len(_LABELS[kind]), seed=seed, split=split)


def _each(
    job: Callable[[int], _Written], indices: Sequence[int], workers: int | None
) -> Iterator[_Written]:
    n = len(indices)
    count = min(workers or os.cpu_count() or 1, n)
    if count <= 1:
        yield from map(job, indices)
        return
    # Fresh processes, since a fork would copy the threads of libraries already loaded.
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield from pool.map(job, indices, chunksize=max(1, min(32, n // (4 * count) or 1)))


def _write_image(index: int, *, job: _Job) -> _Written:
    face = face_at(index, seed=job.seed, split=job.split, labels=job.labels)
    drawing, path = _write_face(index, face, job)
    truth = annotate(face, drawing)
    truth["au_intensity"] = list(truth["au_intensity"].values())
    return _Written({"id": f"{job.split}-{job.seed}-{index:07d}", "image": path, **truth}, [], [])


def _write_mixture(index: int, *, job: _Job) -> _Written:
    mixture = mixture_at(index, seed=job.seed, split=job.split, labels=job.labels)
    drawing, path = _write_face(index, mixture.face, job)
    truth = annotate_mixture(mixture, drawing)
    truth["au_intensity"] = list(truth["au_intensity"].values())
    truth["soft_label"] = dict.fromkeys(job.labels, 0.0) | truth["soft_label"]
    return _Written(
        {"id": f"mixture-{job.split}-{job.seed}-{index:07d}", "image": path, **truth}, [], []
    )


def _write_face(index: int, face: Face, job: _Job) -> tuple[Drawing, str]:
    drawing = draw(face, size=job.size)
    path = f"images/{index:07d}.png"
    (job.out / path).write_bytes(encode_png(drawing.pixels))
    return drawing, path


def _write_clip(index: int, *, job: _Job) -> _Written:
    clip = clip_at(index, seed=job.seed, split=job.split, labels=job.labels)
    clip_id = f"drawn_{job.split}_{job.seed}_{index:05d}"
    truth = annotate_clip(clip)
    truth["au_intensity"] = list(truth["au_intensity"].values())
    faces = (frame_at(clip, number) for number in range(clip.frames))
    truth["frames"] = _write_frames(faces, f"clips/{clip_id}", 4, job)
    return _Written({"id": clip_id, **truth}, list(vqa_rows(clip, clip_id)), [])


def _long(index: int, job: _Job) -> LongSpec:
    return long_at(index, seed=job.seed, split=job.split, labels=job.labels, seconds=job.seconds)


def _write_long(index: int, *, job: _Job) -> _Written:
    spec = _long(index, job)
    video = f"long_{job.split}_{job.seed}_{index:05d}"
    truth = annotate_long(spec)
    for event in truth["events"]:
        event["au_intensity"] = list(event["au_intensity"].values())
    faces = (long_frame_at(spec, number) for number in range(spec.frames))
    truth["frames"] = _write_frames(faces, f"long/{video}", 5, job)
    return _Written({"id": video, **truth}, lvqa_rows(spec, video), str_rows(spec, video))


def _write_frames(faces: Iterator[Face], folder: str, digits: int, job: _Job) -> list[str]:
    """Each face as a numbered PNG; the paths from the export's folder."""
    (job.out / folder).mkdir()
    paths = []
    for number, face in enumerate(faces):
        path = f"{folder}/{number:0{digits}d}.png"
        (job.out / path).write_bytes(encode_png(draw(face, size=job.size).pixels))
        paths.append(path)
    return paths


def _write_spotting(events: list[dict[str, str | int]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(
            file, ["subject", "video", "onset", "offset", "emotion"], lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(events)


def _write_table(rows: list[Row], path: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(rows)
    # Empty lists alone would leave the type of a list column open.
    moment = pa.struct([("onset", pa.int64()), ("offset", pa.int64())])
    for name, kind in (
        ("action_units", pa.string()),
        ("au_intensity", pa.float64()),
        ("blinks", moment),
    ):
        at = table.schema.get_field_index(name)
        if at >= 0:
            cells = pa.array([row[name] for row in rows], pa.list_(kind))
            table = table.set_column(at, name, cells)
    pq.write_table(table, path)
    return path
