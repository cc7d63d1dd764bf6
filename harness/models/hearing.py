"""Whether a model hears: its replies must follow the sound that it is given, and nothing else.

Two sounds of one length are tried, a low steady tone and a high broken one, the first of them twice: replies to the same
sound must agree, and replies to different ones must not. How a model is asked, and what of its replies is compared, is
said by who asks (`harness.models.http.audio`, `harness.models.transformers.hearing`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from harness.core.message import Audio, Message, Text
from harness.core.request import Request, Sampling, make_request

_RATE = 16_000
_SECONDS = 1.0
_NOISE = 10.0
"""How many times further apart the replies to two sounds must be than those to one."""
_APART = 1e-3
"""The least such distance, in log-probability."""
_ASK = "Describe in a few words what you hear."


def has_sound(messages: Sequence[Message]) -> bool:
    """Whether a turn holds a sound."""
    return any(isinstance(part, Audio) for message in messages for part in message.parts)


def probe_sounds() -> tuple[Audio, Audio]:
    """A steady tone of 220 Hz and a broken one of 880 Hz, each a second long."""
    from harness.media.sound import wav_bytes

    time = np.arange(int(_RATE * _SECONDS)) / _RATE
    low = np.sin(2 * np.pi * 220 * time)
    high = np.sin(2 * np.pi * 880 * time) * (np.floor(time * 8) % 2)
    return (
        *(Audio(name, wav_bytes((wave * 12_000).astype(np.int16), _RATE), _SECONDS)
          for name, wave in (("low tone", low), ("high tone", high))),
    )  # type: ignore[return-value]  # fmt: skip


def probe_request(sound: Audio, *, candidates: Sequence[str] = ()) -> Request:
    """What is asked about a sound of the probe."""
    turn = Message("user", (sound, Text(_ASK)))
    sampling = Sampling(max_tokens=24)
    return make_request((turn,), sampling, model="probe", candidates=tuple(candidates))


def follows(
    one: Mapping[str, float], again: Mapping[str, float], other: Mapping[str, float]
) -> bool:
    """Whether natural log-probabilities, by what they are of, differ between two sounds (`one` and `other`) and not
    between two replies to one sound (`one` and `again`)."""
    noise, apart = _distance(one, again), _distance(one, other)
    return apart > max(_APART, _NOISE * noise)


def _distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The greatest difference of a log-probability; infinite where they share none."""
    shared = one.keys() & other.keys()
    return max((abs(one[t] - other[t]) for t in shared), default=math.inf)
