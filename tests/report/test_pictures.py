from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from harness.core.medium import Medium
from harness.core.picture import HeldPicture
from harness.core.sample import Sample
from harness.core.source import Skipped
from harness.core.task import MediaSpec
from harness.report import pictures
from harness.report.inputs import RunView, read_run
from harness.report.pictures import PEOPLE, collect

from .runs import emotion_task, make_run

DIGEST = "f" * 64


def png(red: int, green: int, side: int = 224) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side // 2), (red, green, 30)).save(out, "PNG")
    return out.getvalue()


class Clips:
    """Clips of twelve frames whose movement runs from frame 2 over 5 to 9."""

    def __init__(self, digest: str) -> None:
        self._digest = digest

    def __iter__(self) -> Iterator[Sample]:
        for clip in range(100):
            frames = tuple(HeldPicture(f"c{clip}/{i}", png(clip * 2, i * 20)) for i in range(12))
            medium = Medium("clip", frames, tuple(range(12)), fps=200.0, onset=2, apex=5, offset=9)
            yield Sample(id=f"clip-{clip}", medium=medium, targets={"emotion": "fear"})

    def digest(self) -> str:
        return self._digest

    def skipped(self) -> tuple[Skipped, ...]:
        return ()


@pytest.fixture
def clips(runs: Path) -> RunView:
    """A run on drawn faces whose source is played by `opener`."""
    view = read_run(make_run(runs, tasks=[emotion_task(n=7)], conditions=("none",)))
    manifest = {
        **view.manifest,
        "tasks": {
            "emotion/drawn": {**view.manifest["tasks"]["emotion/drawn"], "data_digest": DIGEST}
        },
    }
    return RunView(view.folder, manifest, view.tasks, view.scores, view.blocks)


def opener(options: Any, *, fields: Any, base: Path) -> Clips:
    assert options["family"] == "faces" and "emotion" in fields
    return Clips(DIGEST)


def test_pictures_of_people_are_never_embedded(view: RunView) -> None:
    album = collect(view, [("vqa/table", "none", "row-001")])
    assert album.urls == {} and album.shown == {}
    assert album.notes["vqa/table"] == PEOPLE
    assert "emotion/drawn" not in album.notes


def test_a_drawn_face_is_drawn_again_small(view: RunView) -> None:
    place = ("emotion/drawn", "none", "test-3-0000004")
    album = collect(view, [place, place])
    ((caption, name),) = album.shown[place]
    head, _, body = album.urls[name].partition(",")
    assert (caption, head) == ("", "data:image/webp;base64")
    assert max(Image.open(io.BytesIO(base64.b64decode(body))).size) <= pictures.SIDE
    assert len(album.urls) == 1


def test_under_blank_the_grey_is_shown_and_said(view: RunView) -> None:
    place = ("emotion/drawn", "blank", "test-3-0000004")
    album = collect(view, [place])
    assert album.shown[place] == (("uniform grey shown instead of the picture", ""),)
    assert album.urls == {}


def test_a_long_clip_shows_onset_apex_and_offset(clips: RunView) -> None:
    place = ("emotion/drawn", "none", "clip-3")
    album = collect(clips, [place], opener=opener)
    assert [caption for caption, _ in album.shown[place]] == ["onset (2)", "apex (5)", "offset (9)"]
    first = base64.b64decode(album.urls[album.shown[place][0][1]].partition(",")[2])
    assert Image.open(io.BytesIO(first)).size == (160, 80)


def test_the_tasks_frame_policy_and_the_condition_hold(clips: RunView) -> None:
    task = clips.tasks["emotion/drawn"].model_copy(update={"media": MediaSpec(frames="uniform-2")})
    changed = RunView(
        clips.folder, clips.manifest, {"emotion/drawn": task}, clips.scores, clips.blocks
    )
    plain, apex = ("emotion/drawn", "none", "clip-3"), ("emotion/drawn", "apex", "clip-3")
    album = collect(changed, [plain], opener=opener)
    assert [caption for caption, _ in album.shown[plain]] == ["frame (0)", "frame (11)"]
    album = collect(clips, [apex], opener=opener)
    assert [caption for caption, _ in album.shown[apex]] == ["apex (5)"]


def test_no_more_than_the_limit_is_embedded_and_it_is_said(
    clips: RunView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST", 150)
    places = [("emotion/drawn", "none", f"clip-{i}") for i in range(100)]
    album = collect(clips, places, opener=opener)
    assert pictures.MOST - 3 < len(album.urls) <= pictures.MOST
    note = album.notes["emotion/drawn"]
    told = f"{len(album.urls)} pictures are on this page, of {len(album.shown)} samples"
    assert note.startswith(told) and "harness view" in note
    assert places[0] in album.shown and places[-1] not in album.shown


def test_faces_drawn_otherwise_than_in_the_run_are_not_shown(clips: RunView) -> None:
    place = ("emotion/drawn", "none", "clip-3")
    album = collect(clips, [place], opener=lambda *_, **__: Clips("0" * 64))
    assert album.urls == {} and "differently" in album.notes["emotion/drawn"]


def test_a_source_that_cannot_be_opened_becomes_a_note(clips: RunView) -> None:
    broken = clips.tasks["emotion/drawn"].model_copy(
        update={"source": {"family": "faces", "n": -1}}
    )
    changed = RunView(
        clips.folder, clips.manifest, {"emotion/drawn": broken}, clips.scores, clips.blocks
    )
    album = collect(changed, [("emotion/drawn", "none", "clip-3")])
    assert album.notes["emotion/drawn"].startswith("Pictures could not be drawn again: ")
