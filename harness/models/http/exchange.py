"""One exchange with an OpenAI-compatible server: a request put at the server's pace, and what its answer means."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any, Protocol

from harness.core.errors import HarnessError
from harness.core.request import Request
from harness.models.http.completion import BadReply, Completion, ErrorBody, decode
from harness.models.http.concurrency import Gate, Pace
from harness.models.http.connection import Http, HttpResponse, TooLarge, Unreadable
from harness.models.http.endpoint import Endpoint
from harness.models.http.http_errors import Blocked, HttpFault, judge
from harness.models.http.json_body import read_json
from harness.models.http.rate_limit import Allowance, Rates
from harness.models.http.request_body import encode
from harness.models.http.request_dialect import Manners
from harness.models.http.server_messages import ServerMessage, told_by
from harness.models.retry import Patience

_METRICS_SECONDS = 5.0
"""Longest wait for a page that nothing depends on."""


class InBatches(Protocol):
    """Takes requests for a batch API (`harness.models.http.batch`)."""

    def take(self, key: str) -> bool:
        """Whether the request with this key goes in a batch."""
        ...

    async def put(self, key: str, body: bytes) -> HttpResponse | HttpFault: ...


class Exchange:
    """Puts requests to one server, no more of them at once and a minute than it bears."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        patience: Patience,
        window: int,
        rates: Rates,
        body: Mapping[str, Any],
        listed: str,
        start: int = 0,
    ) -> None:
        """`body` is added to that of every request; `listed` is what to say where the server does not know the model.
        `start` requests are in flight at first (0: as `Pace` has it)."""
        self._endpoint = endpoint
        self._body = body
        self._listed = listed
        self._mask = endpoint.mask
        self._timeout = patience.timeout
        self._http = Http(
            endpoint.headers,
            proxy=endpoint.proxy,
            timeout=patience.timeout,
            window=window,
            mask=self._mask,
        )
        self.gate = Gate(Pace(window, level=float(start)))
        self.allowance = Allowance(
            rates,
            give_up_after=patience.give_up_after,
            base=patience.base,
            cap=patience.cap,
        )
        self.batches: InBatches | None = None
        """What takes requests in place of the server's own address."""
        self.succeeded = False
        """Whether any request brought a reply."""

    async def put(
        self, request: Request, extra: Mapping[str, Any], manners: Manners
    ) -> tuple[Completion | Blocked | HttpFault, float]:
        """What became of a request that is put once, and when it was sent."""
        if self.batches is not None and self.batches.take(request.key):
            return await self._in_batch(self.batches, request, extra, manners), perf_counter()
        async with self.gate:  # so that waiting for a connection is no part of the timeout
            sent = await self.allowance.enter()
            try:
                return await self._paced(request, extra, manners), sent
            finally:
                self.allowance.leave()

    async def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        await self._http.close()
        self.gate = Gate(self.gate.pace)  # the old ones belong to their loop
        self.allowance.reset()

    async def _in_batch(
        self, batches: InBatches, request: Request, extra: Mapping[str, Any], manners: Manners
    ) -> Completion | Blocked | HttpFault:
        """The reply out of a batch. How long it took by itself is not known: its latency is 0."""
        body = encode(
            request, model=self._endpoint.asked_as(request.adapter), dropped=manners.dropped, extra={**self._body, **extra}
        )  # fmt: skip
        answer = await batches.put(request.key, body)
        if isinstance(answer, HttpFault):
            return answer
        found = self._read(answer, 0.0, most=request.sampling.max_tokens)
        if isinstance(found, HttpFault) and found.limited:  # it was waited for a whole batch long
            return replace(found, again=False, limited=False)
        return found

    async def _paced(
        self, request: Request, extra: Mapping[str, Any], manners: Manners
    ) -> Completion | Blocked | HttpFault:
        """One attempt, and what it says of the server's level."""
        pace = self.gate.pace
        ticket = pace.send(perf_counter())
        outcome = await self._once(request, extra, manners)
        if isinstance(outcome, (Completion, Blocked)):
            pace.answered(ticket, perf_counter(), full=self.gate.full)
            usage = outcome.usage if isinstance(outcome, Completion) else None
            self.allowance.answered(usage.prompt_tokens + usage.completion_tokens if usage else 0)
        elif outcome.kind == "timeout":  # one request that hangs is no overload; many are slowness
            pace.answered(ticket, perf_counter(), full=False)
        elif outcome.busy:
            pace.overloaded(ticket, perf_counter())
        else:
            pace.failed(ticket, perf_counter())
        return outcome

    async def _once(
        self, request: Request, extra: Mapping[str, Any], manners: Manners
    ) -> Completion | Blocked | HttpFault:
        extra = {**self._body, **extra}
        if manners.stream:
            extra["stream"] = True
        body = encode(
            request,
            model=self._endpoint.asked_as(request.adapter),
            dropped=manners.dropped,
            extra=extra,
        )
        start = perf_counter()
        answer = await self._send(body)
        if isinstance(answer, HttpFault):
            return answer
        return self._read(answer, perf_counter() - start, most=request.sampling.max_tokens)

    async def _send(self, body: bytes) -> HttpResponse | HttpFault:
        import aiohttp

        try:
            return await self._http.post(self._endpoint.chat, body)
        except TimeoutError:
            return HttpFault("timeout", f"no reply within {self._timeout:g} s")
        except (TooLarge, Unreadable) as error:
            again = isinstance(error, Unreadable)
            return HttpFault("bad-reply", self._http.words(error), again=again)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return HttpFault("unreachable", f"{self._endpoint.base}: {self._http.words(error)}")

    def _read(
        self, answer: HttpResponse, took: float, *, most: int
    ) -> Completion | Blocked | HttpFault:
        hide = self._mask.text
        if answer.status != 200:
            return self._judged(answer.status, told_by(answer.data, hide=hide), answer.headers)
        try:
            reply = decode(answer.data, latency=took, most=most, hide=hide)
        except ErrorBody as error:
            return self._judged(200, error.told, answer.headers)
        except BadReply as error:
            return HttpFault("bad-reply", str(error))
        self.succeeded = True
        return reply

    def _judged(
        self, status: int, told: ServerMessage, headers: Mapping[str, str]
    ) -> Blocked | HttpFault:
        """What a refusal means. Raises HarnessError where no request can succeed."""
        place = self._endpoint.chat
        try:
            return judge(status, told, headers, place=place, succeeded=self.succeeded)
        except HarnessError as error:
            listed = self._listed if status == 404 else ""
            hint = f"{error.hint}; {listed}" if listed else error.hint
            raise HarnessError(error.message, hint=hint) from None

    async def metrics(self) -> str:
        """The page of its counters; empty where it has none or does not show it."""
        import aiohttp

        url = f"{self._endpoint.base.removesuffix('/v1')}/metrics"
        try:
            async with asyncio.timeout(_METRICS_SECONDS):
                answer = await self._http.get(url, {"Accept": "text/plain"})
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            return ""
        return answer.data.decode(errors="replace") if answer.status == 200 else ""

    async def tokenize(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the server's `/tokenize` says; empty where it has none or cannot."""
        import aiohttp

        url = f"{self._endpoint.base.removesuffix('/v1')}/tokenize"
        whole = json.dumps({"model": self._endpoint.model, **body}).encode()
        try:
            answer = await self._http.post(url, whole)
            told = read_json(answer.data) if answer.status == 200 else {}
        except (aiohttp.ClientError, OSError, ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) else {}
