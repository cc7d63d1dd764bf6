"""Sounds in place: a random Qwen2.5-Omni hears, one whose sounds are all the same to it does not, and the record says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cli.main import main
from harness.core.generation import Generation
from harness.core.model import Batching, Probing
from harness.core.request import Request, Sampling, make_request
from harness.models.registry import OpenOptions, open_model
from harness.models.replicas import replicated
from harness.models.wire import Order
from harness.run.columns import read_table
from tests.models.sounds import ask, tone
from tests.models.tiny_checkpoint import build, picture
from tests.models.tiny_omni import SECONDS, build_omni

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]
LABELS = ("anger", "joy")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_omni(tmp_path_factory.mktemp("omni") / "hears")


@pytest.fixture(scope="module")
def deaf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_omni(tmp_path_factory.mktemp("omni") / "deaf", deaf=True)


def scored(*parts: Any) -> Request:
    return make_request(ask(*parts).messages, Sampling(), model="x", candidates=LABELS)


def put(
    folder: Path, requests: Sequence[Request], *, share: bool = True, alone: bool = False
) -> tuple[list[Generation], Any]:
    """Replies to requests that wait together, or are asked one after the other, and the model's card."""
    model = open_model(f"transformers:{folder}", options=OpenOptions(share=share))

    async def run() -> list[Generation]:
        if alone:
            replies = [await model.reply(request) for request in requests]
        else:
            replies = list(await asyncio.gather(*(model.reply(request) for request in requests)))
        await model.close()
        return replies

    return asyncio.run(run()), model.card


def by_hand(folder: Path, waves: Sequence[np.ndarray], label: str) -> list[float]:
    """An oracle written apart: transformers' thinker over a whole conversation, its sound marks counted by hand."""
    import torch
    from transformers import (
        Qwen2_5OmniThinkerConfig,
        Qwen2_5OmniThinkerForConditionalGeneration,
        Qwen2Tokenizer,
        WhisperFeatureExtractor,
    )

    extractor = WhisperFeatureExtractor.from_pretrained(folder)
    token = Qwen2Tokenizer.from_pretrained(folder)
    config = Qwen2_5OmniThinkerConfig.from_pretrained(folder)
    network = Qwen2_5OmniThinkerForConditionalGeneration.from_pretrained(folder, config=config)
    found = []
    for wave in waves:
        read = extractor(
            wave, sampling_rate=16_000, return_tensors="pt", return_attention_mask=True
        )
        steps = len(wave) // 160  # frames of 10 ms; halved by a convolution and again by pooling
        marks = "<|AUDIO|>" * (((steps - 1) // 2 + 1 - 2) // 2 + 1)
        prompt = f"<|im_start|>user\n<|audio_bos|>{marks}<|audio_eos|>?<|im_end|>\n<|im_start|>assistant\n"
        begin, whole = token(prompt)["input_ids"], token(prompt + label + "<|im_end|>")["input_ids"]
        ids = torch.tensor([whole])
        with torch.inference_mode():
            logits = network(
                input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False,
                input_features=read["input_features"], feature_attention_mask=read["attention_mask"],
            ).logits[0]  # fmt: skip
        known = logits.float().log_softmax(-1)
        found.append(sum(float(known[at - 1, whole[at]]) for at in range(len(begin), len(whole))))
    return found


def test_log_probabilities_are_those_of_plain_transformers_and_follow_the_sound(
    folder: Path,
) -> None:
    sounds = [tone(440), tone(880), tone(440, seconds=0.9)]
    waves = [np.frombuffer(one.data[44:], dtype="<i2").astype(np.float32) / 32768 for one in sounds]
    got, card = put(folder, [scored(sound, "?") for sound in sounds])
    assert card.audio
    mine = [one.scores.logprobs for one in got if one.scores is not None]
    for nth, label in enumerate(LABELS):
        assert [row[nth] for row in mine] == pytest.approx(by_hand(folder, waves, label), abs=1e-4)
    assert abs(mine[0][0] - mine[1][0]) > 1e-2
    assert got[0].usage.prompt_tokens < got[2].usage.prompt_tokens


def test_prompts_with_sound_are_read_whole_and_give_the_same_alone_shared_or_not(
    folder: Path,
) -> None:
    shown = [picture(1), picture(2)]
    asked = [
        *(scored(*shown, tone(pitch), "Which one, please?") for pitch in (440, 880)),
        *(scored(*shown, tone(440), words) for words in ("?", "Which? " * 60)),
        *(scored(*shown, words) for words in ("?", "Which one?")),
    ]
    together, card = put(folder, asked)
    plain, _ = put(folder, asked, share=False)
    alone, _ = put(folder, asked, alone=True)
    assert [one.failure for one in together] == [None] * len(asked)
    assert all((one.usage.shared_tokens, one.usage.encoded) == (0, 2) for one in together[:4])
    assert "prompts with sound are read whole" in card.details["sharing"]
    for one, two, three in zip(together, plain, alone, strict=True):
        assert one.scores is not None and two.scores is not None and three.scores is not None
        assert one.scores.logprobs == pytest.approx(two.scores.logprobs, abs=1e-4)
        assert one.scores.logprobs == pytest.approx(three.scores.logprobs, abs=1e-4)
    texts = {one.scores.logprobs for one in together if one.scores is not None}
    assert len(texts) == len(asked)


def test_a_sound_behind_pictures_is_scored_as_in_whole_conversations(folder: Path) -> None:
    """An oracle written apart: each label written behind its prompt, one pass for each, no cache. And the features of a
    sound are made once, to the bit those that its extractor makes."""
    import torch

    model: Any = open_model(f"transformers:{folder}")
    engine = model._load()
    asked = [scored(picture(1), tone(pitch), "?") for pitch in (440, 880, 440)]
    prompts = [engine.prepare(request) for request in asked]
    got = engine.generate(prompts)
    kept = engine._processor.feature_extractor
    made = kept.prepared
    again = engine._inputs(prompts)
    assert kept.prepared == made, "what was made is kept"
    fresh = kept._inner(
        list(prompts[1].sounds), sampling_rate=16_000, padding="max_length", return_tensors="pt"
    )
    assert torch.equal(again["input_features"][1], fresh["input_features"][0])
    end = engine._processor.tokenizer.convert_ids_to_tokens(engine._end_of_turn())
    for prompt, one in zip(prompts, got, strict=True):
        for label, found, length in zip(
            LABELS, one.scores.logprobs, one.scores.tokens, strict=True
        ):
            whole = engine._inputs([replace(prompt, text=prompt.text + label + end)])
            with torch.inference_mode():
                known = engine._model(**whole, use_cache=False).logits[0].float().log_softmax(-1)
            ids = whole["input_ids"][0].tolist()
            total = sum(float(known[at - 1, ids[at]]) for at in range(len(ids) - length, len(ids)))
            assert found == pytest.approx(total, abs=1e-4)


def test_a_sound_of_another_rate_is_heard_alike_and_one_too_long_fails_alone(folder: Path) -> None:
    got, _ = put(
        folder,
        [scored(tone(440), "?"), scored(tone(440, rate=44_100), "?"), scored(tone(440, seconds=SECONDS + 1), "?")],
    )  # fmt: skip
    assert got[0].scores is not None and got[1].scores is not None
    assert got[1].scores.logprobs == pytest.approx(got[0].scores.logprobs, abs=0.05)
    assert got[2].failure is not None and got[2].failure.kind == "media"
    assert f"longer than the {SECONDS} s that this checkpoint reads" in got[2].failure.detail


def test_who_takes_sounds_and_is_deaf_to_them_is_not_asked(deaf: Path, tmp_path: Path) -> None:
    got, card = put(deaf, [scored(tone(440), "?"), scored(picture(1), "?")])
    assert not card.audio and got[1].failure is None
    assert got[0].failure is not None and "not heard" in got[0].failure.detail
    seeing = open_model(f"transformers:{build(tmp_path / 'seeing')}")
    assert not isinstance(seeing, Probing), "its processor has no part for sounds"


def test_replicas_of_it_are_tried_too(folder: Path) -> None:
    spec = f"transformers:{folder}"
    inner = open_model(spec)
    made = replicated(
        inner, Order(spec, spec, OpenOptions()), lambda: 1 / 0, 2, note=lambda _: None
    )  # type: ignore[arg-type, return-value]
    assert isinstance(made, Probing) and isinstance(made, Batching)


@pytest.mark.parametrize("hears", [True, False])
def test_the_record_says_whether_it_heard(
    hears: bool, folder: Path, deaf: Path, tmp_path: Path
) -> None:
    name, out = f"transformers:{folder if hears else deaf}", tmp_path / "run"
    code = main(
        ["run", "faces/voice", "--set", "source.n=6", "--set", "source.kind=image", "--set", "source.size=48",
         "--model", name, "--condition", "audio", "--condition", "picture", "--condition", "both",
         "--channel", "logprob", "--no-report", "--out", str(out)]
    )  # fmt: skip
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in read_table(out / "records.parquet"):
        rows.setdefault(row["condition"], []).append(row)
    assert {condition: len(each) for condition, each in rows.items()} == {
        "audio": 6, "picture": 6, "both": 6,
    }  # fmt: skip
    entry = json.loads((out / "manifest.json").read_text())["models"][name]
    assert entry.get("audio", False) is hears
    assert all(not row["fallback"] and row["outcome"] == "answered" for row in rows["picture"])
    if hears:
        assert code == 0
        each = rows["audio"] + rows["both"]
        assert all(not row["fallback"] and row["outcome"] == "answered" for row in each)
    else:
        assert all("not-heard" in row["fallback"] for row in rows["both"])
        assert all(row["outcome"] == "answered" for row in rows["both"])
        assert all(
            row["outcome"] == "failed" and "not heard" in row["failure"] for row in rows["audio"]
        )
