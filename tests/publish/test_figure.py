"""Figures: the same bytes each time, every word in them text, and refusals that say what to do."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from harness.cli.main import main
from harness.compare.candidates import run_side
from harness.compare.overview import overview
from harness.publish.figure import Panel, panels_of, reliability
from harness.run.folder import RunFolder


def words_of(path: Path) -> str:
    """The text of an SVG."""
    root = ET.fromstring(path.read_text())
    return " ".join("".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text"))  # fmt: skip


@pytest.mark.parametrize("kind", ["heatmap", "forest", "confusion"])
def test_a_figure_is_written_the_same_each_time(
    run: RunFolder, exported: Path, tmp_path: Path, kind: str
) -> None:
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    assert main(["figure", str(run.path), kind, "--out", str(first)]) == 0
    assert main(["figure", str(exported), kind, "--out", str(second)]) == 0
    assert first.read_bytes() == second.read_bytes()
    words = words_of(first)
    assert "=po_or%" in words and "raf-db/emotion" in words
    assert kind == "confusion" or "n = 140 (20 subjects)" in words


def test_what_a_heat_map_and_a_forest_say(run: RunFolder, tmp_path: Path) -> None:
    for kind, said in {
        "heatmap": (".979", "Bold: significantly different from every other cell"),
        "forest": ("good · emotion/cot – emotion/plain", "Filled: significant"),
    }.items():
        out = tmp_path / f"{kind}.svg"
        assert main(["figure", str(run.path), kind, "--out", str(out)]) == 0
        assert all(one in words_of(out) for one in said)
    for suffix, start in {"png": b"\x89PNG", "pdf": b"%PDF"}.items():
        out = tmp_path / f"x.{suffix}"
        assert main(["figure", str(run.path), "heatmap", "--out", str(out)]) == 0
        data = out.read_bytes()
        assert data.startswith(start) and str(run.path).encode() not in data
        assert main(["figure", str(run.path), "heatmap", "--out", str(out), "--overwrite"]) == 0
        assert out.read_bytes() == data


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["heatmap", "--out", "x.bmp"], r"no figure is written as \.bmp"),
        (["pie", "--out", "x.svg"], "'pie' is no figure"),
        (["reliability", "--out", "x.svg"], "there are no probabilities"),
        (["heatmap", "--out", "x.svg", "--against", "model=good"], "--against"),
        (["forest", "--out", "x.svg", "--where", "model=good,prompt=emotion/cot,condition=none"], "nothing to compare"),
    ],
)  # fmt: skip
def test_a_refusal_says_why(
    run: RunFolder,
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["figure", str(run.path), *words]) == 2
    assert re.search(said, capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_reliability_is_drawn_from_bins(run: RunFolder) -> None:
    bins = [{"confidence": c, "accuracy": a, "n": n} for c, a, n in ((0.3, 0.2, 4), (0.9, 0.7, 30))]
    draw = reliability([Panel("a $model", {"bins": bins})], "task")
    assert b"a $model" in draw(".svg") and draw(".svg") == draw(".svg")
    (board,) = overview(run).boards
    assert panels_of([run_side(run)], board, "confusions")[0].name == "good · emotion/plain"  # fmt: skip
