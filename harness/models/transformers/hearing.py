"""A model that runs here and whose processor takes sounds: whether it hears is tried before it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from harness.core.constraint import Need
from harness.core.generation import Generation
from harness.core.request import Request
from harness.models.hearing import follows, has_sound, probe_request, probe_sounds
from harness.models.transformers.model import LocalModel

_WORDS = ("hum", "beep")
"""Replies whose log-probabilities must follow the sound."""


class HearingModel(LocalModel):
    """A LocalModel that is asked about sounds once it was shown to hear; till then, and otherwise, they fail."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._tried = False
        self._trying = asyncio.Lock()

    async def probe(self, needs: frozenset[Need]) -> None:
        """Find out whether it hears, where that is needed. Raises HarnessError where the model cannot be loaded."""
        if "audio" not in needs:
            return
        async with self._trying:
            if not self._tried:
                heard = await prove_hearing(super().reply)
                self._card = replace(self._card, audio=heard)
                self._tried = True

    async def reply(self, request: Request) -> Generation:
        """As LocalModel does; a request with a sound fails where the model was not shown to hear."""
        if has_sound(request.messages) and not await self._hears():
            return _not_heard(request.key)
        return await super().reply(request)

    async def replies(
        self, requests: Sequence[Request], *, wanted: Collection[str]
    ) -> AsyncGenerator[Generation, None]:
        """The same for requests that belong together."""
        heard = not any(has_sound(request.messages) for request in requests) or await self._hears()
        left = [request for request in requests if heard or not has_sound(request.messages)]
        for key in {request.key for request in requests} - {request.key for request in left}:
            if key in wanted:
                yield _not_heard(key)
        async with aclosing(super().replies(left, wanted=wanted)) as given:
            async for generation in given:
                yield generation

    async def close(self) -> None:
        await super().close()
        self._trying = asyncio.Lock()  # the old one belongs to its loop

    async def _hears(self) -> bool:
        await self.probe(frozenset[Need]({"audio"}))
        return self._card.audio


async def prove_hearing(ask: Callable[[Request], Awaitable[Generation]]) -> bool:
    """Whether log-probabilities of replies follow a sound; the texts count where there are none.

    The sounds are asked about one after the other, so that each is computed alone.
    """
    low, high = probe_sounds()
    for words in (_WORDS, ()):
        replies = [await ask(probe_request(sound, candidates=words)) for sound in (low, low, high)]
        if any(reply.failure is not None for reply in replies):
            continue
        scores = [reply.scores for reply in replies if reply.scores is not None]
        if len(scores) == len(replies):
            return follows(*(dict(zip(s.labels, s.logprobs, strict=True)) for s in scores))
        one, again, other = (reply.text for reply in replies)
        return one == again and one != other
    return False


def _not_heard(key: str) -> Generation:
    return Generation.failed(key, "unsupported", "not heard: the model was not shown to hear")
