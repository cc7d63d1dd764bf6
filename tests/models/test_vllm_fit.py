"""Which vLLM serves a checkpoint, whether it fits, and what is refused before a start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.models.vllm.architectures import at_least, requirement, unmet, verdict
from harness.models.vllm.fit import check_start, findings
from harness.models.vllm.installation import Installation
from harness.models.vllm.memory import Need, Place, fitting, need_of, usable
from tests.models.fake_vllm import make_fake

MLLAMA = "MllamaForConditionalGeneration"
QWEN = "Qwen2_5_VLForConditionalGeneration"
QWEN3 = "Qwen3VLForConditionalGeneration"
REGISTRY = f"""
_MULTIMODAL_MODELS = {{
    "{QWEN}": ("qwen2_5_vl", "{QWEN}"),
    "{QWEN3}": (
        "qwen3_vl",
        "{QWEN3}",
    ),
}}
_PREVIOUSLY_SUPPORTED_MODELS = {{
    "{MLLAMA}": "0.10.2",
}}
"""
GIB = 2**30


def installed(version: str, transformers: str = "5.5.0", root: Path | None = None) -> Installation:
    return Installation(Path("python"), version, True, {"transformers": transformers}, root=root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a vLLM with a registry."""
    file = tmp_path / "vllm" / "model_executor" / "models" / "registry.py"
    file.parent.mkdir(parents=True)
    file.write_text(REGISTRY)
    return tmp_path / "vllm"


@pytest.mark.parametrize(
    ("architecture", "version", "serves", "word"),
    [
        (QWEN, "0.7.2", True, "should serve"),
        (QWEN, "0.7.1", False, "from 0.7.2 on"),
        (QWEN3, "0.10.2", False, "from 0.11.0 on"),
        (QWEN3, "0.33.0", True, "should serve"),
        (MLLAMA, "0.10.2", True, "should serve"),
        (MLLAMA, "0.11.0", False, "0.10.2 was the last"),
        (MLLAMA, "0.32.0+cpu", False, "0.10.2 was the last"),
        ("TomorrowForConditionalGeneration", "0.33.0", None, "not known"),
    ],
)
def test_the_table_says_which_vllm_serves_what(
    architecture: str, version: str, serves: bool | None, word: str
) -> None:
    found = verdict(architecture, vllm=version, root=None)
    assert found.serves is serves and word in found.said


def test_what_is_installed_counts_before_the_table(root: Path) -> None:
    assert verdict(QWEN3, vllm="0.10.2", root=root).serves is True
    assert verdict(MLLAMA, vllm="0.10.1", root=root).serves is False
    assert verdict("Tomorrow", vllm="0.33.0", root=root).serves is None


def test_what_pip_is_to_install() -> None:
    assert requirement(MLLAMA) == "'vllm==0.10.2' 'transformers>=4.55.2,<5'"
    assert requirement(QWEN3) == "'vllm>=0.11.0' 'transformers>=4.57'"
    assert requirement("Tomorrow") == ""
    assert unmet((">=4.55.2", "<5"), "5.0.0") == ("<5",)
    assert unmet((">=4.55.2", "<5"), "4.57.1") == ()
    assert unmet((">=4.55.2",), "") == ()
    assert at_least("0.10.2", "0.9.9") and not at_least("0.9", "0.10.0") and at_least("dev", "1.0")


def test_a_start_that_is_known_to_fail_is_refused_before_it_is_tried(root: Path) -> None:
    def start(architecture: str, *installation: Any) -> None:
        check_start(installed(*installation), {"architectures": [architecture]})

    start(QWEN, "0.33.0")
    start(MLLAMA, "0.10.2", "4.57.1")
    start("Tomorrow", "0.33.0")
    check_start(installed("0.33.0"), {})
    with pytest.raises(HarnessError, match=r"0\.10\.2 was the last") as caught:
        start(MLLAMA, "0.32.0", "5.5.0", root)
    assert "vllm==0.10.2" in caught.value.hint and "--vllm-python" in caught.value.hint
    for architecture in (MLLAMA, QWEN):
        with pytest.raises(HarnessError, match=r"under transformers 5\.23\.0") as caught:
            start(architecture, "0.10.2", "5.23.0")
        assert "<5'" in caught.value.hint and "pip install" in caught.value.hint


LLAMA_CONFIG = {
    "architectures": [MLLAMA],
    "text_config": {
        "num_hidden_layers": 40, "num_attention_heads": 32, "num_key_value_heads": 8,
        "hidden_size": 4096, "torch_dtype": "bfloat16", "max_position_embeddings": 131072,
    },
}  # fmt: skip


def checkpoint(folder: Path, *, config: dict[str, Any], weights: int) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    index = {"metadata": {"total_size": weights}, "weight_map": {}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def test_memory_is_reckoned_from_index_and_configuration(tmp_path: Path) -> None:
    """40 layers x 8 heads x 128 x 2 (key, value) x 2 bytes = 160 KiB a token."""
    folder = checkpoint(tmp_path / "llama", config=LLAMA_CONFIG, weights=int(19.9 * GIB))
    need = need_of(folder, LLAMA_CONFIG)
    assert need == Need(int(19.9 * GIB), 163_840)
    gpu = Place("A GPU", 24 * GIB)
    room = usable(gpu, [])
    assert room == int(21.6 * GIB) - 2 * GIB
    more = usable(gpu, ["--gpu-memory-utilization", "0.97", "--enforce-eager"])
    assert more == int(23.28 * GIB) - GIB
    assert fitting(need, usable=room, tokens=2048) == 0
    assert fitting(need, usable=more, tokens=2048) == 7
    assert fitting(Need(None, 1), usable=room, tokens=1) is None


@pytest.mark.parametrize(
    ("weights", "size", "good", "words"),
    [
        (
            16.6,
            24,
            True,
            [
                "fit into",
                "9 conversations of 2,048 tokens",
                "--max-model-len=4096",
                "--max-num-seqs=9",
            ],
        ),
        (19.9, 24, False, ["do not fit", "quantised", "--gpu-memory-utilization=0.95"]),
        (140.0, 80, False, ["do not fit", "--tensor-parallel-size=4"]),
    ],
)
def test_what_is_said_of_a_checkpoint(
    weights: float, size: int, good: bool, words: list[str], tmp_path: Path
) -> None:
    config = LLAMA_CONFIG | {"architectures": [QWEN]}
    folder = checkpoint(tmp_path / "x", config=config, weights=int(weights * GIB))
    found = list(
        findings(
            "vllm:x", folder, installed("0.33.0"), places=[Place("A GPU", size * GIB)] * 4,
            memory=0, arguments=[],
        )
    )  # fmt: skip
    assert all(one.good for one in found) is good
    said = " ".join(f"{one.said} {one.hint}" for one in found)
    assert all(word in said for word in words), said
    assert "harness run TASK --model vllm:x --vllm-python python" in found[-1].said


def test_doctor_looks_at_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    python = make_fake(tmp_path / "env")
    llama = checkpoint(tmp_path / "llama", config=LLAMA_CONFIG, weights=GIB)
    code = main(["doctor", "--model", f"vllm:{llama}", "--vllm-python", str(python)])
    told = capsys.readouterr().out
    assert code == 1
    assert "0.10.2 was the last that served MllamaForConditionalGeneration" in told
    assert "vllm==0.10.2" in told and "--vllm-arg=--enforce-eager" in told
    assert main(["doctor", "--model", "vllm:affect-tiny", "--vllm-python", str(python)]) == 0
    assert "should serve Qwen2_5_VLForConditionalGeneration" in capsys.readouterr().out


def test_doctor_says_what_it_cannot_look_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--model", "openai:x@http://127.0.0.1:1"]) != 0
    assert "cannot be checked before a run" in capsys.readouterr().err
    assert main(["doctor", "--vllm-arg=--enforce-eager"]) != 0
