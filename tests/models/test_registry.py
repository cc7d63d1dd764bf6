from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.models.registry import BASELINES, MODELS, describe_models, open_model


@pytest.mark.parametrize("spec", ["", "gpt-4", "sglang:x", "openai-x:m@http://127.0.0.1:1"])
def test_an_unknown_form_lists_every_form_with_an_example(spec: str) -> None:
    with pytest.raises(HarnessError) as caught:
        open_model(spec)
    for example in ("affect-tiny", "transformers:", "openai:qwen@http://127.0.0.1:8000"):
        assert example in caught.value.hint


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_are_left_to_scoring(name: str) -> None:
    with pytest.raises(HarnessError, match="baseline"):
        open_model(name)


def test_every_model_is_described_once() -> None:
    names = [one.name.partition(":")[0] for one in describe_models()]
    assert sorted(names) == sorted({*MODELS.names(), *BASELINES})
    assert all(one.line for one in describe_models())


def test_every_builtin_opens_by_its_registered_target() -> None:
    for name in MODELS.builtin:
        assert callable(MODELS.load(name))


def test_a_checkpoint_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="not a checkpoint"):
        open_model(f"transformers:{tmp_path}")
    with pytest.raises(HarnessError, match="/nowhere/at/all"):
        open_model("transformers:/nowhere/at/all")
    with pytest.raises(HarnessError, match="has no checkpoint name"):
        open_model("transformers:")


@pytest.mark.parametrize("name", ["affect-tiny:agent", "affect-tiny:large"])
def test_affect_tiny_has_no_variants(name: str) -> None:
    with pytest.raises(HarnessError, match=f"there is no '{name}'") as caught:
        open_model(name)
    assert "affect-tiny: it has no variants, and itself uses the tool zoom" in caught.value.hint


def test_absent_packaged_weights_are_named_with_the_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "harness.models.transformers.opening.weights_folder", lambda: tmp_path / "weights"
    )
    with pytest.raises(HarnessError) as caught:
        open_model("affect-tiny")
    assert (
        "affect-tiny" in caught.value.message
        and "harness.affect_tiny.training.train" in caught.value.hint
    )


def test_opening_nothing_imports_nothing_heavy() -> None:
    script = (
        "import sys; from harness.models.registry import describe_models, MODELS\n"
        "describe_models(); [MODELS.load(name) for name in MODELS.builtin]\n"
        "print(sorted({'torch', 'transformers', 'aiohttp', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
