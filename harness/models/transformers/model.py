"""Models run on this machine by transformers."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from time import perf_counter

from harness.core.errors import HarnessError
from harness.core.generation import ErrorKind, Generation
from harness.core.model import Card, Measured
from harness.core.request import Request
from harness.models.transformers.batches import batch_of_first
from harness.models.transformers.computing import Computes, Shares
from harness.models.transformers.counting import PromptCounter
from harness.models.transformers.generator import UNSUPPORTED
from harness.models.transformers.prepared import PreparedRequest

BATCH = 16
"""Most requests in one batch."""

TOKENS = 16_384
"""Most tokens of prompts in one batch, padding included; what a model of 7B parameters takes beside its weights on a
GPU of 24 GB (some 2 GB of activations). A batch that is too much all the same is halved, and so are those after it."""

WINDOW = 4 * BATCH
"""Requests that wait and are sorted by length: among so many, four batches of like lengths are found."""

SORTED = 4
"""No more is taken in while prompts of this many full batches wait: their pictures lie in memory."""

_LULL = 0.003
"""Seconds without a newcomer after which an unfilled batch is run."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A request, and where its reply is awaited."""

    request: Request
    wanted: bool = True
    """Otherwise it only completes the batches of others."""
    reply: Future[Generation] = field(default_factory=Future)


class LocalModel:
    """A Model that computes requests in batches, in one thread of its own: those handed over together (`replies`) among
    themselves, those handed over one by one with whatever else waits.

    It is in memory from the first request, or from `load`, to `close`.
    """

    def __init__(
        self,
        load: Callable[[], Computes],
        card: Card,
        *,
        batch: int = BATCH,
        tokens: int = TOKENS,
        free: Callable[[], None] = lambda: None,
        counter: PromptCounter | None = None,
    ) -> None:
        """`load` brings the model into memory and may raise HarnessError; `free` is called when it was let go."""
        self._load, self._free, self._counter = load, free, counter
        self._card, self._batch, self._tokens = card, batch, tokens
        self._room = tokens
        self._arriving: queue.SimpleQueue[_Job | list[_Job] | None] = queue.SimpleQueue()
        self._together: list[_Job] = []
        """Those of one call of `replies`, while they are computed."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loaded: Future[None] = Future()
        self._failed: HarnessError | None = None

    @property
    def card(self) -> Card:
        """The card; where the layers lie is in its details once it was loaded."""
        return self._card

    async def load(self) -> None:
        """Bring the model into memory. Raises HarnessError where that fails."""
        with self._lock:
            self._begin()
            loaded = self._loaded
        await asyncio.shield(asyncio.wrap_future(loaded))

    async def measure(self, request: Request) -> Measured | None:
        """The tokens that the checkpoint would read, by its own processor. Not while it is asked."""
        if self._counter is None or self._counter.longest is None:
            return None
        return await asyncio.to_thread(self._counter.measure, request)

    async def reply(self, request: Request) -> Generation:
        """Queue the request and wait for its batch. A bad request comes back failed, alone.

        Raises HarnessError where the model cannot be loaded.
        """
        job = _Job(request)
        with self._lock:
            self._begin()
            self._arriving.put(job)
        return await asyncio.wrap_future(job.reply)

    async def replies(
        self, requests: Sequence[Request], *, wanted: Collection[str]
    ) -> AsyncGenerator[Generation, None]:
        """Compute requests in batches of their own (`harness.core.model.Batching`)."""
        jobs = [_Job(request, request.key in wanted) for request in requests]
        with self._lock:
            self._begin()
            self._arriving.put(jobs)
        awaited = [asyncio.wrap_future(job.reply) for job in jobs if job.wanted]
        try:
            for one in asyncio.as_completed(awaited):
                yield await one
        finally:
            for future in awaited:
                if not future.cancel() and not future.cancelled():
                    future.exception()  # it is raised once, not for each

    async def close(self) -> None:
        """Finish what waits, end the thread, and give the memory back. The next request would load it again."""
        thread = self._thread
        if thread is not None:
            self._arriving.put(None)
            await asyncio.to_thread(thread.join)
        self._failed = None

    def _begin(self) -> None:
        """Start the thread unless it runs. Raises HarnessError where loading has failed."""
        if self._failed is not None:
            raise self._failed
        if self._thread is None:
            self._loaded = Future()
            self._thread = threading.Thread(
                target=self._work, args=(self._loaded,), name="local-model", daemon=True
            )
            self._thread.start()

    def _work(self, loaded: Future[None]) -> None:
        """Load and serve; `loaded` is this thread's own, since another may have begun when this one ends."""
        waiting: list[tuple[_Job, PreparedRequest]] = []
        failed: HarnessError | None = None
        try:
            failed = self._serve(waiting, loaded)
        finally:  # whatever ended the thread, nobody is left waiting
            with self._lock:  # a request comes either before this, or starts another thread
                self._thread, self._failed = None, failed
                left = self._left()
            for job in [job for job, _ in waiting] + self._together + left:
                if failed is not None:
                    _refuse(job, failed)
                else:
                    _settle(job, Generation.failed(job.request.key, "server", "the model stopped"))
            if failed is not None:
                loaded.set_exception(failed)
            elif not loaded.done():
                loaded.set_exception(HarnessError("the model could not be loaded"))
            self._free()

    def _serve(
        self, waiting: list[tuple[_Job, PreparedRequest]], loaded: Future[None]
    ) -> HarnessError | None:
        """Load, and answer until the model is closed. Returns the error where it cannot be loaded."""
        try:
            engine = self._load()
        except HarnessError as error:
            return error
        self._note(engine)
        notes = (*self._card.notes, *(n for n in engine.notes if n not in self._card.notes))
        self._card = replace(self._card, notes=notes)
        loaded.set_result(None)
        self._room, self._together, taking = self._tokens, [], True
        while taking or waiting:
            taking = taking and self._gather(engine, waiting)
            if waiting:
                _foresee(engine, waiting)
                self._compute(engine, waiting)
        self._note(engine)
        return None

    def _note(self, engine: Computes) -> None:
        """Put what the engine says of itself on the card; what it shares is known once it was asked."""
        self._card = replace(self._card, details=dict(self._card.details) | dict(engine.facts))

    def _compute(self, engine: Computes, waiting: list[tuple[_Job, PreparedRequest]]) -> None:
        """Compute the batch of the first of those that wait, and take it out."""
        group = waiting[0][1].group
        alike = [pair for pair in waiting if pair[1].group == group]
        chosen = batch_of_first(
            [prompt.tokens for _, prompt in alike], rows=self._batch, tokens=self._room
        )
        batch = [alike[place] for place in chosen]
        live = [pair for pair in batch if not pair[0].reply.cancelled()]
        if any(job.wanted for job, _ in live) and self._answer(engine, live):
            self._room = max(self._room // 2, 1)  # it was too much for the GPU's memory
        waiting[:] = [pair for pair in waiting if pair not in batch]

    def _compute_together(self, engine: Computes, jobs: list[_Job]) -> None:
        """Compute what was handed over together."""
        self._together = jobs
        waiting: list[tuple[_Job, PreparedRequest]] = []
        for job in jobs:
            self._ready(engine, job, waiting)
        _foresee(engine, waiting)
        while waiting:
            self._compute(engine, waiting)
        self._together = []

    def _ready(
        self, engine: Computes, job: _Job, waiting: list[tuple[_Job, PreparedRequest]]
    ) -> None:
        """Add a request to those that wait, unless it cannot be computed."""
        prompt = engine.prepare(job.request)
        if isinstance(prompt, Generation):
            _settle(job, prompt)
        else:
            waiting.append((job, prompt))

    def _gather(self, engine: Computes, waiting: list[tuple[_Job, PreparedRequest]]) -> bool:
        """Wait for a first request, and for those close behind it; False once the model is closed."""
        while len(waiting) < self._card.window:
            if sum(prompt.tokens for _, prompt in waiting) > SORTED * self._tokens:
                break
            try:
                job = self._arriving.get(timeout=_LULL if waiting else None)
            except queue.Empty:
                break
            if job is None:
                return False
            if isinstance(job, list):
                self._compute_together(engine, job)
            else:
                self._ready(engine, job, waiting)
        return True

    def _left(self) -> list[_Job]:
        """What is still in the queue."""
        jobs: list[_Job] = []
        while True:
            try:
                job = self._arriving.get_nowait()
            except queue.Empty:
                return jobs
            if job is not None:
                jobs += job if isinstance(job, list) else [job]

    def _answer(self, engine: Computes, pairs: list[tuple[_Job, PreparedRequest]]) -> bool:
        """Run a batch; if it fails, its halves, so that only a bad request fails. Whether it was too much for the
        GPU's memory. A reply's latency is the time of its batch, without what it waited for others."""
        if not pairs:
            return False
        start = perf_counter()
        try:
            replies = engine.generate([prompt for _, prompt in pairs])
        except (*UNSUPPORTED, RuntimeError, OSError, ArithmeticError, AssertionError) as error:
            fault = _Fault.of(error)
        else:
            took = perf_counter() - start
            for (job, _), reply in zip(pairs, replies, strict=True):
                _settle(job, replace(reply, latency=took))
            return False
        # Here the error is gone, and with it what it held in memory.
        if len(pairs) == 1:
            job = pairs[0][0]
            _settle(job, Generation.failed(job.request.key, fault.kind, fault.detail))
            return False
        if fault.memory:
            if isinstance(engine, Shares):
                engine.forget()
            self._free()
        half = len(pairs) // 2
        for part in (pairs[:half], pairs[half:]):
            self._answer(engine, part)
        return fault.memory


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is kept of an error."""

    kind: ErrorKind
    detail: str
    memory: bool

    @classmethod
    def of(cls, error: BaseException) -> _Fault:
        """torch calls running out of a GPU's memory OutOfMemoryError, of every maker's."""
        kind: ErrorKind = "unsupported" if isinstance(error, UNSUPPORTED) else "server"
        name = type(error).__name__
        return cls(kind, f"{name}: {error}"[:500], name == "OutOfMemoryError")


def _foresee(engine: Computes, waiting: Sequence[tuple[_Job, PreparedRequest]]) -> None:
    if isinstance(engine, Shares):
        engine.foresee([prompt for _, prompt in waiting])


def _refuse(job: _Job, error: HarnessError) -> None:
    """Raise an error where a reply is awaited."""
    if not job.reply.done() and job.reply.set_running_or_notify_cancel():
        job.reply.set_exception(error)


def _settle(job: _Job, reply: Generation) -> None:
    """Hand a reply over, unless there is one already or nobody waits for it any more."""
    if not job.reply.done() and job.reply.set_running_or_notify_cancel():
        job.reply.set_result(reply)
