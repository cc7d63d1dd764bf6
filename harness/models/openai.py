"""Models behind an OpenAI-compatible server: vLLM and others."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from harness.core.constraint import Need
from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.model import Card
from harness.core.request import Request
from harness.models.endpoint import Endpoint, Served, ask_served, parse_endpoint
from harness.models.fault import AGAIN, HOPELESS, Fault
from harness.models.film import UnlikeVideos, clock, prove_video, videos_of
from harness.models.labels import LabelScorer, find_scorer
from harness.models.limits import told_images
from harness.models.pace import Gate, Pace
from harness.models.patience import Patience, retry_after
from harness.models.probe import prove
from harness.models.registry import OpenOptions
from harness.models.spelling import held_to
from harness.models.wire import (
    NEUTRAL,
    BadReply,
    Reply,
    decode,
    encode,
    parameters,
    refused_parameter,
    words,
)

if TYPE_CHECKING:
    import aiohttp

WINDOW = 64
"""Most requests in flight."""

_STREAMED_FROM = 1 << 20
"""Bodies from this many bytes on are handed over as a stream, so that sending one does not hold the loop."""


def open_openai(argument: str, *, name: str, options: OpenOptions) -> OpenAIModel:
    """The model at `MODEL@URL`. Raises HarnessError where it is not allowed, not there, or not served."""
    endpoint = parse_endpoint(
        argument, allow_remote=options.allow_remote, key_file=options.key_file
    )
    patience = Patience() if options.timeout is None else Patience(timeout=options.timeout)
    window = options.concurrency or WINDOW
    return OpenAIModel(endpoint, ask_served(endpoint), name=name, patience=patience, window=window)


class OpenAIModel:
    """A Model over HTTP: one connection pool, nothing streamed, every sampling parameter sent.

    At most `window` requests are in flight, fewer where the server shows that it cannot bear as many.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        served: Served,
        *,
        name: str,
        patience: Patience | None = None,
        window: int = WINDOW,
    ) -> None:
        self._endpoint = endpoint
        self._patience = patience or Patience()
        self._dropped: frozenset[str] = frozenset()
        self._gate = Gate(Pace(window))
        self._session: aiohttp.ClientSession | None = None
        self._probed: frozenset[Need] = frozenset()
        self._probing = asyncio.Lock()
        self._scorer = LabelScorer(self._put, self._tokenize)
        self._headers = endpoint.headers
        self._proxy = endpoint.proxy
        self._card = Card(
            name=name,
            identity=" ".join(
                ("openai", endpoint.base, endpoint.model, served.root, served.version)
            ).rstrip(),
            window=window,
            details={
                "url": endpoint.base,
                "served": endpoint.model,
                "root": served.root,
                "server_version": served.version,
                "max_model_len": "" if served.window is None else str(served.window),
            },
        )

    @property
    def card(self) -> Card:
        """The card; `details["dropped"]` names the parameters that the server refused to know."""
        return self._card

    async def reply(self, request: Request) -> Generation:
        """Ask, and ask again where waiting may help. Raises HarnessError where no request can succeed.

        What a request wants besides text is tried first, if it was not yet.
        """
        if videos_of(request.messages):
            await self._ensure("video")
            if not self._card.video:
                return Generation.failed(
                    request.key, "unsupported", "the server takes no video with its frame times"
                )
        if request.candidates:
            await self._ensure("logprob")
            return await self._scorer.reply(request)
        if request.constraint is not None:
            await self._ensure(request.constraint.kind)
        extra = held_to(request, self._card.constraints)
        if isinstance(extra, Generation):
            return extra
        reply = await self._put(request, extra)
        if isinstance(reply, Generation):
            return reply
        return Generation(request.key, reply.text, reply.finish, reply.usage, reply.latency)

    async def probe(self, needs: frozenset[Need]) -> None:
        """Find out which of these the server keeps. Raises HarnessError where it does not answer."""
        held = {k: s for k, s in self._card.constraints.items() if k not in needs}
        video = self._card.video
        for need in sorted(needs):
            if need == "logprob":
                self._scorer = await find_scorer(self._put, self._tokenize)
            elif need == "video":
                video = await prove_video(self._put)
            elif (spelling := await prove(self._put, need)) is not None:
                held[need] = spelling
        estimators = self._scorer.estimators
        self._card = replace(self._card, constraints=held, estimators=estimators, video=video)
        self._probed |= needs

    async def _ensure(self, need: Need) -> None:
        if need in self._probed:
            return
        async with self._probing:
            if need not in self._probed:
                await self.probe(frozenset[Need]({need}))

    async def _put(self, request: Request, extra: Mapping[str, Any]) -> Reply | Generation:
        """The reply, or a failed Generation; asked again where waiting may help."""
        try:
            extra = {**clock(request.messages), **extra}
        except UnlikeVideos as error:
            return Generation.failed(request.key, "unsupported", str(error))
        attempt = 1
        while True:
            async with self._gate:  # so that waiting for a connection is no part of the timeout
                outcome = await self._paced(request, extra)
            if isinstance(outcome, Reply):
                return outcome
            if outcome.free:
                continue
            given_up = await self._patience.wait(request.key, attempt, outcome)
            if given_up is not None:
                return given_up
            attempt += 1

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
            self._gate = Gate(self._gate.pace)  # the old ones belong to their loop
            self._probing = asyncio.Lock()

    async def _paced(self, request: Request, extra: Mapping[str, Any]) -> Reply | Fault:
        """One attempt, and what it says of the server's level."""
        pace = self._gate.pace
        ticket = pace.send(perf_counter())
        outcome = await self._once(request, extra)
        if isinstance(outcome, Reply):
            pace.answered(ticket, perf_counter(), full=self._gate.full)
        elif outcome.kind == "timeout":  # one request that hangs is no overload; many are slowness
            pace.answered(ticket, perf_counter(), full=False)
        elif outcome.busy:
            pace.overloaded(ticket, perf_counter())
        else:
            pace.failed(ticket, perf_counter())
        return outcome

    async def _tokenize(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the server's `/tokenize` says; empty where it has none or cannot."""
        import aiohttp

        try:
            async with self._open().post(
                f"{self._endpoint.base.removesuffix('/v1')}/tokenize",
                json={"model": self._endpoint.model, **body},
                proxy=self._proxy,
                allow_redirects=False,
            ) as response:
                told = await response.json() if response.status == 200 else {}
        except (aiohttp.ClientError, OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    async def _once(self, request: Request, extra: Mapping[str, Any]) -> Reply | Fault:
        import aiohttp

        dropped = self._dropped
        body = encode(request, model=self._endpoint.model, dropped=dropped, extra=extra)
        start = perf_counter()
        try:
            async with self._open().post(
                self._endpoint.chat,
                data=body if len(body) < _STREAMED_FROM else io.BytesIO(body),
                proxy=self._proxy,
                allow_redirects=False,
            ) as response:
                data = self._endpoint.hide(await response.read())
                status, headers = response.status, response.headers
        except TimeoutError:
            return Fault("timeout", f"no reply within {self._patience.timeout:g} s")
        except (aiohttp.ClientError, OSError) as error:
            said = str(error) or type(error).__name__
            said = self._endpoint.hide(said.encode()).decode()
            return Fault("unreachable", f"{self._endpoint.base}: {said}")
        if status != 200:
            return self._refusal(request, status, data, headers, dropped)
        try:
            return decode(data, latency=perf_counter() - start)
        except BadReply as error:
            return Fault("bad-reply", str(error))

    def _open(self) -> aiohttp.ClientSession:
        """The session, made in the loop that uses it."""
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._card.window),
                timeout=aiohttp.ClientTimeout(total=self._patience.timeout),
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _refusal(
        self,
        request: Request,
        status: int,
        data: bytes,
        headers: Mapping[str, str],
        dropped: frozenset[str],
    ) -> Fault:
        """What a status other than 200 means. Raises HarnessError where no request can succeed."""
        said = f"HTTP {status}: {words(data)}"
        if status in AGAIN or status >= 500:
            told = retry_after(headers.get("Retry-After"))
            return Fault(AGAIN.get(status, "server"), said, told=told, busy=status in (429, 503))
        if status in (400, 422):
            name = refused_parameter(data)
            if name is not None and name not in dropped:
                self._drop(name, request, said)
                return Fault("rejected", said, free=True)
            if (most := told_images(said)) is not None:
                self._card = replace(self._card, max_images=most)
            return Fault("rejected", said, again=False)
        if status in HOPELESS or 200 < status < 400:
            raise HarnessError(
                f"{self._endpoint.chat} answered {said}",
                hint=HOPELESS.get(status, "write the address the server itself answers at"),
            )
        return Fault("rejected", said, again=False)

    def _drop(self, name: str, request: Request, said: str) -> None:
        """Leave a parameter out from now on, if that changes nothing, and put it on the card."""
        value = parameters(request.sampling)[name]
        if name in NEUTRAL and value != NEUTRAL[name]:
            raise HarnessError(
                f"{self._endpoint.base} does not take {name}, which was set to {value:g} ({said})",
                hint=f"set {name} to {NEUTRAL[name]:g}, which means the same as leaving it out, "
                "or use another server",
            )
        self._dropped |= {name}
        details = {**self._card.details, "dropped": ", ".join(sorted(self._dropped))}
        self._card = replace(self._card, details=details)
