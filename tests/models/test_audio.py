"""Sounds on the wire: a WAV in base64, and servers that are not believed to hear."""

from __future__ import annotations

import io
import wave

import pytest

from harness.core.model import Probing
from tests.models.films import frame
from tests.models.sounds import ask, hearing, sounds_in, tone
from tests.models.stub import running_stub
from tests.models.test_openai import opened


async def test_a_sound_goes_as_a_wav_in_base64_behind_what_stands_before_it() -> None:
    sound = tone(440)
    with running_stub(**hearing()) as stub:
        async with opened(stub) as model:
            got = await model.reply(ask("Look: ", frame(3), sound, "which emotion?"))
    assert got.failure is None
    body = stub.requests[-1]
    parts = body["messages"][0]["content"]
    assert [part["type"] for part in parts] == ["text", "image_url", "input_audio", "text"]
    assert parts[2]["input_audio"]["format"] == "wav"
    (data,) = sounds_in(body)
    assert data == sound.data and data[:4] == b"RIFF" and data[8:16] == b"WAVEfmt "
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnframes()) == (16_000, 8_000)


@pytest.mark.parametrize(
    ("how", "held"),
    [("text", True), ("logprobs", True), ("deaf", False), ("noise", False), ("refuses", False)],
)
async def test_a_server_hears_where_its_replies_follow_the_sound(how: str, held: bool) -> None:
    with running_stub(**hearing(how)) as stub:
        async with opened(stub) as model:
            assert isinstance(model, Probing)
            await model.probe(frozenset({"audio"}))
            assert model.card.audio is held and ("audio" in model.card.offers) is held


async def test_without_proof_no_sound_is_sent() -> None:
    sound = tone(440)
    with running_stub(**hearing("deaf")) as stub:
        async with opened(stub) as model:
            got = await model.reply(ask(sound, "?"))
    assert got.failure is not None and got.failure.kind == "unsupported"
    assert "not heard" in got.failure.detail
    assert all(sound.data not in sounds_in(body) for body in stub.requests)


def test_another_sound_is_another_request() -> None:
    assert ask(tone(440), "?").key != ask(tone(441), "?").key == ask(tone(441), "?").key
