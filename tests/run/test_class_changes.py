"""Other classes than in the last run of a folder are told before anything is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from harness.cli.main import main


def test_other_classes_than_last_time_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label in ("anger", "fear", "joy"):
        (tmp_path / "set" / label).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "set" / label / "a.png")
    command = [
        "run", "folder/emotion", "--set", f"source.root={tmp_path / 'set'}",
        "--out", str(tmp_path / "run"),
    ]  # fmt: skip
    assert main(command) == 0
    assert "last run" not in "".join(capsys.readouterr())
    (tmp_path / "set" / "joy" / "a.png").unlink()
    assert main(command) == 0
    said = " ".join("".join(capsys.readouterr()).split())
    assert "has 2 classes, and 3 in the last run of this folder (gone: joy)" in said
