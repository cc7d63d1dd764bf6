"""Sounds for tests, and a stub server that hears them: it reads the pitch of the WAV that it was sent."""

from __future__ import annotations

import base64
import hashlib
import io
import wave
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.core.message import Audio, Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.media.sound import audio_of, wav_bytes
from harness.sources.drawn_sound import CONTOURS, DrawnSound


def tone(pitch: float, seconds: float = 0.5, rate: int = 16_000) -> Audio:
    """A steady tone."""
    time = np.arange(int(seconds * rate)) / rate
    data = wav_bytes((12_000 * np.sin(2 * np.pi * pitch * time)).astype(np.int16), rate)
    return Audio(f"{pitch:g} Hz", data, seconds)


def voice(emotion: str) -> Audio:
    """The tone of a drawn face."""
    return audio_of(DrawnSound("voice", emotion))


def ask(*parts: Any) -> Request:
    turn = Message("user", tuple(Text(p) if isinstance(p, str) else p for p in parts))
    return make_request((turn,), Sampling(max_tokens=8), model="x")


def sounds_in(body: Mapping[str, Any]) -> list[bytes]:
    """The WAV files of a body, in order, decoded strictly."""
    return [
        base64.b64decode(part["input_audio"]["data"], validate=True)
        for turn in body["messages"]
        if not isinstance(turn["content"], str)
        for part in turn["content"]
        if part["type"] == "input_audio"
    ]


def _pitch(piece: np.ndarray) -> float:
    """Rising zero crossings over the time between the first and the last of them."""
    places = np.flatnonzero(np.diff(np.signbit(piece).astype(int)) == -1)
    return (len(places) - 1) / (places[-1] - places[0])


def heard_emotion(data: bytes, labels: tuple[str, ...]) -> str:
    """The emotion whose contour the pitch follows best, from zero crossings in twelve pieces."""
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float)
    pitch = np.array([_pitch(piece) for piece in np.array_split(samples, 12)[1:-1]])
    along = np.array_split(np.arange(1200) / 1200, 12)[1:-1]

    def far(label: str) -> float:
        shape = np.array([CONTOURS[label](part).mean() for part in along])
        return float(np.sum((pitch / pitch.mean() - shape / shape.mean()) ** 2))

    return min(labels, key=far)


def hearing(
    how: str = "text", labels: tuple[str, ...] = ("anger", "happiness")
) -> dict[str, Callable[..., Any]]:
    """Options of `running_stub`.

    how: `text`: replies follow the sound; `logprobs`: log-probabilities alone do; `deaf`: nothing does; `noise`: replies
    differ each time; `refuses`: status 400 for any sound.
    """
    count = iter(range(10_000))

    def answer(body: dict[str, Any]) -> str:
        sounds = sounds_in(body)
        if how == "noise":
            return f"word {next(count)}"
        if not sounds or how in {"deaf", "logprobs"}:
            return labels[0]
        if "what you hear" in str(body["messages"]):
            return hashlib.sha256(sounds[0]).hexdigest()[:6]
        return heard_emotion(sounds[0], labels)

    def extend(body: dict[str, Any], completion: dict[str, Any]) -> None:
        if how == "logprobs" and body.get("logprobs"):
            level = -(sum(map(sum, sounds_in(body))) % 97) / 100 - 0.1
            top = [{"token": "a", "logprob": level}, {"token": "b", "logprob": -3.0}]
            content = [{"token": "a", "logprob": level, "top_logprobs": top}]
            completion["choices"][0]["logprobs"] = {"content": content}

    def choose(body: dict[str, Any]) -> str:
        return "400" if how == "refuses" and sounds_in(body) else "ok"

    return {"answer": answer, "extend": extend, "choose": choose}
