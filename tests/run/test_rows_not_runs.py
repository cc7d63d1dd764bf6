"""A bad row fails alone; a machine that has run out of something stops the run, and nothing is called missing."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from harness.cli.main import main
from harness.run.folder import RunFolder
from harness.run.log import read_log
from tests.models.stub import running_stub


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three good pictures, and rows with a pipe, a folder, a device and a name with a newline."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png", "c.png", "new\nline.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "device.png").symlink_to("/dev/zero")
    names = ("a.png", "b.png", "c.png", '"new\nline.png"', "pipe.png", "folder.png", "device.png")
    rows = [f"{name},{('anger', 'fear')[n % 2]}" for n, name in enumerate(names)]
    (tmp_path / "t.csv").write_text("image,emotion\n" + "\n".join(rows) + "\n")
    return tmp_path


def run(url: str) -> int:
    return main(
        ["run", "table/emotion", "--set", "source.file=t.csv", "--model", f"openai:stub@{url}",
         "--out", "run", "--no-report"]
    )  # fmt: skip


def failures(folder: Path) -> list[str]:
    lines = read_log(RunFolder(folder / "run").trials)
    return [line["failure"]["detail"] for _, line in lines if "failure" in line]


def test_a_bad_row_fails_alone(table: Path) -> None:
    with running_stub() as stub:
        assert run(stub.url) == 3
    found = failures(table)
    assert len(found) == 3
    for kind in ("a pipe", "a folder", "a device"):
        assert any(kind in detail for detail in found)


def test_without_file_descriptors_the_run_stops(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = os.open

    def out_of(path: Any, *args: Any, **options: Any) -> int:
        if str(path).endswith("b.png"):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return real(path, *args, **options)

    with running_stub() as stub:
        monkeypatch.setattr(os, "open", out_of)
        assert run(stub.url) in {1, 2}
        monkeypatch.undo()
    assert "out of file descriptors" in capsys.readouterr().err
    monkeypatch.chdir(table)
    assert not any("b.png" in detail for detail in failures(table))


def test_how_pictures_were_read_is_told_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    Image.new("RGBA", (8, 8), (1, 2, 3, 4)).save(tmp_path / "b.png")
    (tmp_path / "t.csv").write_text("image,emotion\na.gif,anger\nb.png,fear\n")
    with running_stub() as stub:
        assert run(stub.url) == 0
    said = capsys.readouterr().err
    assert "1 of 2 trials: an animation: its first frame is shown" in said
    assert "1 of 2 trials: transparent: laid over mid-grey (128)" in said
    kept = [line["shown"]["changes"] for _, line in read_log(RunFolder(tmp_path / "run").trials)]
    assert sorted(kept) == [["first-frame"], ["transparency-over-grey"]]
