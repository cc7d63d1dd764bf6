"""Batches of pictures of unlike sizes, by the real classes of several families."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.core.generation import Generation
from harness.core.message import Image, Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.registry import open_model
from harness.models.transformers.batches import batch_of_first
from harness.models.transformers.model import LocalModel
from tests.models.more_families import (
    build_gemma3,
    build_idefics3,
    build_internvl,
    build_llava,
    build_onevision,
)
from tests.models.tiny_checkpoint import build, picture
from tests.models.tiny_families import build_mllama, build_qwen3

BUILDERS: dict[str, Callable[[Path], Path]] = {
    "gemma3": build_gemma3,
    "idefics3": build_idefics3,
    "internvl": build_internvl,
    "llava": build_llava,
    "llava-onevision": build_onevision,
    "mllama": build_mllama,
    "qwen2.5-vl": build,
    "qwen3-vl": build_qwen3,
}
ASKS = ("what is this?", "name the expression of this face in one word, please.", "who?")


def sizes(count: int) -> list[tuple[int, int]]:
    """Widths and heights in pixels, all different, of 40 to 320 pixels a side and an aspect of at most 4."""
    draw = np.random.default_rng(7)
    found: dict[tuple[int, int], None] = {}
    while len(found) < count:
        width, height = (int(x) for x in draw.integers(40, 321, 2))
        if max(width, height) <= 4 * min(width, height):
            found[width, height] = None
    return list(found)


def asks(count: int, **sampling: Any) -> list[Request]:
    return [
        make_request(
            (Message("user", (picture(nth, size), Text(ASKS[nth % 3]))),),
            Sampling(**{"max_tokens": 6, **sampling}),
            model="tiny",
        )
        for nth, size in enumerate(sizes(count))
    ]


@pytest.mark.parametrize(("rows", "tokens"), [(16, 10_000), (4, 600), (1, 1)])
def test_batches_keep_their_bounds_and_hold_the_first(rows: int, tokens: int) -> None:
    lengths = [int(n) for n in np.random.default_rng(3).integers(20, 400, 60)]
    left, padded, cut = list(range(60)), 0, []
    while left:
        places = batch_of_first([lengths[at] for at in left], rows=rows, tokens=tokens)
        assert places[0] == 0
        held = [lengths[left[at]] for at in places]
        assert len(held) <= rows
        assert len(held) == 1 or max(held) * len(held) <= tokens
        padded += max(held) * len(held)
        cut.append(len(held))
        left = [at for nth, at in enumerate(left) if nth not in places]
    assert sum(cut) == 60
    assert rows == 1 or padded < 1.35 * sum(lengths)


@pytest.fixture(scope="module", params=sorted(BUILDERS))
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    pytest.importorskip("torch")
    name = str(request.param)
    folder = BUILDERS[name](tmp_path_factory.mktemp("unequal") / name)
    opened = open_model(f"transformers:{folder}")
    assert isinstance(opened, LocalModel)
    return opened


class Watched:
    """An engine that keeps what each batch held, and its first log-probabilities."""

    def __init__(self, engine: Any) -> None:
        self.engine, self.batches = engine, list[int]()
        self.facts, self.notes, self.prepare = engine.facts, engine.notes, engine.prepare
        self.first: dict[str, Any] = {}

    def generate(self, prompts: Sequence[Any]) -> list[Generation]:
        import torch

        self.batches.append(len(prompts))
        if not prompts[0].request.candidates:
            inputs = self.engine._inputs(prompts)
            with torch.inference_mode():
                logits = self.engine._model(**inputs, use_cache=False).logits[:, -1].float()
            for prompt, row in zip(prompts, logits.log_softmax(-1), strict=True):
                self.first[prompt.request.key] = row
        return list(self.engine.generate(prompts))


def put(
    model: LocalModel, requests: Sequence[Request], *, batch: int = 16
) -> tuple[list[Generation], Watched]:
    watched = Watched(model._load())
    inner = LocalModel(lambda: watched, model.card, batch=batch)

    async def run() -> list[Generation]:
        replies = await asyncio.gather(*(inner.reply(request) for request in requests))
        await inner.close()
        return list(replies)

    return asyncio.run(run()), watched


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_48_pictures_of_48_sizes_are_answered_in_few_batches_as_one_by_one(
    model: LocalModel,
) -> None:
    requests = asks(48)
    many, batches = put(model, requests)
    assert [g.failure for g in many] == [None] * 48
    assert len(batches.batches) <= 6
    one, alone = put(model, requests, batch=1)
    assert alone.batches == [1] * 48
    for request, apart, joint in zip(requests, one, many, strict=True):
        first, other = alone.first[request.key], batches.first[request.key]
        assert float((first - other).abs().max()) < 1e-3
        best = first.topk(2).values
        assert apart.text == joint.text or float(best[0] - best[1]) < 1e-3
        assert apart.usage.prompt_tokens == joint.usage.prompt_tokens
    assert len({g.text for g in one}) > 3, "what is shown and asked matters"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_labels_are_scored_alike_in_batches_of_unlike_pictures(model: LocalModel) -> None:
    labels = ("happy", "sad", "a face")
    requests = [
        make_request(request.messages, Sampling(), model="t", candidates=labels)
        for request in asks(8)
    ]
    many, batches = put(model, requests)
    one, _ = put(model, requests, batch=1)
    assert batches.batches == [8]
    for apart, joint in zip(one, many, strict=True):
        assert apart.scores is not None and joint.scores is not None, apart
        assert joint.scores.logprobs == pytest.approx(apart.scores.logprobs, abs=1e-3)
        assert all(math.isfinite(total) for total in joint.scores.logprobs)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_picture_is_prepared_once_for_all_its_prompts(model: LocalModel) -> None:
    shown = [picture(nth, (70 + 30 * nth, 90)) for nth in range(3)]
    requests = [
        make_request((Message("user", (one, Text(f"{'again ' * nth}?"))),), Sampling(max_tokens=2), model="t")
        for nth in range(16)
        for one in shown
    ]  # fmt: skip
    engine: Any = model._load()
    features = engine._processor.image_processor
    before = features.prepared
    put(model, requests)
    tried = 2  # pictures on which sharing is tried
    assert features.prepared - before == len(shown) + tried


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_labels_are_scored_with_the_space_that_the_template_writes(model: LocalModel) -> None:
    """An oracle written apart: the whole conversation as the template renders it, read in one pass."""
    import torch

    engine: Any = model._load()
    shown: Image = picture(5, (90, 60))
    turn = Message("user", (shown, Text("which?")))
    labels = ("happy", "sad")
    request = make_request((turn,), Sampling(), model="t", candidates=labels)
    (got,), _ = put(model, [request])
    assert got.scores is not None, got
    prompt = engine.prepare(request)
    for label, scored in zip(labels, got.scores.logprobs, strict=True):
        content: Any = [{"type": "text", "text": label}] if engine._form.reply_parts else label
        turns = [
            {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "which?"}]},
            {"role": "assistant", "content": content},
        ]
        whole = engine._processor.apply_chat_template(turns, add_generation_prompt=False)
        assert whole.startswith(prompt.text)
        inputs = engine._inputs([replace(prompt, text=whole.removesuffix("\n"))])
        begun = int(engine._inputs([prompt])["input_ids"].shape[1])
        with torch.inference_mode():
            known = engine._model(**inputs, use_cache=False).logits[0].float().log_softmax(-1)
        ids = inputs["input_ids"][0].tolist()
        total = sum(float(known[at - 1, ids[at]]) for at in range(begun, len(ids)))
        assert scored == pytest.approx(total, abs=1e-3)
