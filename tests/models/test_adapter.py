"""Adapters upon a checkpoint, in place and behind vLLM."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.model import Model
from harness.models.registry import OpenOptions, open_model
from harness.models.transformers.adapter import Adapter, find_adapter
from harness.models.vllm.arguments import lora_arguments
from harness.run.scoring import shown_name
from tests.models.fake_vllm import make_fake, starts
from tests.models.tiny_checkpoint import ask, build

pytest.importorskip("torch")
pytest.importorskip("peft")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("adapter") / "base")


@pytest.fixture(scope="module")
def lora(folder: Path) -> Path:
    """An adapter of rank 24 as PEFT writes it, its matrices large enough to change what is said."""
    return train(folder, folder.parent / "lora")


def train(base: Path, folder: Path, *, seed: int = 1, rank: int = 24) -> Path:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import Qwen2_5_VLForConditionalGeneration

    network = Qwen2_5_VLForConditionalGeneration.from_pretrained(base)
    made = get_peft_model(network, LoraConfig(r=rank, target_modules=["q_proj", "v_proj"]))
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "lora_" in name:
                parameter.normal_(0, 0.3)
    made.save_pretrained(folder)
    return folder


def opened(base: Path, adapter: Path | None) -> Model:
    options = OpenOptions(adapter=None if adapter is None else str(adapter))
    return open_model(f"transformers:{base}", options=options)


def said(model: Model) -> list[Generation]:
    async def run() -> list[Generation]:
        replies = await asyncio.gather(*(model.reply(ask(nth)) for nth in range(4)))
        await model.close()
        return list(replies)

    return asyncio.run(run())


def test_an_adapter_changes_replies_as_peft_itself_does(folder: Path, lora: Path) -> None:
    """An oracle written apart: the adapter merged into the checkpoint by PEFT, and saved."""
    from peft import PeftModel
    from transformers import Qwen2_5_VLForConditionalGeneration

    network = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder)
    merged = folder.parent / "merged"
    shutil.copytree(folder, merged)
    PeftModel.from_pretrained(network, str(lora)).merge_and_unload().save_pretrained(merged)
    with_it, plain, whole = (
        [g.text for g in said(model)]
        for model in (opened(folder, lora), opened(folder, None), opened(merged, None))
    )
    assert with_it == whole
    assert with_it != plain


def test_each_fold_is_answered_by_its_own_adapter(folder: Path, lora: Path, tmp_path: Path) -> None:
    """Asked in turn and together, as if each adapter were alone; the beginnings that one has read are not the other's."""
    other = train(folder, tmp_path / "other", seed=2)
    alone = {fold: [g.text for g in said(opened(folder, a))] for fold, a in {"s.1": lora, "s.2": other}.items()}  # fmt: skip
    options = OpenOptions(adapters={"s.1": str(lora), "s.2": str(other)})
    model = open_model(f"transformers:{folder}", options=options)
    asked = [
        replace(ask(nth), adapter=fold, key=f"{fold}-{nth}") for nth in range(4) for fold in alone
    ]

    async def run() -> list[Generation]:
        replies = await asyncio.gather(*map(model.reply, asked))
        await model.close()
        return list(replies)

    found = [g.text for g in asyncio.run(run())]
    assert [found[0::2], found[1::2]] == [alone["s.1"], alone["s.2"]]
    assert alone["s.1"] != alone["s.2"]


def test_its_content_is_part_of_the_identity(folder: Path, lora: Path, tmp_path: Path) -> None:
    plain, one = opened(folder, None).card, opened(folder, lora).card
    copied = Path(shutil.copytree(lora, tmp_path / "copied"))
    assert opened(folder, copied).card.identity == one.identity != plain.identity
    assert "adapter" not in plain.identity
    other = train(folder, tmp_path / "other", seed=2)
    assert opened(folder, other).card.identity != one.identity
    assert one.details["adapter"].startswith("lora ")


def test_one_that_does_not_fit_is_an_error_and_not_silence(
    folder: Path, lora: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    moved = Path(shutil.copytree(lora, tmp_path / "moved"))
    weights = load_file(moved / "adapter_model.safetensors")
    renamed = {name.replace("layers.0.", "layers.7."): value for name, value in weights.items()}
    save_file(renamed, moved / "adapter_model.safetensors")
    with pytest.raises(HarnessError, match="does not fit"):
        said(opened(folder, moved))


@pytest.mark.parametrize("missing", ["adapter_config.json", "adapter_model.safetensors"])
def test_a_folder_without_an_adapter_is_named(lora: Path, tmp_path: Path, missing: str) -> None:
    broken = Path(shutil.copytree(lora, tmp_path / "broken"))
    (broken / missing).unlink()
    with pytest.raises(HarnessError, match=f"holds no {missing}"):
        find_adapter(str(broken))


def test_vllm_is_asked_for_it_by_its_name(folder: Path, lora: Path, tmp_path: Path) -> None:
    """The fake server knows no model but the adapter's."""
    python = make_fake(tmp_path / "env")
    options = OpenOptions(vllm_python=str(python), adapter=str(lora))
    with pytest.raises(HarnessError, match="was trained on"):
        open_model("vllm:affect-tiny", options=options)
    model = open_model(f"vllm:{folder}", options=options)
    bare = open_model(f"vllm:{folder}", options=OpenOptions(vllm_python=str(python)))
    assert find_adapter(str(lora)).content in model.card.identity
    assert model.card.identity != bare.card.identity
    assert [g.failure for g in said(model)] == [None] * 4
    (started,) = starts(python)
    assert "--enable-lora" in started
    assert started[started.index("--max-lora-rank") + 1] == "32"
    named = started[started.index("--lora-modules") + 1]
    assert named.endswith(f"-adapter={lora.resolve()}")
    assert started[started.index("--served-model-name") + 1] + "-adapter" in named


@pytest.mark.parametrize(("kind", "rank"), [("IA3", 0), ("LORA", 1024)])
def test_what_vllm_does_not_serve_is_said_before_it_starts(kind: str, rank: int) -> None:
    with pytest.raises(HarnessError) as caught:
        lora_arguments({"x": Adapter(Path("x"), "", rank, kind)})
    assert "transformers:" in caught.value.hint


def test_a_rank_pattern_counts(lora: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(lora, tmp_path / "copied"))
    file = copied / "adapter_config.json"
    told = json.loads(file.read_text()) | {"rank_pattern": {"q_proj": 40}}
    file.write_text(json.dumps(told))
    assert find_adapter(str(copied)).rank == 40


def test_one_of_the_hub_is_called_as_the_user_wrote_it(
    folder: Path, lora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0a1b2c3d" * 5
    snapshot = tmp_path / "snapshots" / commit
    shutil.copytree(lora, snapshot)
    monkeypatch.setattr(
        "harness.models.transformers.adapter.fetch_adapter", lambda argument: snapshot
    )
    spec = f"transformers:{folder}"
    model = open_model(spec, options=OpenOptions(adapter="someone/faces-lora"))
    details = model.card.details
    assert details["adapter"] == f"someone/faces-lora {find_adapter(str(lora)).content}"
    assert details["adapter_revision"] == commit
    assert shown_name(spec, {"details": details}) == f"{spec} (adapter someone/faces-lora)"
    model.close()
