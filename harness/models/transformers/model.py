"""Models run on this machine by transformers."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Protocol

from harness.affect_tiny import weights_folder
from harness.core.errors import HarnessError
from harness.core.generation import ErrorKind, Generation
from harness.core.model import Card
from harness.core.request import Request
from harness.models.registry import OpenOptions
from harness.models.transformers.checkpoint import Checkpoint, find_checkpoint, load_checkpoint
from harness.models.transformers.generator import UNSUPPORTED, Generator, PreparedRequest

BATCH = 16
"""Most requests in one batch."""

_LULL = 0.003
"""Seconds without a newcomer after which an unfilled batch is run."""


def open_local(argument: str, *, name: str, options: OpenOptions) -> LocalModel:
    """The checkpoint in a folder or on the hub. Raises HarnessError where it cannot be loaded."""
    checkpoint = find_checkpoint(argument)
    loaded = load_checkpoint(checkpoint)
    facts = loaded.facts
    identity = (
        f"transformers weights={checkpoint.weights} settings={checkpoint.settings} "
        f"transformers={facts['transformers']} torch={facts['torch']} dtype={facts['dtype']}"
    )
    return _serve(checkpoint, Generator(loaded), name=name, identity=identity, facts=dict(facts))


def open_tiny(argument: str, *, name: str, options: OpenOptions) -> LocalModel:
    """The packaged checkpoint. Its identity is its content alone, so that it travels between machines."""
    if argument:
        raise HarnessError(f"{name!r} takes nothing after its name", hint="write affect-tiny")
    folder = weights_folder()
    if not (folder / "config.json").is_file():
        raise HarnessError(
            f"the weights of affect-tiny are not in {folder}",
            hint="install the package again; or, in a checkout of the repository, train them: "
            "python -m harness.affect_tiny.training.train",
        )
    checkpoint = find_checkpoint(str(folder))
    loaded = load_checkpoint(checkpoint)
    identity = f"affect-tiny weights={checkpoint.weights} settings={checkpoint.settings}"
    return _serve(
        checkpoint, Generator(loaded), name=name, identity=identity, facts=dict(loaded.facts)
    )


def _serve(
    checkpoint: Checkpoint, engine: Generator, *, name: str, identity: str, facts: dict[str, str]
) -> LocalModel:
    card = Card(
        name=name,
        identity=identity,
        system_role=engine.system_role,
        video=engine.video,
        constraints={"choice": "token-trie"},
        estimators=("continuation",),
        window=2 * BATCH,
        details=facts
        | {
            "folder": checkpoint.folder.name,
            "revision": checkpoint.revision,
            "weights": checkpoint.weights,
            "settings": checkpoint.settings,
        },
    )
    return LocalModel(engine, card)


class Computes(Protocol):
    """What LocalModel needs of an Engine."""

    def prepare(self, request: Request) -> PreparedRequest | Generation: ...

    def generate(self, prompts: Sequence[PreparedRequest]) -> list[Generation]: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A request, and where its reply is awaited."""

    request: Request
    start: float
    reply: Future[Generation] = field(default_factory=Future)


class LocalModel:
    """A Model that gathers concurrent requests into batches, in one thread of its own."""

    def __init__(self, engine: Computes, card: Card, *, batch: int = BATCH) -> None:
        self._engine, self._card, self._batch = engine, card, batch
        self._arriving: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def card(self) -> Card:
        """The card."""
        return self._card

    async def reply(self, request: Request) -> Generation:
        """Queue the request and wait for its batch. A bad request comes back failed, alone."""
        job = _Job(request, perf_counter())
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="local-model", daemon=True)
                self._thread.start()
            self._arriving.put(job)
        return await asyncio.wrap_future(job.reply)

    async def close(self) -> None:
        """Finish what waits, and end the thread."""
        thread = self._thread
        if thread is not None:
            self._arriving.put(None)
            await asyncio.to_thread(thread.join)

    def _work(self) -> None:
        waiting: list[tuple[_Job, PreparedRequest]] = []
        taking = True
        try:
            while taking or waiting:
                taking = taking and self._gather(waiting)
                if waiting:
                    group = waiting[0][1].group
                    alike = [pair for pair in waiting if pair[1].group == group][: self._batch]
                    self._answer([pair for pair in alike if not pair[0].reply.cancelled()])
                    waiting[:] = [pair for pair in waiting if pair not in alike]
        finally:  # whatever ended the thread, nobody is left waiting
            with self._lock:  # a request comes either before this, or starts another thread
                self._thread = None
                left = self._left()
            for job in [job for job, _ in waiting] + left:
                _settle(job, Generation.failed(job.request.key, "server", "the model stopped"))

    def _gather(self, waiting: list[tuple[_Job, PreparedRequest]]) -> bool:
        """Wait for a first request, and for those close behind it; False once the model is closed."""
        while len(waiting) < self._card.window:
            try:
                job = self._arriving.get(timeout=_LULL if waiting else None)
            except queue.Empty:
                break
            if job is None:
                return False
            prompt = self._engine.prepare(job.request)
            if isinstance(prompt, Generation):
                _settle(job, prompt)
            else:
                waiting.append((job, prompt))
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
                jobs.append(job)

    def _answer(self, pairs: list[tuple[_Job, PreparedRequest]]) -> None:
        """Run a batch; if it fails, each request alone, so that only a bad one fails."""
        if not pairs:
            return
        try:
            replies = self._engine.generate([prompt for _, prompt in pairs])
        except (*UNSUPPORTED, RuntimeError, OSError, ArithmeticError, AssertionError) as error:
            if len(pairs) > 1:
                for pair in pairs:
                    self._answer([pair])
                return
            job, _ = pairs[0]
            kind: ErrorKind = "unsupported" if isinstance(error, UNSUPPORTED) else "server"
            detail = f"{type(error).__name__}: {error}"[:500]
            _settle(job, Generation.failed(job.request.key, kind, detail))
            return
        for (job, _), reply in zip(pairs, replies, strict=True):
            _settle(job, replace(reply, latency=perf_counter() - job.start))


def _settle(job: _Job, reply: Generation) -> None:
    """Hand a reply over, unless there is one already or nobody waits for it any more."""
    if not job.reply.done() and job.reply.set_running_or_notify_cancel():
        job.reply.set_result(reply)
