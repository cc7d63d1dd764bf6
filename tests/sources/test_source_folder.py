"""The folder family."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.source import Skipped, Source
from harness.sources import open_source

LABEL = FieldSpec(kind="label")


def opened(base: Path, **options: object) -> Source:
    asked = {"family": "folder", "root": "set", **options}
    return open_source(asked, fields={"emotion": LABEL}, base=base)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "set/sad/10.png", "set/sad/9.JPG", "set/sad/.DS_Store", "set/happy/deep/er/a.webp",
        "set/happy/readme.txt", "set/loose.png", "set/.git/x.png",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def test_the_class_folder_is_the_label(tree: Path) -> None:
    source = opened(tree, ask="Which?")
    samples = list(source)
    assert [(s.id, s.targets["emotion"]) for s in samples] == [
        ("happy/deep/er/a.webp", "happy"),
        ("sad/9.JPG", "sad"),
        ("sad/10.png", "sad"),
    ]
    assert samples[0].medium.frames[0].read() == b"x"
    assert samples[0].question == "Which?"
    assert source.skipped() == (
        Skipped("hidden file or folder", 2),
        Skipped("not a picture", 1),
        Skipped("picture outside a class folder", 1),
    )
    assert list(source) == samples


def test_folder_names_may_stand_for_labels(tree: Path) -> None:
    samples = list(opened(tree, classes={"sad": "sadness", 1: "x"}))
    assert [s.targets["emotion"] for s in samples] == ["happy", "sadness", "sadness"]


def test_linked_folders_are_entered_once(tree: Path) -> None:
    (tree / "set" / "sad" / "round").symlink_to(tree / "set")
    (tree / "elsewhere").mkdir()
    (tree / "elsewhere" / "z.png").write_bytes(b"x")
    (tree / "set" / "zeal").symlink_to(tree / "elsewhere")
    assert [s.id for s in opened(tree)][-1] == "zeal/z.png"
    assert len(list(opened(tree))) == 4


def test_the_digest_follows_the_files(tree: Path) -> None:
    first = opened(tree).digest()
    assert opened(tree).digest() == first
    (tree / "set/sad/11.png").write_bytes(b"x")
    assert opened(tree).digest() != first


def test_nothing_found_is_told(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="folder not found"):
        opened(tmp_path)
    (tmp_path / "set").mkdir()
    with pytest.raises(HarnessError, match="no pictures in class folders"):
        list(opened(tmp_path))


def test_the_field_must_be_clear(tree: Path) -> None:
    fields = {"emotion": LABEL, "other": LABEL}
    with pytest.raises(HarnessError, match=r"source\.field"):
        open_source({"family": "folder", "root": "set"}, fields=fields, base=tree)
    asked = {"family": "folder", "root": "set", "field": "other"}
    assert set(next(iter(open_source(asked, fields=fields, base=tree))).targets) == {"other"}


def test_pictures_are_known_by_content_too(tree: Path) -> None:
    (tree / "set/sad/no_suffix").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 20)
    (tree / "set/sad/wrong.txt").write_bytes(b"\xff\xd8\xff\xe0" + b"\0" * 20)
    (tree / "set/sad/a.jfif").write_bytes(b"x")
    (tree / "set/sad/b.avif").write_bytes(b"x")
    os.mkfifo(tree / "set/sad/pipe")  # not waited for
    ids = [s.id for s in opened(tree)]
    assert {f"sad/{n}" for n in ("no_suffix", "wrong.txt", "a.jfif", "b.avif")} <= set(ids)
    assert "sad/pipe" not in ids


def test_a_class_folder_without_pictures_is_told(tree: Path) -> None:
    before = opened(tree)
    list(before)
    (tree / "set" / "contempt").mkdir()
    after = opened(tree)
    list(after)
    assert [one.reason for one in after.skipped() if one not in before.skipped()] == [
        "class folder without a picture: contempt"
    ]
