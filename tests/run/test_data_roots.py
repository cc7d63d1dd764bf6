"""Errors about a wrong folder name the place that it was given in."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.main import main


@pytest.mark.parametrize("command", [["plan"], ["data", "check"]])
@pytest.mark.parametrize("task", ["emonet-face/emotions", "blemore/blends", "folder/own"])
def test_a_folder_of_data_is_named_by_its_entry(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    task: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong").mkdir()
    (tmp_path / "own" / "train").mkdir(parents=True)
    own = tmp_path / "tasks" / "folder"
    own.mkdir(parents=True)
    (own / "own.yaml").write_text(
        "description: Own pictures.\nsource: {family: folder, root: '${data.mine}/train'}\n"
        "fields: {emotion: {kind: label, labels: [a, b]}}\nprompts: [emotion/direct]\n"
    )
    Path("harness.toml").write_text(
        'tasks = "tasks"\n[data]\nemonet_face_hq = "wrong"\nblemore = "nowhere"\nmine = "own"\n'
    )
    name = {"e": "emonet_face_hq", "b": "blemore", "f": "mine"}[task[0]]
    assert main([*command, task]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"[data] {name} in harness.toml" in told and "source.root" not in told, told
    assert main([*command, task, "--set", f"source.root={tmp_path / 'other'}"]) == 2
    assert "source.root" in capsys.readouterr().err
