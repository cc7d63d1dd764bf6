"""The experiment on open data: ranked where the sets are, named where they are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.main import main
from tests import open_sets

BOARD = Path(__file__).parents[2] / "results" / "experiments" / "open-board.yaml"


def test_sets_that_are_not_there_are_left_out_of_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plan", str(BOARD), "--model", "affect-tiny", "--limit", "4", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert {cell["task"] for cell in plan["cells"]} == {"faces/emotion"}
    assert 'blemore/blends is left out: [data] blemore = "FOLDER" is not in harness.toml' in plan["notes"]  # fmt: skip


@pytest.mark.slow
def test_sets_that_are_not_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", str(BOARD), "--model", "affect-tiny", "--limit", "4", "--out", "run"]) == 0
    told = capsys.readouterr()
    assert "note: blemore/blends is left out: [data] blemore" in told.err
    assert "notice: left out, its data are not here: emonet-face/emotions" in " ".join(told.out.split())  # fmt: skip
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert list(manifest["tasks"]) == ["faces/emotion"]
    assert list(manifest["experiment"]["left_out"]) == ["emonet-face/emotions", "blemore/blends"]
    assert "left out, its data are not here" in (tmp_path / "run" / "report.html").read_text()
    one = ["run", "blemore/blends", "--model", "affect-tiny", "--out", "none"]
    assert main(one) == 2 and main([*one, "--skip-missing"]) == 2
    assert "--skip-missing leaves no task: blemore/blends" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
    (tmp_path / "harness.toml").write_text('[data]\nblemore = "nowhere"\n')
    assert main([*one, "--skip-missing"]) == 2, "a folder that is named is meant"
    assert "nowhere" in capsys.readouterr().err


def test_all_three_sets_are_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    open_sets.emonet_hq(tmp_path / "hq", open_sets.emonet_ratings(4))
    open_sets.blemore(tmp_path / "blemore")
    (tmp_path / "harness.toml").write_text('[data]\nemonet_face_hq = "hq"\nblemore = "blemore"\n')
    assert main(["plan", str(BOARD), "--model", "affect-tiny", "--limit", "4", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    cells = {(cell["task"], cell["condition"]): cell["trials"] for cell in plan["cells"]}
    tasks = ("faces/emotion", "emonet-face/emotions", "blemore/blends")
    assert cells == {(task, condition): 4 for task in tasks for condition in ("none", "blank")}
    assert not [note for note in plan["notes"] if "left out" in note]
