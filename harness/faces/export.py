"""Write drawn pictures or clips with their ground truth to a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import HarnessError
from harness.faces.annotate import annotate, annotate_clip
from harness.faces.clip import clip_at, frame_at
from harness.faces.face import Split
from harness.faces.paint import draw
from harness.faces.prototypes import BASIC_7, MICRO_7
from harness.faces.sampling import face_at
from harness.faces.sensor import encode_png
from harness.faces.vqa import vqa_rows

Kind = Literal["image", "clip"]
Progress = Callable[[int, int], None]
"""Called with (done, total)."""
Row = dict[str, Any]

TABLE = "annotations.parquet"
QUESTIONS = "me_vqa_drawn.jsonl"


def export(
    *,
    kind: Kind,
    n: int,
    seed: int,
    out: Path,
    split: Split = "test",
    size: int = 224,
    labels: Sequence[str] | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Path:
    """Draw `n` pictures or clips into `out`; the bytes do not depend on the number of workers.

    Images: `images/0000000.png` and a row each in `annotations.parquet`. Clips:
    `clips/<id>/0000.png` and on, a row each in the table, and `me_vqa_drawn.jsonl`.

    Args:
        labels: default `BASIC_7` for images, `MICRO_7` for clips.
        workers: processes; default the number of processors.

    Returns:
        The path of the table.

    Raises:
        HarnessError: if `out` is not empty, `n` is not positive, or the kind is unknown.
    """
    if kind not in ("image", "clip"):
        raise HarnessError(f"kind {kind!r} is unknown", mend="use image or clip")
    if n < 1:
        raise HarnessError(f"{n} is no number of faces", mend="ask for 1 or more")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise HarnessError(
            f"{out} is not an empty folder", mend="name a new folder, or empty this one first"
        )
    names = tuple(labels) if labels is not None else BASIC_7 if kind == "image" else MICRO_7
    (out / ("images" if kind == "image" else "clips")).mkdir(parents=True)
    write = _write_image if kind == "image" else _write_clip
    job = partial(write, seed=seed, split=split, labels=names, size=size, out=out)
    rows: list[Row] = []
    questions: list[Row] = []
    for row, asked in _each(job, n, workers):
        rows.append(row)
        questions += asked
        if progress is not None:
            progress(len(rows), n)
    if kind == "clip":
        lines = [json.dumps(q, ensure_ascii=False, separators=(",", ":")) for q in questions]
        (out / QUESTIONS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return _write_table(rows, out / TABLE)


def _each(
    job: Callable[[int], tuple[Row, list[Row]]], n: int, workers: int | None
) -> Iterator[tuple[Row, list[Row]]]:
    count = min(workers or os.cpu_count() or 1, n)
    if count <= 1:
        yield from map(job, range(n))
        return
    # Fresh processes, since a fork would copy the threads of libraries already loaded.
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield from pool.map(job, range(n), chunksize=max(1, min(32, n // (4 * count) or 1)))


def _write_image(
    index: int, *, seed: int, split: Split, labels: tuple[str, ...], size: int, out: Path
) -> tuple[Row, list[Row]]:
    face = face_at(index, seed=seed, split=split, labels=labels)
    drawing = draw(face, size=size)
    path = f"images/{index:07d}.png"
    (out / path).write_bytes(encode_png(drawing.pixels))
    truth = annotate(face, drawing)
    truth["au_intensity"] = list(truth["au_intensity"].values())
    return {"id": f"{split}-{seed}-{index:07d}", "image": path, **truth}, []


def _write_clip(
    index: int, *, seed: int, split: Split, labels: tuple[str, ...], size: int, out: Path
) -> tuple[Row, list[Row]]:
    clip = clip_at(index, seed=seed, split=split, labels=labels)
    clip_id = f"drawn_{split}_{seed}_{index:05d}"
    folder = out / "clips" / clip_id
    folder.mkdir()
    paths = []
    for number in range(clip.frames):
        drawing = draw(frame_at(clip, number), size=size)
        (folder / f"{number:04d}.png").write_bytes(encode_png(drawing.pixels))
        paths.append(f"clips/{clip_id}/{number:04d}.png")
    truth = annotate_clip(clip)
    truth["au_intensity"] = list(truth["au_intensity"].values())
    truth["frames"] = paths
    return {"id": clip_id, **truth}, list(vqa_rows(clip, clip_id))


def _write_table(rows: list[Row], path: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(rows)
    # Empty lists alone would leave the type of a list column open.
    for name, kind in (("action_units", pa.string()), ("au_intensity", pa.float64())):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table.column(name).cast(pa.list_(kind)))
    pq.write_table(table, path)
    return path
