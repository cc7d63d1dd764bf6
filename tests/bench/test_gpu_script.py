"""The script that measures sharing on a GPU, tried on the processor with a small shape."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "results" / "benchmarks" / "gpu.py"


def test_the_floor_is_that_of_the_real_shape() -> None:
    """By hand: the weights of Qwen2.5-VL-3B, and what a picture of 1,024 patches costs."""
    said = runpy.run_path(str(SCRIPT))
    shape, done, device = said["SHAPES"]["3b"], said["Done"], said["Device"]
    assert shape.text_weights == pytest.approx(3.09e9, rel=0.01), "3B, its output counted once"
    assert shape.encoding() == pytest.approx(1.4e12, rel=0.1), "0.67e9 weights for each patch"
    few = done(1.0, 16, 1, 16 * 300, 600, 128, None)
    many = done(1.0, 16, 16, 16 * 300, 16 * 300, 128, None)
    slow = device("slow", 1e12, 1e12)
    assert shape.floor(many, slow) > 5 * shape.floor(few, slow)
    bytes_alone = device("slow", 1e30, 1e12)
    assert shape.floor(few, bytes_alone) == pytest.approx(8 * 2 * 3.09e9 / 1e12, rel=0.05)


@pytest.mark.bench
def test_the_script_runs_on_the_processor(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--shape", "small", "--pictures", "2", "--rounds", "1", "--dtype", "float32"]
    assert runpy.run_path(str(SCRIPT))["main"]([*asked, "--prompts", "1", "4"]) == 0
    page = capsys.readouterr().out
    rows = [line.split("|")[1:] for line in page.splitlines() if line.startswith("| in place")]
    read = {(row[0].strip(), row[1].strip()): [cell.strip() for cell in row] for row in rows}
    assert read["in place, unshared", "4"][4] == "8" and read["in place, shared", "4"][4] == "2"
    assert "no GPU was at hand" in page
