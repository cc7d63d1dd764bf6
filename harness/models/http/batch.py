"""A model whose requests go through a batch API: half the price, and replies within a day.

Each request is what it would be otherwise; only the way to the server differs. Requests that come together are one
batch. Each batch is written down before it is submitted (`harness.models.http.batch_ledger`), so that a command that
is run again waits for it in place of submitting it again.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

from harness.core.constraint import Need
from harness.core.errors import HarnessError
from harness.core.generation import ErrorKind, Generation
from harness.core.model import Card, Measured, one_by_one
from harness.core.request import Request
from harness.core.text import counted
from harness.models.http.batch_api import UNLIKE, BatchApi, BatchState, Gone, LineResult, Refused
from harness.models.http.batch_ledger import Ledger, Submission
from harness.models.http.connection import HttpResponse
from harness.models.http.http_errors import HttpFault
from harness.models.http.model import OpenAIModel
from harness.models.http.waiting import to_terminal

TOGETHER = 5_000
"""Most trials whose requests are one batch, where nothing else is asked for: their pictures lie in memory."""
POLL = 60.0
"""Seconds between two questions about a batch."""
TRIES = 3
"""Most batches that one request is put in, while it is left unanswered."""
_QUIET = 0.05
"""Seconds without a further request after which those that came together are submitted."""
_T = TypeVar("_T")
_GIVE_UP = 400
"""Statuses from here on are no reply."""


@dataclass(frozen=True, slots=True)
class _Collected:
    body: bytes
    mark: asyncio.Future[str]
    """That of the batch which it is put in."""


class Batches:
    """Gathers requests into batches, submits them and hands out their results. For one event loop."""

    def __init__(
        self,
        api: BatchApi,
        ledger: Ledger,
        *,
        place: str,
        poll: float = POLL,
        say: Callable[[str], None] = to_terminal,
    ) -> None:
        """`place` is the address and model that they go to; `poll` the seconds between two questions; `say` is told how
        batches stand."""
        self._api, self._ledger, self._place, self._poll = api, ledger, place, poll
        self._say = say
        self._opened = time.time()
        self._collected: dict[str, _Collected] = {}
        self._following: dict[str, asyncio.Task[Mapping[str, LineResult]]] = {}
        self._flushing: asyncio.Task[None] | None = None
        self._used: set[tuple[str, str]] = set()
        self._before = frozenset(m for m, s in ledger.submissions.items() if s.status)
        """Batches that ended before this start: of them only replies count, and errors are asked again."""
        self._known = frozenset(ledger.submissions)
        """Batches that an earlier start prepared, and may have submitted."""
        self._keys: dict[str, int] = {}

    def begin(self, key: str) -> None:
        """Requests with this key are put in batches from now on, until `end`."""
        self._keys[key] = self._keys.get(key, 0) + 1

    def end(self, key: str) -> None:
        """The request with this key has its reply."""
        self._keys[key] -= 1
        if not self._keys[key]:
            del self._keys[key]

    def take(self, key: str) -> bool:
        """Whether a request with this key is put in a batch; others, which try what the server can do, are not."""
        return key in self._keys

    async def put(self, key: str, body: bytes) -> HttpResponse | HttpFault:
        """The answer to a request, asked in further batches while it is left unanswered. Raises HarnessError where
        a batch is refused or cancelled."""
        name = f"{key}-{hashlib.sha256(body).hexdigest()[:16]}"
        result = LineResult(0, b"")
        for _ in range(TRIES):
            result = await self._line(name, body)
            if 0 < result.status < 500 and result.status not in (408, 409, 425, 429):
                return HttpResponse(result.status, {}, result.body)
        said = "was not answered before the batch ended"
        if result.status:
            said = f"HTTP {result.status}: {result.body.decode(errors='replace')[:200]}"
        kind: ErrorKind = "server" if result.status else "timeout"
        return HttpFault(kind, f"{said} (in {TRIES} batches)", again=False)

    async def close(self) -> None:
        """Stop asking. Batches in progress go on, and the next command waits for them."""
        tasks = [*self._following.values(), *([self._flushing] if self._flushing else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._following.clear()
        self._collected.clear()
        self._flushing = None
        await self._api.close()

    async def _line(self, name: str, body: bytes) -> LineResult:
        """What the next batch says of a request: one that is submitted already, else a further one."""
        held = self._ledger.holding(name)
        if held is not None and (held.mark, name) not in self._used:
            self._used.add((held.mark, name))
            found = (await self._followed(held.mark)).get(name, LineResult(0, b""))
            if held.mark not in self._before or 0 < found.status < _GIVE_UP:
                return found
        if name not in self._collected:
            mark: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            self._collected[name] = _Collected(body, mark)
            if self._flushing is None:
                self._flushing = asyncio.create_task(self._flush())
        mark_ = await asyncio.shield(self._collected[name].mark)
        self._used.add((mark_, name))
        return (await self._followed(mark_)).get(name, LineResult(0, b""))

    async def _flush(self) -> None:
        """Make batches of what came together."""
        count = -1
        while count != len(self._collected):
            count = len(self._collected)
            await asyncio.sleep(_QUIET)
        collected, self._collected, self._flushing = self._collected, {}, None
        try:
            for names in self._pieces(collected):
                mark = await asyncio.to_thread(self._prepare, names, collected)
                self._ledger.prepared(Submission(mark, self._place, tuple(names)))
                for name in names:
                    collected[name].mark.set_result(mark)
        except (HarnessError, OSError) as error:
            for one in collected.values():
                if not one.mark.done():
                    one.mark.set_exception(error)

    def _pieces(self, collected: Mapping[str, _Collected]) -> list[list[str]]:
        pieces: list[list[str]] = [[]]
        size = 0
        for name, one in collected.items():
            length = len(one.body) + 200
            full = size + length > self._api.most_bytes
            if pieces[-1] and (full or len(pieces[-1]) >= self._api.most_requests):
                pieces.append([])
                size = 0
            pieces[-1].append(name)
            size += length
        return pieces

    def _prepare(self, names: Sequence[str], collected: Mapping[str, _Collected]) -> str:
        """Write the file of a batch, and return its mark."""
        told = f"{time.time_ns()} {os.getpid()} {self._ledger.folder.absolute()} {' '.join(names)}"
        mark = hashlib.sha256(told.encode()).hexdigest()[:24]
        self._ledger.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._ledger.clear(before=self._opened)
        with self._ledger.requests(mark).open("wb") as file:
            file.writelines(self._api.write((name, collected[name].body) for name in names))
            file.flush()
            os.fsync(file.fileno())
        return mark

    async def _followed(self, mark: str) -> Mapping[str, LineResult]:
        """The results of a batch, once it is over."""
        if mark not in self._following:
            self._following[mark] = asyncio.create_task(self._follow(mark))
        return await asyncio.shield(self._following[mark])

    async def _follow(self, mark: str) -> Mapping[str, LineResult]:
        one, path = self._ledger.submissions[mark], self._ledger.results(mark)
        if one.status:
            return await asyncio.to_thread(self._read, path, one)
        if not one.id:
            fresh = mark not in self._known
            others = {s.id for s in self._ledger.submissions.values() if s.id}
            id_ = "" if fresh else await self._said(self._api.find(one, known=others))
            path_ = self._ledger.requests(mark)
            try:
                id_ = id_ or await self._said(self._api.submit(path_, one, known=others))
            except Refused:
                self._ledger.ended(mark, "failed", {"missing": len(one.names)})
                path_.unlink(missing_ok=True)
                raise
            self._ledger.submitted(mark, id_)
        self._say(
            f"waiting for the batch {one.id} with {len(one.names):,} requests to {self._place}; it may take a day. If you "
            "stop, the same command continues"
        )
        try:
            state = await self._ended(one)
            data = await self._said(self._api.results(state))
        except Gone as error:
            self._ledger.ended(mark, "failed", {"missing": len(one.names)})
            raise HarnessError(
                f"the batch {one.id} or its results are no longer there: {error.message}",
                hint="run the same command again to submit its requests anew, which may be paid a second time",
            ) from error
        await asyncio.to_thread(_keep, path, data)
        results = await asyncio.to_thread(self._read, path, one)
        counts = {
            "replies": sum(0 < r.status < _GIVE_UP for r in results.values()),
            "errors": sum(r.status >= _GIVE_UP for r in results.values()),
        }
        counts["missing"] = len(one.names) - sum(counts.values())
        self._ledger.ended(mark, state.status, counts)
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        self._say(f"batch {one.id}: {state.status} ({told})")
        self._ledger.requests(mark).unlink(missing_ok=True)
        await self._api.forget(state)
        self._refuse(state, counts)
        return results

    async def _ended(self, one: Submission) -> BatchState:
        """How a batch ended, once it has. Raises HarnessError."""
        state = await self._said(self._api.state(one.id))
        while not state.over:
            await asyncio.sleep(self._poll)
            before, state = state, await self._said(self._api.state(one.id))
            if state.status != before.status and not state.over:
                self._say(f"batch {one.id}: {state.status}")
        return state

    async def _said(self, asked: Awaitable[_T]) -> _T:
        """What the service says. Raises HarnessError where that is not in its form."""
        try:
            return await asked
        except UNLIKE as error:
            raise HarnessError(
                f"{self._place}: what it says of a batch is not in the form of its batch API: {str(error)[:200]}",
                hint="run the same command again to continue: a batch that was submitted goes on meanwhile",
            ) from error

    def _refuse(self, state: BatchState, counts: Mapping[str, int]) -> None:
        """Raise HarnessError for a batch that the service refused, or that someone cancelled."""
        if state.status == "failed":
            raise HarnessError(
                f"{self._place} refused the batch {state.id}: {state.errors or 'without a reason'}",
                hint="where too many tokens are enqueued, wait or submit smaller batches with --concurrency N; then "
                "run the same command again",
            )
        if state.status == "cancelled" and counts["missing"]:
            raise HarnessError(
                f"the batch {state.id} was cancelled: {counts['replies']} replies came, {counts['missing']} are missing",
                hint="run the same command again to submit what is missing, or without --batch to ask directly",
            )

    def _read(self, path: Path, one: Submission) -> dict[str, LineResult]:
        """The results of a batch by their names. Raises HarnessError for a file that is not there; a line that cannot be
        read is missing, and one of another batch is passed over. Where a request has several replies, the first counts."""
        found, names = dict[str, LineResult](), set(one.names)
        other: set[str] = set()
        try:
            lines = path.read_bytes().splitlines()
        except OSError as error:
            raise HarnessError(f"{path}: the results of a batch cannot be read: {error}") from None
        for line in filter(None, lines):
            try:
                name, result = self._api.read(line)
            except UNLIKE:
                continue
            if not isinstance(name, str) or name not in names:
                continue
            before = found.get(name)
            if before is None or before.status != HTTPStatus.OK:
                found[name] = result
            elif result.status == HTTPStatus.OK and result != before:
                other.add(name)
        if other:
            self._say(
                f"batch {one.id}: {counted(len(other), 'request')} came back several times with different replies; the first "
                "of each counts"
            )
        return found


def _keep(path: Path, data: bytes) -> None:
    """Write results so that the file is whole once it is there."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


class BatchedModel:
    """A Model over HTTP that is asked in batches; what the server can do is found out directly."""

    def __init__(self, model: OpenAIModel, batches: Batches, *, together: int = TOGETHER) -> None:
        self._model, self._batches = model, batches
        self.together = together
        """Most trials whose requests are one batch."""
        model.ask_in(batches)

    @property
    def card(self) -> Card:
        """That of the model: how it is asked is no part of its identity."""
        return self._model.card

    async def reply(self, request: Request) -> Generation:
        """The reply, from a batch with those requests that come at the same time."""
        self._batches.begin(request.key)
        try:
            return await self._model.reply(request)
        finally:
            self._batches.end(request.key)

    def replies(
        self, requests: Sequence[Request], *, wanted: Collection[str]
    ) -> AsyncGenerator[Generation, None]:
        """See `Batching`. Here replies do not depend on what shares a batch."""
        return one_by_one(self.reply, requests, wanted=wanted)

    async def probe(self, needs: frozenset[Need]) -> None:
        """See `OpenAIModel`."""
        await self._model.probe(needs)

    async def measure(self, request: Request) -> Measured | None:
        """See `OpenAIModel`."""
        return await self._model.measure(request)

    async def prove_detail(self, wanted: Sequence[str]) -> str:
        """See `OpenAIModel`."""
        return await self._model.prove_detail(wanted)

    async def prove_apart(self) -> None:
        """See `OpenAIModel`."""
        await self._model.prove_apart()

    async def close(self) -> None:
        """Stop asking, and close the connections."""
        await self._batches.close()
        await self._model.close()
