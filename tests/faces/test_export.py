from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from harness.core.errors import HarnessError
from harness.faces import (
    annotate,
    annotate_clip,
    annotate_long,
    clip_at,
    draw,
    export,
    face_at,
    long_at,
    long_frame_at,
    mixture_at,
    str_rows,
)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_pictures_and_truth_come_back(tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    table = export(
        kind="image",
        n=9,
        seed=3,
        out=tmp_path / "set",
        size=64,
        workers=1,
        progress=lambda a, b: done.append((a, b)),
    )
    rows = pq.read_table(table).to_pylist()
    assert table == tmp_path / "set" / "annotations.parquet"
    assert done == [(i, 9) for i in range(1, 10)]
    assert [r["image"] for r in rows] == [f"images/{i:07d}.png" for i in range(9)]
    for i, row in enumerate(rows):
        face = face_at(i, seed=3)
        drawing = draw(face, size=64)
        with Image.open(tmp_path / "set" / row["image"]) as image:
            assert (np.array(image) == drawing.pixels).all()
        truth = annotate(face, drawing)
        truth["au_intensity"] = list(truth["au_intensity"].values())
        assert {k: row[k] for k in truth} == truth


def test_clips_and_questions_come_back(tmp_path: Path) -> None:
    table = export(kind="clip", n=2, seed=3, out=tmp_path, size=32, workers=1)
    rows = pq.read_table(table).to_pylist()
    questions = [json.loads(x) for x in (tmp_path / "me_vqa_drawn.jsonl").read_text().splitlines()]
    assert len(questions) == 12
    assert [q["image_id"] for q in questions[::6]] == [r["id"] for r in rows]
    for i, row in enumerate(rows):
        clip = clip_at(i, seed=3)
        assert len(row["frames"]) == clip.frames
        assert all((tmp_path / path).is_file() for path in row["frames"])
        truth = annotate_clip(clip)
        for name in ("emotion", "coarse", "action_units", "onset", "apex", "offset", "subject"):
            assert row[name] == truth[name]


def test_long_videos_and_events_come_back(tmp_path: Path) -> None:
    table = export(kind="long", n=1, seed=3, out=tmp_path, size=32, seconds=(5.0, 6.0), workers=1)
    rows = pq.read_table(table).to_pylist()
    questions = [json.loads(x) for x in (tmp_path / "me_lvqa_drawn.jsonl").read_text().splitlines()]
    assert [q["video"] for q in questions[::6]] == [r["id"] for r in rows]
    spotting = (tmp_path / "me_str_drawn.csv").read_text().splitlines()
    assert spotting[0] == "subject,video,onset,offset,emotion"
    wanted = 1
    for i, row in enumerate(rows):
        spec = long_at(i, seed=3, seconds=(5.0, 6.0))
        assert len(row["frames"]) == spec.frames
        with Image.open(tmp_path / row["frames"][40]) as image:
            assert (np.array(image) == draw(long_frame_at(spec, 40), size=32).pixels).all()
        truth = annotate_long(spec)
        for event in truth["events"]:
            event["au_intensity"] = list(event["au_intensity"].values())
        for name in ("events", "blinks", "action_units", "expressions", "fps", "subject"):
            assert row[name] == truth[name]
        wanted += len(str_rows(spec, row["id"]))
    assert len(spotting) == wanted


def test_blends_come_back_with_soft_labels(tmp_path: Path) -> None:
    table = export(kind="mixture", n=3, seed=3, out=tmp_path, size=32, workers=1)
    for i, row in enumerate(pq.read_table(table).to_pylist()):
        mixture = mixture_at(i, seed=3)
        assert {k: v for k, v in row["soft_label"].items() if v} == mixture.soft_label
        assert len(row["soft_label"]) == 6
        with Image.open(tmp_path / row["image"]) as image:
            assert (np.array(image) == draw(mixture.face, size=32).pixels).all()


def test_lengths_that_cannot_be_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="cannot be drawn"):
        export(kind="long", n=1, seed=0, out=tmp_path / "x", seconds=(1.0, 2.0))
    assert not (tmp_path / "x").exists()


def test_workers_do_not_change_a_byte(tmp_path: Path) -> None:
    for name, workers in (("one", 1), ("two", 2)):
        export(kind="image", n=6, seed=1, out=tmp_path / name, size=48, workers=workers)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_empty_lists_keep_their_type(tmp_path: Path) -> None:
    table = export(kind="image", n=2, seed=0, out=tmp_path, size=32, workers=1, labels=("neutral",))
    kind = str(pq.read_schema(table).field("action_units").type)
    assert kind.startswith("list<") and "string" in kind


def test_a_full_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(HarnessError, match="not an empty folder"):
        export(kind="image", n=1, seed=0, out=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(("kind", "n"), [("video", 1), ("image", 0)])
def test_bad_requests_write_nothing(tmp_path: Path, kind: str, n: int) -> None:
    with pytest.raises(HarnessError):
        export(kind=kind, n=n, seed=0, out=tmp_path / "x")  # type: ignore[arg-type]
    assert not (tmp_path / "x").exists()
