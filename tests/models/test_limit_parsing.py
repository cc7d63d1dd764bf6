"""What servers say of their limits."""

from __future__ import annotations

import pytest

from harness.core.message import Image, Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.http.limit_parsing import told_images
from harness.models.registry import open_model
from tests.models.stub import running_stub


@pytest.mark.parametrize(
    ("said", "most"),
    [
        ("At most 1 image(s) may be provided in one prompt.", 1),
        ("HTTP 400: At most 4 image(s) may be provided in one prompt. You can set `--limit-mm-per-prompt`", 4),
        ("At most 16 images are allowed", 16),
        ("At most 1 video(s) may be provided in one prompt.", None),
        ("This model's maximum context length is 4096 tokens", None),
        ("at most 3 imaginary friends", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_number_of_pictures_is_read_off_a_refusal(said: str, most: int | None) -> None:
    assert told_images(said) == most


async def test_a_server_is_known_to_take_as_many_as_its_refusal_says() -> None:
    def ask(pictures: int) -> Request:
        shown = tuple(Image(f"p{i}", b"\x89PNG\r\n\x1a\n" + bytes([i])) for i in range(pictures))
        return make_request((Message("user", (*shown, Text("?"))),), Sampling(), model="x")

    with running_stub(always={"": "images:2"}) as stub:
        model = open_model(f"openai:stub@{stub.url}")
        assert model.card.max_images is None
        assert (await model.reply(ask(2))).failure is None and model.card.max_images is None
        refused = await model.reply(ask(3))
        assert refused.failure is not None and refused.failure.kind == "rejected"
        assert model.card.max_images == 2 and stub.count == 2
        await model.close()
