"""A model without remaining requests: its recorded card; it is opened only if a request is needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing

from harness.core.constraint import Need
from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.model import Batching, Card, Model, Probing, one_by_one
from harness.core.request import Request


class RecordedModel:
    """Stands for a model whose every trial is finished under the identity that the manifest recorded.

    Its trials are rendered and their keys looked up as ever. Where one is missing after all (a picture was edited),
    the model is opened, and must still be the one recorded.
    """

    def __init__(
        self, card: Card, opening: Callable[[], Model], *, needs: frozenset[Need] = frozenset()
    ) -> None:
        """`opening` opens the model itself; it is called in a thread. `needs` is what its cells ask of it."""
        self._needs = needs
        self._card = card
        self._opening = opening
        self._inner: Model | None = None
        self.asked = False
        """Whether the model had to be opened after all."""
        self._lock = asyncio.Lock()

    @property
    def card(self) -> Card:
        """The card as it was recorded."""
        return self._card

    async def reply(self, request: Request) -> Generation:
        """Open the model and ask it. Raises HarnessError where it is another than the one recorded."""
        return await (await self._open()).reply(request)

    async def replies(
        self, requests: Sequence[Request], *, wanted: Collection[str]
    ) -> AsyncGenerator[Generation, None]:
        """The same for requests that belong together; a model that computes them one by one is asked the wanted ones."""
        model = await self._open()
        found = (
            model.replies(requests, wanted=wanted)
            if isinstance(model, Batching)
            else one_by_one(model.reply, requests, wanted=wanted)
        )
        async with aclosing(found) as given:
            async for generation in given:
                yield generation

    async def _open(self) -> Model:
        async with self._lock:
            if self._inner is None:
                inner = await asyncio.to_thread(self._opened)
                if isinstance(inner, Probing) and self._needs:
                    await inner.probe(self._needs)
                self._inner, self.asked = inner, True
            return self._inner

    async def close(self) -> None:
        """Close what was opened."""
        self._lock = asyncio.Lock()  # the old one belongs to its loop
        inner, self._inner = self._inner, None
        if inner is not None:
            await inner.close()

    def _opened(self) -> Model:
        model = self._opening()
        if model.card.identity != self._card.identity:
            raise HarnessError(
                f"{self._card.name} is not the model recorded in this run, and a picture or a "
                "sample has changed, so requests are needed",
                hint="run the same command with --check-model: all trials of this model are "
                "then asked again",
            )
        return model
