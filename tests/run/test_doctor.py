"""What `harness doctor` says of a server that can be started."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.run.doctor import check_model, check_vllm
from tests.models.fake_vllm import make_fake


def test_it_names_the_vllm_and_who_starts_it(tmp_path: Path) -> None:
    python = make_fake(tmp_path / "env")
    found = check_vllm(str(python))
    assert (found.mark, found.what) == (
        "ok",
        f"vLLM 0.32.0 is available from {python} (vllm:MODEL)",
    )
    assert not (tmp_path / "env" / "imported").exists()


def test_it_says_how_to_get_one(tmp_path: Path) -> None:
    found = check_vllm(str(tmp_path / "nowhere"))
    assert found.mark == "no" and "vllm:MODEL is not available" in found.what
    assert "Python interpreter of the environment with vLLM" in found.hint


def test_a_model_on_this_machine_is_looked_at() -> None:
    (fer,) = check_model("specialist:fer")
    assert fer.mark == "ok" and "files are there" in fer.what
    (absent,) = check_model("specialist:onnx:absent.onnx")
    assert absent.mark == "BAD" and "absent.onnx" in absent.what
    with pytest.raises(HarnessError, match="unknown model 'nosuch'"):
        list(check_model("nosuch"))
