"""Clips in tables: frames from lists, folders and globs; frame numbers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import HarnessError, MediaError
from harness.core.field import FieldSpec
from harness.core.sample import Sample
from harness.core.source import Source
from harness.media.frames import parse_policy
from harness.media.verify import check
from harness.media.video_file import VideoFile
from harness.sources import open_source
from harness.sources.pictures import natural
from tests.sources import layouts

Open = Callable[..., Source]
Read = Callable[..., list[Sample]]

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def clip_folder(tmp_path: Path, png: bytes) -> Path:
    """Frames img8 to img12, with a hidden file and a text beside them."""
    folder = tmp_path / "clips" / "s1"
    folder.mkdir(parents=True)
    for number in (8, 9, 10, 11, 12):
        (folder / f"img{number}.png").write_bytes(png)
    (folder / ".hidden.png").write_bytes(png)
    (folder / "notes.txt").write_text("x")
    return folder


def names(sample: Sample) -> list[str]:
    return [Path(frame.name).name for frame in sample.medium.frames]


@pytest.mark.parametrize("cell", ["clips/s1", "clips/s1/*.png", "clips/*/img*.*"])
def test_a_folder_or_glob_gives_frames_in_natural_order(
    cell: str, samples_of: Read, clip_folder: Path
) -> None:
    sample = samples_of(f"frames,emotion\n{cell},x\n")[0]
    assert names(sample) == ["img8.png", "img9.png", "img10.png", "img11.png", "img12.png"]
    assert (sample.medium.kind, sample.medium.indices) == ("clip", (0, 1, 2, 3, 4))


def test_an_absolute_glob_works(samples_of: Read, clip_folder: Path) -> None:
    assert len(names(samples_of(f"frames,emotion\n{clip_folder}/*.png,x\n")[0])) == 5


def test_frames_as_lists(samples_of: Read) -> None:
    row = json.dumps({"clip": ["b.png", "a.png"], "emotion": "x"})
    assert names(samples_of(row, name="t.jsonl", frames="clip")[0]) == ["b.png", "a.png"]
    assert names(samples_of("clip,emotion\nb.png;a.png;,x\n", frames="clip")[0]) == [
        "b.png",
        "a.png",
    ]


@pytest.mark.parametrize(
    ("numbering", "onset", "shown"),
    [("from-zero", 1, "img9.png"), ("from-one", 1, "img8.png"), ("file-names", 9, "img9.png")],
)
def test_numbering_decides_which_frame_is_meant(
    numbering: str, onset: int, shown: str, samples_of: Read, clip_folder: Path
) -> None:
    text = f"frames,emotion,apex\nclips/s1,x,{onset}\n"
    sample = samples_of(text, apex="apex", numbering=numbering)[0]
    only = parse_policy("apex")(sample.medium)
    assert [Path(f.name).name for f in only.frames] == [shown]
    assert only.changes == ("frames-apex",)


def test_moments_and_rates(samples_of: Read, clip_folder: Path) -> None:
    text = "frames,emotion,on,ap,off,hz\nclips/s1,x,0,/,4.0,200\n"
    options = {"onset": "on", "apex": "ap", "offset": "off"}
    medium = samples_of(text, fps="hz", **options)[0].medium
    assert (medium.onset, medium.apex, medium.offset, medium.fps) == (0, None, 4, 200.0)
    assert samples_of(text, fps=30)[0].medium.fps == 30


@pytest.mark.parametrize(
    ("cell", "message"),
    [("46", "apex 46 is outside its frames 0 to 4"), ("1.5", "not a frame number"),
     ("-1", "not a frame number"), ("x", "not a number")],
)  # fmt: skip
def test_a_bad_moment_names_the_row(
    cell: str, message: str, open_table: Open, clip_folder: Path
) -> None:
    with pytest.raises(HarnessError, match=rf"row 1 .*{message}"):
        list(open_table(f"frames,emotion,ap\nclips/s1,x,{cell}\n", apex="ap"))


@pytest.mark.parametrize("cell", ["clips/gone", "clips/s1/*.jpg", "gone/*.png"])
def test_frames_that_are_not_there_fail_when_read(
    cell: str, samples_of: Read, clip_folder: Path
) -> None:
    sample = samples_of(f"frames,emotion,ap\n{cell},x,3\n", apex="ap")[0]
    with pytest.raises(MediaError, match="no frames found") as caught:
        sample.medium.frames[0].read()
    assert caught.value.kind == "missing"


def test_unnumbered_frames_cannot_be_counted_by_name(open_table: Open) -> None:
    with pytest.raises(HarnessError, match="not numbered in ascending order"):
        list(open_table("frames,emotion\na.png;b.png,x\n", numbering="file-names"))


def test_natural_order() -> None:
    mixed = ["img10", "img9", "a1b2", "a1b10", "9", "10", "img"]
    assert sorted(mixed, key=natural) == ["9", "10", "a1b2", "a1b10", "img", "img9", "img10"]


@pytest.mark.skipif(not DATA.is_dir(), reason="the private data folder is absent")
def test_real_photographs_are_read_whole() -> None:
    asked = {"family": "table", "file": "faces/labels.csv", "root": "faces/images"}
    source = open_source(asked, fields={"emotion": FieldSpec(kind="label")}, base=DATA)
    samples = list(source)
    assert len(samples) == 297
    for sample in samples:
        size = check(sample.medium.frames[0].read(), sample.id)
        assert size == (
            int(str(sample.annotations["width"])),
            int(str(sample.annotations["height"])),
        )


def test_a_video_file_is_a_clip_that_is_opened_later(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"not opened")
    (tmp_path / "t.csv").write_text("video,emotion,apex\na.mp4,x,3\n")
    source = open_source(
        {"family": "table", "file": "t.csv", "apex": "apex", "numbering": "from-one"},
        fields={"emotion": FieldSpec(kind="label")},
        base=tmp_path,
    )
    (sample,) = source
    assert sample.medium.kind == "clip"
    assert isinstance(sample.medium.frames[0], VideoFile)
    assert (sample.medium.indices, sample.medium.apex) == ((1,), 3)


@pytest.mark.parametrize("family", ["dfew", "ferv39k", "mafw"])
def test_the_sets_of_videos_are_read_from_their_videos(family: str, tmp_path: Path) -> None:
    getattr(layouts, family)(tmp_path)
    options = {"family": family, "root": ".", **({"fold": "1"} if family == "dfew" else {})}
    fields = {"emotion": FieldSpec(kind="label")}
    before = list(open_source(options, fields=fields, base=tmp_path))
    folders = {
        "dfew": ("Clip", lambda name: f"original/{name}.mp4"),
        "ferv39k": ("2_ClipsforFaceCrop", lambda name: f"2_ClipsforFaceCrop/{name}.avi"),
        "mafw": ("data", lambda name: f"data/clips/unzip/{name}.mp4"),
    }
    frames, video_of = folders[family]
    shutil.rmtree(tmp_path / frames, ignore_errors=True)
    for sample in before:
        path = tmp_path / video_of(sample.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not opened")
    after = list(open_source(options, fields=fields, base=tmp_path))
    assert [(s.id, s.targets) for s in after] == [(s.id, s.targets) for s in before]
    assert all(isinstance(s.medium.frames[0], VideoFile) for s in after)
