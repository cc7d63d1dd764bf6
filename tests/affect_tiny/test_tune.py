"""The tuning end to end, on pools far too small to learn from."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.affect_tiny import weights_folder

pytestmark = pytest.mark.slow

SMALL = {
    "faces": 4, "clips": 2, "windows": 2, "sheets": 2, "scenes": 3, "steps": 2, "scene-rows": 1, "near-rows": 1,
    "plain-rows": 1, "face-rows": 1, "old-faces": 2, "old-clips": 1, "old-choices": 1, "old-sheets": 1,
    "old-windows": 1, "free-sheets": 1,
}  # fmt: skip


def test_two_steps_change_the_weights_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.affect_tiny.training import settings, tune

    monkeypatch.setattr(settings, "VALIDATION", 2)
    monkeypatch.setattr(tune, "NEAR", (0.25, 1.01))
    out = tmp_path / "out"
    common = ["--work", str(tmp_path / "work"), "--out", str(out)]
    assert tune.main([*common, *(f"--{key}={value}" for key, value in SMALL.items())]) == 0
    before = {file.name: file.read_bytes() for file in weights_folder().iterdir()}
    after = {file.name: file.read_bytes() for file in out.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"model.safetensors"}


def test_test_faces_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from harness.affect_tiny.training.tune import main

    assert main(["--work", str(tmp_path), "--out", str(tmp_path / "o"), "--pool-seed", "0"]) == 2
    assert "kept for evaluation" in capsys.readouterr().err
