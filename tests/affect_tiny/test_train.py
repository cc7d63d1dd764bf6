"""The trainer end to end, on a pool far too small to learn from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SMALL = {
    "faces": 12,
    "clips": 3,
    "see-steps": 2,
    "see-faces": 4,
    "see-clips": 2,
    "windows": 3,
    "sheets": 3,
    "settle-sheets": 1,
    "choose-steps": 2,
    "settle-steps": 2,
    "settle-choices": 1,
    "choose-faces": 2,
    "talk-steps": 2,
    "talk-faces": 3,
    "talk-rows": 2,
    "talk-clips": 2,
    "mix": 0.4,
}


def test_the_trainer_refuses_test_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from harness.affect_tiny.training.train import main

    assert main(["--work", str(tmp_path), "--out", str(tmp_path / "o"), "--pool-seed", "0"]) == 2
    assert "kept for evaluation" in capsys.readouterr().err
    assert not (tmp_path / "faces").exists()


def test_two_steps_train_save_and_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.affect_tiny.training import settings, train
    from harness.affect_tiny.training.inference import Speaker

    monkeypatch.setattr(settings, "VALIDATION", 4)
    monkeypatch.setattr(train.Trainer, "report", lambda *_: lambda: "")
    said: list[str] = []
    monkeypatch.setattr("builtins.print", lambda *a, **_: said.append(" ".join(map(str, a))))
    out = tmp_path / "out"
    common = [
        "--work",
        str(tmp_path / "work"),
        "--out",
        str(out),
        *(f"--{k}={v}" for k, v in SMALL.items()),
    ]
    assert train.main(common) == 0
    for stage in ("see", "talk", "choose", "settle"):
        assert any(f"{stage} step 2/2" in line for line in said)
    first = (out / "model.safetensors").read_bytes()
    assert train.main([*common, "--resume"]) == 0
    assert (out / "model.safetensors").read_bytes() == first
    for name in ("preprocessor_config.json", "video_preprocessor_config.json"):
        assert json.loads((out / name).read_text())["patch_size"] == 14
    assert Speaker.load(out).model.config.text_config.num_hidden_layers > 0
