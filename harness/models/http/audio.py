"""Probe whether a server hears: its replies must follow the sound that it is sent, and nothing else.

A sound travels in an `input_audio` part as OpenAI takes it and vLLM does: the base64 of a WAV file. Many servers read such a
part away and answer from the text alone. So two sounds of one length are tried, a low steady tone and a high broken one,
the first of them twice: replies to the same sound must agree, and replies to different ones must not. Compared are the
log-probabilities of the first token where the server gives them, else the texts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.core.generation import Generation
from harness.core.message import Audio, Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.http.completion import Completion
from harness.models.http.probe import Put, check_silence

_RATE = 16_000
_SECONDS = 1.0
_NOISE = 10.0
"""How many times further apart the replies to two sounds must be than those to one."""
_APART = 1e-3
"""The least such distance, in log-probability."""
_ASK = "Describe in a few words what you hear."
_TOP: Mapping[str, Any] = {"logprobs": True, "top_logprobs": 5}


def has_sound(messages: Sequence[Message]) -> bool:
    """Whether a turn holds a sound."""
    return any(isinstance(part, Audio) for message in messages for part in message.parts)


async def prove_audio(put: Put) -> bool:
    """Whether a server hears. Raises HarnessError where it does not answer."""
    low, high = probe_sounds()
    for extra in (_TOP, {}):
        replies = []
        for sound in (low, low, high):
            reply = await put(_request(sound), extra)
            if isinstance(reply, Generation):
                check_silence(reply)
                break
            replies.append(reply)
        if len(replies) == 3:
            return _follows(*replies)
    return False


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


def _request(sound: Audio) -> Request:
    turn = Message("user", (sound, Text(_ASK)))
    return make_request((turn,), Sampling(max_tokens=24), model="probe")


def _follows(one: Completion, again: Completion, other: Completion) -> bool:
    first, second, third = (_first_token(reply) for reply in (one, again, other))
    if first and second and third:
        noise, apart = _distance(first, second), _distance(first, third)
        return apart > max(_APART, _NOISE * noise)
    return one.text == again.text and one.text != other.text


def _first_token(reply: Completion) -> dict[str, float]:
    """Token -> log-probability of the first place; empty where the server gives none."""
    try:
        places = reply.body["choices"][0]["logprobs"]["content"]
        return {str(one["token"]): float(one["logprob"]) for one in places[0]["top_logprobs"]}
    except (KeyError, IndexError, TypeError, ValueError):
        return {}


def _distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The greatest difference of a token's log-probability; infinite where they share none."""
    shared = one.keys() & other.keys()
    return max((abs(one[t] - other[t]) for t in shared), default=math.inf)
