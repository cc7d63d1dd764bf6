from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.cli import faces_command
from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.faces.sheet import SHEETS, sheet


@pytest.mark.parametrize("what", SHEETS)
def test_every_sheet_can_be_made(what: str) -> None:
    page = sheet(what, rows=1, size=32)  # type: ignore[arg-type]
    assert page.width >= 32 and page.height >= 32
    assert np.asarray(page).std() > 10
    if what == "emotions":
        assert page.size == (8 * 36 + 4, 32 + 15 + 8)


def test_bad_sheets_are_refused() -> None:
    with pytest.raises(HarnessError, match="zoo"):
        sheet("zoo")  # type: ignore[arg-type]
    with pytest.raises(HarnessError, match="empty"):
        sheet("tones", rows=0)


def test_the_command_writes_one_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "clip.png"
    args = ["faces", "sheet", "--what", "clip", "--rows", "1", "--size", "32", "--out", str(out)]
    assert main(args) == 0
    with Image.open(out) as page:
        assert f"{page.width} by {page.height}" in capsys.readouterr().out
    assert main([*args[:-1], str(tmp_path / "clip.pdf")]) != 0


def test_the_command_offers_every_sheet() -> None:
    assert faces_command.SHEETS == SHEETS


def test_the_command_draws_blends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "set"
    assert main(["faces", "draw", "--kind", "mixture", "--n", "1", "--out", str(out)]) == 0
    assert "1 blended pictures and annotations.parquet" in capsys.readouterr().out
    assert (out / "images" / "0000000.png").is_file()
