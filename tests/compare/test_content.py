"""Samples paired by what they show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from harness.cli.main import main

LABELS = ("anger", "fear")
N = 24


def scored(folder: Path, name: str, prefix: str, wrong: set[int]) -> None:
    """A run folder NAME over pictures PREFIX0.png, ...; picture k looks the same whatever it is called."""
    (folder / name).mkdir()
    rows, said = ["image,emotion"], ["name,said"]
    for k in range(N):
        Image.new("RGB", (8, 8), (k, 2 * k, 3 * k)).save(folder / name / f"{prefix}{k}.png")
        rows.append(f"{prefix}{k}.png,{LABELS[k % 2]}")
        said.append(f"{prefix}{k}.png,{LABELS[(k + (k in wrong)) % 2]}")
    (folder / name / "t.csv").write_text("\n".join(rows) + "\n")
    (folder / f"{name}.csv").write_text("\n".join(said) + "\n")
    command = [
        "score", "--predictions", f"{name}.csv", "--task", "table/emotion", "--set", f"source.file={name}/t.csv",
        "--out", f"run-{name}",
    ]  # fmt: skip
    assert main(command) == 0


def test_pictures_of_other_names_are_paired_by_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    scored(tmp_path, "one", "a", {0, 1})
    scored(tmp_path, "two", "b", {1, 2, 3, 4})
    capsys.readouterr()
    assert main(["compare", "run-one", "run-two", "--json"]) == 2
    capsys.readouterr()
    assert main(["compare", "run-one", "run-two", "--by", "content", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["comparisons"]
    assert (found["n"], found["dropped_a"], found["matched_by"]) == (N, 0, "content")
    (accuracy,) = [change for change in found["metrics"] if change["of"] == "accuracy"]
    assert accuracy["difference"] == pytest.approx(2 / N, abs=1e-6)
    assert (accuracy["only_a"], accuracy["only_b"]) == (3, 1)


def test_a_picture_that_is_there_twice_is_not_paired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    scored(tmp_path, "one", "a", {0})
    scored(tmp_path, "two", "b", {1})
    (tmp_path / "two" / "b5.png").write_bytes((tmp_path / "two" / "b7.png").read_bytes())
    (tmp_path / "two" / "b9.png").unlink()
    capsys.readouterr()
    assert main(["compare", "run-one", "run-two", "--by", "content"]) == 0
    said = " ".join("".join(capsys.readouterr()).split())
    assert "1 samples with pictures that cannot be read, 2 samples with the pictures" in said
    assert f"{N - 3} samples matched by content" in said
