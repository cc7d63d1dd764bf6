"""What a checkpoint needs besides its weights: packages, code of its own, its processor; and memory given back."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import HarnessError
from harness.models.registry import OpenOptions, open_model
from harness.models.transformers import loading
from harness.models.transformers.libraries import check_quantised, missing_package
from tests.models.more_families import build_llava
from tests.models.tiny_checkpoint import ask, build

pytest.importorskip("torch")
pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning")]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("loading") / "base")


@pytest.mark.parametrize(
    ("error", "package"),
    [
        (ImportError("SmolVLM: install it with `pip install num2words`."), "num2words"),
        (ImportError("\nPixtralProcessor requires the Torchvision library but it was"), "torchvision"),
        (ModuleNotFoundError("No module named 'cv2'", name="cv2"), "opencv-python-headless"),
        (ModuleNotFoundError("No module named 'flash_attn.x'", name="flash_attn.x"), "flash-attn"),
        (ImportError("This modeling file requires the following packages that were not found in your "
                     "environment: einops. Run `pip install einops`"), "einops"),
        (ImportError("Loading an AWQ quantized model requires gptqmodel. Please install it with "
                     "`pip install gptqmodel`"), "gptqmodel"),
        (ValueError("a shape does not fit"), ""),
    ],
)  # fmt: skip
def test_a_package_that_is_missed_is_named(error: Exception, package: str) -> None:
    assert missing_package(error) == package
    outer = RuntimeError("could not be loaded")
    outer.__cause__ = error
    assert missing_package(outer) == package


@pytest.mark.parametrize(
    ("method", "package"),
    [("awq", "gptqmodel"), ("gptq", "optimum and gptqmodel"), ("bitsandbytes", "bitsandbytes"),
     ("compressed-tensors", "compressed-tensors")],
)  # fmt: skip
def test_a_quantised_checkpoint_names_its_package_before_it_is_read(
    method: str, package: str
) -> None:
    with pytest.raises(HarnessError, match=f"quantised \\({method}\\).*{package}") as caught:
        check_quantised({"quantization_config": {"quant_method": method}}, where="x")
    assert "pip install" in caught.value.hint and "vLLM" in caught.value.hint
    check_quantised({}, where="x")
    check_quantised({"quantization_config": {"quant_method": "of tomorrow"}}, where="x")


@pytest.mark.slow
def test_the_processor_is_the_one_that_the_checkpoint_names(tmp_path: Path) -> None:
    """Pixtral's architecture is LLaVA's; where torchvision is absent, that is said, and LLaVA's is not taken."""
    plain = open_model(f"transformers:{build_llava(tmp_path / 'llava')}")
    assert plain.card.details["processor"] == "LlavaProcessor"
    pixtral = build_llava(tmp_path / "pixtral", processor="PixtralProcessor")
    try:
        model = open_model(f"transformers:{pixtral}")
    except HarnessError as error:
        assert "torchvision" in f"{error.message} {error.hint}"
    else:
        assert model.card.details["processor"] == "PixtralProcessor"


@pytest.mark.slow
def test_weights_are_read_when_asked_and_given_back_when_closed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two models never both are in memory."""
    alive: list[weakref.ref[Any]] = []

    def held() -> int:
        gc.collect()
        return sum(one() is not None for one in alive)

    real = loading.load_weights

    def watched(opened: loading.Opened) -> loading.Loaded:
        assert held() == 0, "the one before is still in memory"
        loaded = real(opened)
        alive.append(weakref.ref(loaded.model))
        return loaded

    monkeypatch.setattr("harness.models.transformers.opening.load_weights", watched)
    models = [open_model(f"transformers:{folder}"), open_model("affect-tiny")]
    assert alive == []

    async def run() -> None:
        for model in models:
            await asyncio.gather(*(model.reply(ask(nth)) for nth in range(3)))
            assert held() == 1
            await model.close()

    asyncio.run(run())
    assert len(alive) == 2 and held() == 0
    assert models[0].card.details["device_map"] == "cpu"


@pytest.mark.slow
def test_weights_that_cannot_be_read_stop_the_run(folder: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    (broken / "model.safetensors").write_bytes(b"no weights")
    model = open_model(f"transformers:{broken}")

    async def run() -> list[Any]:
        found = await asyncio.gather(
            *(model.reply(ask(n)) for n in range(3)), return_exceptions=True
        )
        await model.close()
        return found

    assert all("could not be loaded" in str(error) for error in asyncio.run(run()))


def test_layers_in_main_memory_are_said() -> None:
    class Placed:
        hf_device_map = {"model.layers.0": 0, "model.layers.1": "cpu", "lm_head": "disk"}  # noqa: RUF012

    places = loading.places_of(Placed())
    assert places == {"cuda:0": 1, "cpu": 1, "disk": 1}
    (note,) = loading._notes(places)
    assert "2 of 3 parts" in note and "GPU" in note
    assert loading._notes({"cuda:0": 3}) == loading._notes({"cpu": 1}) == ()


CODE = """
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

class OwnConfig(Qwen2_5_VLConfig):
    model_type = "own-kind"

class OwnModel(Qwen2_5_VLForConditionalGeneration):
    config_class = OwnConfig
"""

ASK = """
import asyncio, sys
from harness.models.registry import OpenOptions, open_model
from tests.models.tiny_checkpoint import ask
model = open_model(f"transformers:{sys.argv[1]}", options=OpenOptions(trust_remote_code=True))
print(model.card.details["code"], ascii(asyncio.run(model.reply(ask(1))).text))
"""


def _save_as_own(folder: Path, own: Path) -> None:
    """Weights under the names of the class itself: transformers knows no others for a kind of tomorrow."""
    from safetensors.torch import save_file
    from transformers import Qwen2_5_VLForConditionalGeneration

    network = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder)
    save_file(dict(network.state_dict()), own / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.slow
def test_a_checkpoint_that_lacks_weights_is_refused(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    less = Path(shutil.copytree(folder, tmp_path / "less"))
    weights = load_file(less / "model.safetensors")
    dropped = next(name for name in weights if "q_proj" in name)
    del weights[dropped]
    save_file(weights, less / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(HarnessError, match="lacks 1 weights"):
        asyncio.run(open_model(f"transformers:{less}").reply(ask(1)))


@pytest.mark.slow
def test_code_of_a_checkpoint_is_run_only_where_that_was_allowed(
    folder: Path, tmp_path: Path
) -> None:
    own = Path(shutil.copytree(folder, tmp_path / "own"))
    _save_as_own(folder, own)
    config = json.loads((own / "config.json").read_text())
    config |= {
        "model_type": "own-kind",
        "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModelForImageTextToText": "own.OwnModel"},
    }
    (own / "config.json").write_text(json.dumps(config))
    (own / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n{CODE}")
    with pytest.raises(HarnessError, match="contains its own Python code") as caught:
        open_model(f"transformers:{own}", options=OpenOptions())
    assert "--trust-remote-code MODEL" in caught.value.hint
    assert not (tmp_path / "ran").exists()
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(own)], cwd=ROOT, capture_output=True, text=True, timeout=120,
        env=os.environ | {"HF_MODULES_CACHE": str(tmp_path / "modules"), "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "ran").exists()
    plain = asyncio.run(open_model(f"transformers:{folder}").reply(ask(1)))
    code, text = done.stdout.strip().split(" ", 1)
    assert len(code) == 64 and text == ascii(plain.text)
