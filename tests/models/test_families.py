"""Families of checkpoints, each by its own classes, template and way of taking pictures in."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from harness.core.generation import Generation
from harness.core.message import Image, Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.registry import open_model
from harness.models.transformers.libraries import settle_torchvision
from harness.models.transformers.model import LocalModel
from harness.run.fallback import Fitter
from tests.models.tiny_checkpoint import ask, build, picture
from tests.models.tiny_families import build_mllama, build_qwen3

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]
ROOT = Path(__file__).resolve().parents[2]
BUILDERS = {"qwen2.5-vl": build, "mllama": build_mllama, "qwen3-vl": build_qwen3}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("families")
    return {name: make(root / name) for name, make in BUILDERS.items()}


@pytest.fixture(scope="module")
def models(folders: dict[str, Path]) -> dict[str, LocalModel]:
    opened = {name: open_model(f"transformers:{folder}") for name, folder in folders.items()}
    assert all(isinstance(model, LocalModel) for model in opened.values())
    return opened  # type: ignore[return-value]


@pytest.fixture(params=sorted(BUILDERS))
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def say(*parts: Image | str, **sampling: Any) -> Request:
    turn = Message("user", tuple(Text(p) if isinstance(p, str) else p for p in parts))
    return make_request((turn,), Sampling(**{"max_tokens": 10, **sampling}), model="tiny")


def put(model: LocalModel, requests: Sequence[Request], *, together: bool) -> list[Generation]:
    async def run() -> list[Generation]:
        if together:
            replies = list(await asyncio.gather(*(model.reply(request) for request in requests)))
        else:
            replies = [await model.reply(request) for request in requests]
        await model.close()
        return replies

    return asyncio.run(run())


def test_a_batch_says_what_each_says_alone_whatever_their_pictures(
    models: dict[str, LocalModel], family: str
) -> None:
    """No picture, one, several, wide and high ones: greedy replies and their counts are the same."""
    sizes = ((84, 56), (56, 84), (112, 112), (448, 28), (28, 448))
    requests = [
        *(ask(nth, images=1 + nth % 3) for nth in range(6)),
        *(say(picture(nth, size), "what is this?") for nth, size in enumerate(sizes)),
        *(say(picture(nth, (56, 56)), "same " * nth) for nth in range(4)),
        *(say(f"no picture {nth}") for nth in range(3)),
        say(picture(1, (56, 56)), "between", picture(2, (112, 56)), "them"),
    ]
    one = put(models[family], requests, together=False)
    many = put(models[family], requests, together=True)
    assert [g.failure for g in one] == [None] * len(requests)
    assert [g.text for g in one] == [g.text for g in many]
    assert [(g.finish, g.usage) for g in one] == [(g.finish, g.usage) for g in many]


def test_pictures_and_their_order_matter(models: dict[str, LocalModel], family: str) -> None:
    size = (112, 112)
    shown = [say(picture(nth, size), "what is this?") for nth in range(8)]
    pairs = [
        say(picture(1, size), picture(2, size), "?"),
        say(picture(2, size), picture(1, size), "?"),
    ]
    got = put(models[family], [*shown, *pairs], together=True)
    assert len({g.text for g in got[:8]}) > 2
    if family != "mllama":  # whose pictures are seen through one attention, in a random model alike
        assert got[8].text != got[9].text


def test_greedy_tokens_are_those_of_plain_transformers(
    models: dict[str, LocalModel], folders: dict[str, Path], family: str
) -> None:
    """An oracle written apart: the family's processor and model, a loop of argmax, no generate."""
    import torch
    import transformers

    if family != "mllama":
        pytest.skip(
            "its processor wants torchvision; tests/models/test_checkpoint.py has an oracle"
        )
    network = transformers.AutoModelForImageTextToText.from_pretrained(folders[family]).eval()
    processor = transformers.AutoProcessor.from_pretrained(folders[family], backend="pil")
    shown = picture(5, (112, 56))
    with PIL.Image.open(io.BytesIO(shown.data)) as opened:
        inputs = dict(
            processor(
                text="<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n<|image|>what?"
                "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
                images=[[opened.convert("RGB")]], add_special_tokens=False, return_tensors="pt",
            )
        )  # fmt: skip
    start, said = inputs["input_ids"].shape[1], []
    with torch.no_grad():
        while len(said) < 10:
            token = int(network(**inputs, use_cache=False).logits[0, -1].argmax())
            if token in (processor.tokenizer.eos_token_id, processor.tokenizer.pad_token_id):
                break
            said.append(token)
            ids = torch.cat([inputs["input_ids"], torch.tensor([[token]])], 1)
            mask = inputs["cross_attention_mask"]
            inputs |= {
                "input_ids": ids,
                "attention_mask": torch.ones_like(ids),
                "cross_attention_mask": torch.cat([mask, mask[:, -1:]], 1),
            }
    (got,) = put(models[family], [say(shown, "what?")], together=False)
    assert got.text == processor.tokenizer.decode(said, skip_special_tokens=True)
    assert got.usage.prompt_tokens == start


def test_labels_are_scored_as_in_whole_conversations(
    models: dict[str, LocalModel], family: str
) -> None:
    """An oracle written apart: each label written behind its prompt, one pass for each, no cache."""
    import torch

    labels = ("anger", "a", "what is this? this is")
    requests = [
        make_request(ask(nth, images=nth % 3).messages, Sampling(), model="t", candidates=labels)
        for nth in range(4)
    ]
    together = put(models[family], requests, together=True)
    engine: Any = models[family]._load()
    end = engine._processor.tokenizer.convert_ids_to_tokens(engine._end_of_turn())
    for request, got in zip(requests, together, strict=True):
        assert got.scores is not None, got
        prompt = engine.prepare(request)
        for label, scored, length in zip(
            labels, got.scores.logprobs, got.scores.tokens, strict=True
        ):
            whole = engine._inputs([replace(prompt, text=prompt.text + label + end)])
            with torch.inference_mode():
                known = engine._model(**whole, use_cache=False).logits[0].float().log_softmax(-1)
            ids = whole["input_ids"][0].tolist()
            total = sum(float(known[at - 1, ids[at]]) for at in range(len(ids) - length, len(ids)))
            assert scored == pytest.approx(total, abs=1e-4)


def test_a_picture_beyond_a_family_fails_alone(models: dict[str, LocalModel]) -> None:
    """Qwen's processors take no side over 200 times the other; Mllama scales it into its tiles."""
    strip = say(picture(1, (2000, 4)), "?")
    for family, kind in (
        ("qwen2.5-vl", "unsupported"),
        ("qwen3-vl", "unsupported"),
        ("mllama", None),
    ):
        got = put(models[family], [ask(1), strip, ask(2)], together=True)
        assert [g.failure.kind if g.failure else None for g in got] == [None, kind, None]


def test_where_the_template_takes_no_system_turn_its_words_go_to_the_user(
    models: dict[str, LocalModel], family: str
) -> None:
    model = models[family]
    assert model.card.system_role is (family != "mllama")
    turns = (Message("system", (Text("Be brief."),)), Message("user", (picture(1), Text("Which?"))))
    fitted = asyncio.run(Fitter(lambda: model.card).fit(turns))
    assert fitted.rules == (("system-in-user",) if family == "mllama" else ())
    (got,) = put(
        model, [make_request(fitted.messages, Sampling(max_tokens=4), model="t")], together=False
    )
    assert got.failure is None
    if family == "mllama":
        (raw,) = put(
            model, [make_request(turns, Sampling(max_tokens=4), model="t")], together=False
        )
        assert raw.failure is not None and "incompatible with system messages" in raw.failure.detail
        (same,) = put(
            model, [say("Be brief.\n\n", picture(1), "Which?", max_tokens=4)], together=False
        )
        assert same.usage == got.usage and same.text == got.text


BROKEN = {
    "registers no operator": "raise RuntimeError('operator torchvision::nms does not exist')",
    "misses a library": "raise OSError('libtorchvision.so: cannot open shared object file')",
    "misses a name": "raise ImportError('cannot import name X from torch')",
    "misses a module": "import a_module_that_is_not_there",
}


def plant(folder: Path, text: str) -> None:
    """A torchvision that is installed and does not work."""
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "__init__.py").write_text(text)
    about = folder / "torchvision-0.28.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 0.28.0\n")


@pytest.mark.parametrize("fault", sorted(BROKEN))
def test_a_torchvision_broken_in_any_way_is_taken_for_absent(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, BROKEN[fault])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    settle_torchvision()
    assert sys.modules["torchvision"] is None
    monkeypatch.delitem(sys.modules, "torchvision")


@pytest.mark.parametrize("world", ["absent", "broken"])
def test_families_answer_alike_whatever_torchvision_is(
    world: str, folders: dict[str, Path], models: dict[str, LocalModel], tmp_path: Path
) -> None:
    if world == "broken":
        plant(tmp_path, BROKEN["registers no operator"])
    names = ["mllama", "qwen2.5-vl"]
    script = (
        "import asyncio, sys\n"
        f"sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]\n"
        + ("sys.modules['torchvision'] = None\n" if world == "absent" else "")
        + "from harness.models.registry import open_model\n"
        "from tests.models.tiny_checkpoint import ask\n"
        f"for folder in {[str(folders[name]) for name in names]!r}:\n"
        "    model = open_model(f'transformers:{folder}')\n"
        "    print(ascii(asyncio.run(model.reply(ask(1))).text))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # and without a word of chatter
    wanted = [ascii(put(models[name], [ask(1)], together=False)[0].text) for name in names]
    assert done.stdout.split("\n")[:2] == wanted
