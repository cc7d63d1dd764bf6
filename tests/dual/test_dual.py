"""Dual encoders: what transformers itself says of pictures and texts is the oracle."""

from __future__ import annotations

import asyncio
import io
import math
from pathlib import Path

import pytest

from harness.core.generation import Generation
from harness.core.label_texts import label_turns
from harness.core.message import Image, Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.faces import draw, encode_png, face_at
from harness.models import families_of, open_model

from .tiny_encoders import save_clip, save_siglip

pytestmark = pytest.mark.slow

TEXTS = {
    "anger": ("a face with brows lowered and lips pressed",),
    "happiness": ("a photo of a person who shows happiness",),
    "fear": ("fear",),
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("encoders")
    return {
        "clip": save_clip(base / "clip"),
        "old-clip": save_clip(base / "old-clip", eos=2),
        "siglip": save_siglip(base / "siglip"),
    }


@pytest.fixture(scope="module")
def pictures() -> list[Image]:
    return [
        Image(f"face {n}", encode_png(draw(face_at(n, seed=3), size=96).pixels)) for n in range(5)
    ]


def asked(pictures: list[Image], texts: dict[str, tuple[str, ...]] = TEXTS) -> Request:
    return make_request(
        label_turns(pictures, texts), Sampling(), model="m", candidates=tuple(texts)
    )


def answers(place: Path, requests: list[Request]) -> list[Generation]:
    async def ask() -> list[Generation]:
        model = open_model(f"clip:{place}")
        try:
            return await asyncio.gather(*(model.reply(one) for one in requests))
        finally:
            await model.close()

    return asyncio.run(ask())


def shares(found: Generation) -> list[float]:
    assert found.failure is None and found.scores is not None, found
    return [math.exp(one) for one in found.scores.logprobs]


@pytest.mark.parametrize("kind", ["clip", "old-clip", "siglip"])
def test_shares_are_those_of_transformers(
    kind: str, places: dict[str, Path], pictures: list[Image]
) -> None:
    import PIL.Image
    import torch
    from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

    place = places[kind]
    model = AutoModel.from_pretrained(place).eval()
    tokens = AutoTokenizer.from_pretrained(place)(
        [texts[0] for texts in TEXTS.values()],
        padding="max_length" if kind == "siglip" else True,
        return_tensors="pt",
    )
    if kind == "siglip":  # its text model was trained without a mask
        del tokens["attention_mask"]
    tokens.pop("token_type_ids", None)
    prepared = AutoImageProcessor.from_pretrained(place, backend="pil")(
        [PIL.Image.open(io.BytesIO(one.data)).convert("RGB") for one in pictures],
        return_tensors="pt",
    )
    with torch.no_grad():
        logits = model(**tokens, **prepared).logits_per_image
    alone = logits.sigmoid() if kind == "siglip" else logits.exp()
    expected = alone / alone.sum(-1, keepdim=True)

    found = answers(place, [asked([one]) for one in pictures])

    for one, row in zip(found, expected.tolist(), strict=True):
        assert shares(one) == pytest.approx(row, abs=1e-6)
        assert one.text == list(TEXTS)[row.index(max(row))]
        assert one.scores is not None and one.scores.estimator == "distribution"


def test_several_texts_are_averaged_and_frames_too(
    places: dict[str, Path], pictures: list[Image]
) -> None:
    twice = {label: (texts[0], texts[0]) for label, texts in TEXTS.items()}
    several = {label: (texts[0], "a face") for label, texts in TEXTS.items()}
    alone, same, mixed, clip, back = answers(
        places["clip"],
        [
            asked(pictures[:1]),
            asked(pictures[:1], twice),
            asked(pictures[:1], several),
            asked(pictures[:3]),
            asked(pictures[2::-1]),
        ],
    )
    assert shares(same) == pytest.approx(shares(alone), abs=2e-6)
    assert shares(mixed) != pytest.approx(shares(alone), abs=1e-4)
    assert shares(clip) == pytest.approx(shares(back), abs=2e-6)
    assert shares(clip) != pytest.approx(shares(alone), abs=1e-4)


def test_what_is_no_request_of_this_kind_fails_alone(
    places: dict[str, Path], pictures: list[Image]
) -> None:
    chat = make_request(
        (Message("user", (pictures[0], Text("Which emotion?"))),), Sampling(), model="m"
    )
    broken = asked([Image("broken", b"no picture")])
    long = asked(pictures[:1], {"anger": ("a face " * 20,), "fear": ("fear",)})
    good, other, bad, longer = answers(places["clip"], [asked(pictures[:1]), chat, broken, long])
    assert good.failure is None
    assert other.failure is not None and "family: dual" in other.failure.detail
    assert bad.failure is not None and bad.failure.kind == "media"
    assert longer.failure is not None and "42 tokens" in longer.failure.detail


def test_a_chat_model_is_refused(tmp_path: Path) -> None:
    from harness.affect_tiny import weights_folder
    from harness.core.errors import HarnessError

    assert families_of("clip:anything") == ("dual",)
    assert families_of("affect-tiny") == ("chat",)
    with pytest.raises(HarnessError, match=r"clip: reads clip and siglip"):
        open_model(f"clip:{weights_folder()}")
