"""Probe whether a server hears (`harness.models.hearing`).

A sound travels in an `input_audio` part as OpenAI takes it and vLLM does: the base64 of a WAV file. Many servers read such a
part away and answer from the text alone. Compared are the log-probabilities of the first token where the server gives them,
else the texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.generation import Generation
from harness.models.hearing import follows, probe_request, probe_sounds
from harness.models.http.completion import Completion
from harness.models.http.probe import Put, check_silence

_TOP: Mapping[str, Any] = {"logprobs": True, "top_logprobs": 5}


async def prove_audio(put: Put) -> bool:
    """Whether a server hears. Raises HarnessError where it does not answer."""
    low, high = probe_sounds()
    for extra in (_TOP, {}):
        replies = []
        for sound in (low, low, high):
            reply = await put(probe_request(sound), extra)
            if isinstance(reply, Generation):
                check_silence(reply)
                break
            replies.append(reply)
        if len(replies) == 3:
            return _follows(*replies)
    return False


def _follows(one: Completion, again: Completion, other: Completion) -> bool:
    first, second, third = (_first_token(reply) for reply in (one, again, other))
    if first and second and third:
        return follows(first, second, third)
    return one.text == again.text and one.text != other.text


def _first_token(reply: Completion) -> dict[str, float]:
    """Token -> log-probability of the first place; empty where the server gives none."""
    try:
        places = reply.body["choices"][0]["logprobs"]["content"]
        return {str(one["token"]): float(one["logprob"]) for one in places[0]["top_logprobs"]}
    except (KeyError, IndexError, TypeError, ValueError):
        return {}
