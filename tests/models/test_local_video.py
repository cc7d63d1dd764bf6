"""A video through transformers' own classes, and labels scored with the prompt read once.

affect-tiny was never taught videos: what is shown here is that frames and times arrive.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import PIL.Image
import pytest

from harness.core.generation import Generation
from harness.core.request import Request
from harness.models.registry import open_model
from harness.models.transformers.generator import Generator
from harness.models.transformers.model import LocalModel
from tests.models.films import ask, film, frame

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = pytest.mark.slow
LABELS = ("anger", "happiness", "surprise")
CLIP = film(0, 1, 2, 3, 4)


@pytest.fixture(scope="module")
def tiny() -> LocalModel:
    model = open_model("affect-tiny")
    assert isinstance(model, LocalModel)
    return model


@pytest.fixture(scope="module")
def engine(tiny: LocalModel) -> Generator:
    loaded = tiny._load()
    assert isinstance(loaded, Generator)
    return loaded


def put(model: LocalModel, requests: Sequence[Request]) -> list[Generation]:
    async def run() -> list[Generation]:
        replies = await asyncio.gather(*(model.reply(request) for request in requests))
        await model.close()
        return list(replies)

    return asyncio.run(run())


def inputs(engine: Generator, request: Request) -> Any:
    prompt = engine.prepare(request)
    assert not isinstance(prompt, Generation), prompt
    return engine._inputs([prompt])


def test_every_frame_arrives_with_the_times_of_the_recording(engine: Generator) -> None:
    read = inputs(engine, ask(CLIP, "?"))
    assert read["video_grid_thw"].tolist() == [[3, 10, 10]], "five frames, two of them a step"
    assert read["second_per_grid_ts"].tolist() == pytest.approx([2 / 200])
    some = inputs(engine, ask(film(0, 10, 20, 30), "?"))
    assert some["second_per_grid_ts"].tolist() == pytest.approx([2 * 10 / 200])


def test_a_picture_that_the_processor_does_not_take_is_told_with_its_size(
    engine: Generator,
) -> None:
    found = engine.prepare(ask(frame(0, (2000, 2)), "?"))
    assert isinstance(found, Generation) and found.failure is not None
    assert found.failure.kind == "unsupported" and "2000x2 pixels" in found.failure.detail


def test_a_frame_is_read_as_the_picture_is(engine: Generator) -> None:
    """Two equal frames are what a still picture is made into; and a later step holds the later frames."""
    still = frame(0)
    twice = replace(film(0, 1), frames=(still, still), digest="")
    picture = inputs(engine, ask(still, "?"))["pixel_values"]
    moved = inputs(engine, ask(twice, "?"))["pixel_values_videos"]
    assert torch.allclose(moved, picture, atol=1e-6)
    whole = inputs(engine, ask(CLIP, "?"))["pixel_values_videos"].view(3, 100, 3, 2, 196)
    for at, shown in enumerate(CLIP.frames):
        alone = inputs(engine, ask(replace(CLIP, frames=(shown,), numbers=(0,), digest=""), "?"))
        own = alone["pixel_values_videos"].view(100, 3, 2, 196)
        assert torch.equal(whole[at // 2, :, :, at % 2], own[:, :, 0])
    assert torch.equal(whole[2, :, :, 0], whole[2, :, :, 1]), "the last of five is repeated"


def test_replies_do_not_depend_on_the_batch_and_times_matter(tiny: LocalModel) -> None:
    assert tiny.card.video
    slow = replace(CLIP, fps=2.0, digest="")
    asked = [
        ask(video, "Which expression?", candidates=LABELS)
        for video in (CLIP, film(0, 1, 2, 3, 4, begin=7), slow, film(0, 1))
    ]
    together = put(tiny, [*asked, ask(CLIP, "Which expression?"), ask(frame(3), CLIP, "?")])
    assert [g.failure for g in together] == [None] * 6
    alone = [put(tiny, [request])[0] for request in asked]
    for one, many in zip(alone, together, strict=False):
        assert one.scores is not None and many.scores is not None
        assert one.scores.logprobs == pytest.approx(many.scores.logprobs, abs=1e-4)
    assert len({g.scores.logprobs for g in together[:4] if g.scores is not None}) == 4


def test_a_damaged_frame_fails_its_request_alone(tiny: LocalModel) -> None:
    bad = replace(CLIP, frames=(replace(CLIP.frames[0], data=b"no", digest=""), *CLIP.frames[1:]), digest="")  # fmt: skip
    got = put(tiny, [ask(bad, "?"), ask(CLIP, "?")])
    assert got[0].failure is not None and got[0].failure.kind == "media"
    assert got[1].failure is None


def test_patches_are_those_of_the_picture_processor(engine: Generator) -> None:
    """By hand from the pixels: normalised, cut into 14 x 14, 2 x 2 patches together, two frames deep."""
    shown = film(0, 1)
    config = engine._processor.image_processor
    read = inputs(engine, ask(shown, "?"))["pixel_values_videos"]
    cut = []
    for one in shown.frames:
        with PIL.Image.open(io.BytesIO(one.data)) as opened:
            pixels = torch.tensor(list(opened.convert("RGB").tobytes())).view(140, 140, 3).float()
        mean, spread = torch.tensor(config.image_mean), torch.tensor(config.image_std)
        normal = (pixels / 255 - mean) / spread
        cut.append(normal.view(5, 2, 14, 5, 2, 14, 3).permute(0, 3, 1, 4, 6, 2, 5))
    expected = torch.stack(cut, dim=5).reshape(100, -1)
    assert torch.allclose(read, expected, atol=1e-5)
