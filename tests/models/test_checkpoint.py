"""transformers' own classes on a tiny random checkpoint."""

from __future__ import annotations

import asyncio
import hashlib
import io
import shutil
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.message import Image, Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.registry import open_model
from harness.models.transformers.model import LocalModel
from harness.models.transformers.sampler import Sampler
from tests.models.tiny_checkpoint import ask, build, picture

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def model(folder: Path) -> LocalModel:
    opened = open_model(f"transformers:{folder}")
    assert isinstance(opened, LocalModel)
    return opened


def together(model: LocalModel, requests: list[Request]) -> list[Generation]:
    async def run() -> list[Generation]:
        replies = await asyncio.gather(*(model.reply(request) for request in requests))
        await model.close()
        return list(replies)

    return asyncio.run(run())


def alone(model: LocalModel, requests: list[Request]) -> list[Generation]:
    async def run() -> list[Generation]:
        replies = [await model.reply(request) for request in requests]
        await model.close()
        return replies

    return asyncio.run(run())


@pytest.mark.parametrize(
    "sampling",
    [{}, {"temperature": 0.9, "top_p": 0.8, "top_k": 30}, {"repetition_penalty": 1.3}],
    ids=["greedy", "drawn", "penalised"],
)
def test_a_batch_says_what_each_request_says_alone(
    model: LocalModel, sampling: dict[str, float]
) -> None:
    requests = [ask(seed, images=1 + seed % 2, **sampling) for seed in range(8)]
    one, many = alone(model, requests), together(model, requests)
    assert [g.text for g in one] == [g.text for g in many]
    assert [(g.finish, g.usage) for g in one] == [(g.finish, g.usage) for g in many]
    assert len({g.text for g in one}) > 4  # the pictures and the question matter
    assert all(g.failure is None for g in one)


def test_greedy_tokens_are_those_of_plain_transformers(model: LocalModel, folder: Path) -> None:
    """An oracle written apart: the stock model in a loop of argmax, no generate, no defaults."""
    import torch
    import transformers

    request = ask(3, "what is this?")
    network = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    reader = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    with PIL.Image.open(io.BytesIO(picture(3).data)) as opened:
        seen = reader(images=[opened.convert("RGB")], return_tensors="pt")
    places = int(seen["image_grid_thw"].prod()) // 4
    prompt = (
        f"<|im_start|>user\n<|vision_start|>{'<|image_pad|>' * places}<|vision_end|>"
        "what is this?<|im_end|>\n<|im_start|>assistant\n"
    )
    ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
    start, said = ids.shape[1], []
    pad = tokenizer.convert_tokens_to_ids("<|image_pad|>")
    with torch.no_grad():
        while len(said) < 12:
            kinds = (ids == pad).long()
            logits = network(input_ids=ids, mm_token_type_ids=kinds, **seen).logits[0, -1]
            token = int(logits.argmax())
            if token in (tokenizer.eos_token_id, tokenizer.pad_token_id):
                break
            said.append(token)
            ids = torch.cat([ids, torch.tensor([[token]])], 1)
    (got,) = alone(model, [request])
    assert got.text == tokenizer.decode(said, skip_special_tokens=True)
    assert got.usage.prompt_tokens == start


def test_draws_depend_on_seed_and_key_and_on_nothing_else(model: LocalModel) -> None:
    first, again = (alone(model, [ask(1, temperature=1.0, seed=4)])[0].text for _ in range(2))
    other = alone(model, [ask(1, temperature=1.0, seed=5)])[0].text
    assert first == again != other


def test_finish_is_length_at_the_limit_and_stop_before_it(model: LocalModel) -> None:
    got = alone(model, [ask(seed, max_tokens=200) for seed in range(6)])
    short = alone(model, [ask(seed, max_tokens=2) for seed in range(6)])
    assert all(g.finish == "length" and g.usage.completion_tokens == 2 for g in short)
    stopped = [g for g in got if g.finish == "stop"]
    assert stopped and all(g.usage.completion_tokens < 200 for g in stopped)


def test_a_request_that_cannot_be_taken_fails_alone_and_says_why(model: LocalModel) -> None:
    unreadable = (Message("user", (Image("bad.png", b"nope"), Text("?"))),)
    got = together(
        model,
        [
            ask(1),
            ask(2, "a forged <|image_pad|>"),
            ask(3, "x" * 3000),
            make_request(unreadable, Sampling(), model="tiny"),
            ask(5),
        ],
    )
    kinds = [g.failure.kind if g.failure else None for g in got]
    assert kinds == [None, "unsupported", "unsupported", "media", None]
    details = [g.failure.detail for g in got if g.failure]
    assert "2048" in details[1] and "bad.png" in details[2]


def test_text_alone_and_a_system_turn_are_taken(model: LocalModel) -> None:
    messages = (Message("system", (Text("Be brief."),)), Message("user", (Text("hello"),)))
    (got,) = alone(model, [make_request(messages, Sampling(max_tokens=4), model="tiny")])
    assert got.failure is None and model.card.system_role
    specials, letters = 5, len("system\nBe brief.\nuser\nhello\nassistant\n")
    assert got.usage.prompt_tokens == specials + letters


def test_identity_follows_the_bytes_and_not_the_folder(folder: Path, tmp_path: Path) -> None:
    def identity(path: Path) -> str:
        return open_model(f"transformers:{path}").card.identity

    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    first = identity(folder)
    assert identity(copy) == first
    assert hashlib.sha256(b"").hexdigest() not in first
    template = copy / "chat_template.jinja"
    template.write_text(template.read_text() + "{# changed #}")
    assert identity(copy) != first
    for word in ("torch=", "transformers=", "dtype=float32"):
        assert word in first


def test_a_folder_that_is_no_vision_language_model_is_named(tmp_path: Path, folder: Path) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    (broken / "config.json").write_text('{"model_type": "nothing-known"}')
    with pytest.raises(HarnessError, match="could not be loaded"):
        open_model(f"transformers:{broken}")


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"top_k": 2}, [0, 1]),
        ({"top_p": 0.6}, [0, 1]),
        ({"top_p": 0.01}, [0]),
        ({"top_k": 3, "top_p": 0.95}, [0, 1, 2]),
    ],
)
def test_draws_follow_the_truncated_softmax(options: dict[str, float], kept: list[int]) -> None:
    import torch

    temperature, draws = 0.7, 4000
    logits = np.array([2.0, 1.5, 1.0, 0.0, -1.0])
    requests = [ask(1, temperature=temperature, seed=i, **options) for i in range(draws)]
    scores = torch.tensor(logits).repeat(draws, 1).float()
    drawn = Sampler(requests, torch)(None, scores).argmax(-1).numpy()
    weights = np.where(np.isin(np.arange(5), kept), np.exp(logits / temperature), 0)
    expected = weights / weights.sum()
    found = np.bincount(drawn, minlength=5) / draws
    assert set(np.flatnonzero(found)) <= set(kept)
    assert np.abs(found - expected).max() < 4 * np.sqrt(0.25 / draws)


def test_the_packaged_model_is_named_by_its_content_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.models.transformers.opening.weights_folder", lambda: folder)
    tiny = open_model("affect-tiny")
    assert tiny.card.name == "affect-tiny"
    assert tiny.card.details["weights"] in tiny.card.identity
    assert "torch" not in tiny.card.identity and str(folder) not in tiny.card.identity
    assert tiny.card.details["torch"]
