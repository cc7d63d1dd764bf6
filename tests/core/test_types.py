from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from harness.core.answer import Answer
from harness.core.cell import Cell, trial_id
from harness.core.errors import HarnessError, MediaError
from harness.core.field import FieldSpec
from harness.core.medium import Medium
from harness.core.message import Image
from harness.core.outcome import Outcome
from harness.core.picture import MAX_FILE_BYTES, FilePicture, HeldPicture, Remembered
from harness.core.registry import Registry
from harness.core.text import canonical_json


def test_an_answer_has_a_value_exactly_when_it_was_answered() -> None:
    Answer(Outcome.ANSWERED, "anger", "exact/label")
    Answer(Outcome.REFUSED, None, "refusal")
    with pytest.raises(ValueError, match="does not go with"):
        Answer(Outcome.ANSWERED, None, "x")
    with pytest.raises(ValueError, match="does not go with"):
        Answer(Outcome.UNPARSED, "anger", "x")


def test_seven_reasons_for_no_answer() -> None:
    assert len([o for o in Outcome if o is not Outcome.ANSWERED]) == 7


def test_a_missing_picture_names_its_path_and_the_mend(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"gone\.png") as caught:
        FilePicture(tmp_path / "gone.png").read()
    assert caught.value.kind == "missing"
    assert "media.root" in str(caught.value)


def test_an_empty_or_oversized_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(MediaError) as caught:
        FilePicture(tmp_path / "empty.png").read()
    assert caught.value.kind == "empty"
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(MediaError) as caught:
        FilePicture(tmp_path / "huge.png").read()
    assert caught.value.kind == "too-large"
    with pytest.raises(MediaError, match="is a folder, not a file"):
        FilePicture(tmp_path).read()


def test_what_is_no_plain_file_is_refused_unopened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # opened, it would wait for a writer
    socket_at = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(socket_at))
        for path, kind in (
            (tmp_path / "pipe", "a pipe"),
            (socket_at, "a socket"),
            (Path("/dev/zero"), "a device"),
        ):
            with pytest.raises(MediaError, match=f"is {kind}, not a file") as caught:
                FilePicture(path).read()
            assert caught.value.kind == "unsupported"


def test_a_name_with_a_newline_is_a_name(tmp_path: Path) -> None:
    (tmp_path / "a\nb.png").write_bytes(b"x")
    assert FilePicture(tmp_path / "a\nb.png").read() == b"x"


@pytest.mark.parametrize(
    ("number", "what"),
    [(errno.EMFILE, "file descriptors"), (errno.ENFILE, "system"), (errno.ENOMEM, "memory")],
)
def test_a_machine_without_means_is_no_missing_picture(
    number: int, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> int:
        raise OSError(number, os.strerror(number))

    (tmp_path / "a.png").write_bytes(b"x")
    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(HarnessError, match=f"out of .*{what}") as caught:
        FilePicture(tmp_path / "a.png").read()
    assert not isinstance(caught.value, MediaError)
    assert caught.value.hint


def test_a_picture_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"one")
    picture = Remembered(FilePicture(path))
    assert picture.read() == b"one"
    path.write_bytes(b"two")
    assert picture.read() == b"one"
    with pytest.raises(MediaError):
        HeldPicture("row 3", b"").read()


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"<svg", "application/octet-stream"),
    ],
)
def test_the_media_type_comes_from_the_bytes(head: bytes, mime: str) -> None:
    assert Image("x.jpg", head + b"...").mime == mime


def test_frames_and_indices_go_together() -> None:
    with pytest.raises(ValueError, match="2 indices"):
        Medium(kind="clip", frames=(HeldPicture("a", b"x"),), indices=(0, 1))


def test_field_specs_are_checked() -> None:
    assert FieldSpec(kind="yes-no").classes == ("yes", "no")
    assert FieldSpec(kind="label", labels=("a", "b")).classes == ("a", "b")
    with pytest.raises(ValueError, match="must be resolved"):
        _ = FieldSpec(kind="label").classes
    with pytest.raises(ValueError, match="below high"):
        FieldSpec(kind="number", low=1, high=1)
    with pytest.raises(ValueError, match="same label twice"):
        FieldSpec(kind="label", labels=("a", "a"))


def test_trials_of_different_cells_never_share_a_name() -> None:
    one = Cell("t", "m", "p", "none", "single")
    other = Cell("t", "m", "p", "blank", "single")
    assert one.id == Cell("t", "m", "p", "none", "single").id
    assert trial_id(one, "s/1") != trial_id(other, "s/1")
    assert trial_id(one, "s/1").startswith(one.id + "/0/")


def test_a_registry_loads_by_name_and_lists_what_it_has() -> None:
    registry = Registry("thing", "harness.nothing", {"path": "pathlib:Path"})
    assert registry.load("path") is Path
    with pytest.raises(HarnessError, match="unknown thing 'x'") as caught:
        registry.load("x")
    assert "path" in caught.value.hint


def test_json_has_one_spelling_and_takes_nothing_foreign() -> None:
    assert canonical_json({"b": 1, "a": [True, None]}) == '{"a":[true,null],"b":1}'
    with pytest.raises(TypeError):
        canonical_json({"path": Path("x")})
