"""Replicas of a model as processes of this machine, each with GPUs of its own where there are any."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from harness.core.model import CacheCounts
from harness.models.replica import Replica, ReplicaLost, too_few_gpus
from harness.models.replica_host import ASK, COUNT, DONE, FAULT, FRAME, OPEN, PLACED, TOLD
from harness.models.vllm.memory import gpus
from harness.models.wire import Counted, Order, Place, Told, pack, unpack, unpack_error

LOG_NAME = "replicas.log"
"""What replicas print, in the run folder."""
_END = 10.0
"""Seconds that a replica has to end by itself."""


class ProcessReplica:
    """A process that was started and talks over its pipes."""

    def __init__(self, process: Process, place: Place) -> None:
        self.place = place
        self._process = process
        self._calls: dict[int, asyncio.Queue[tuple[bytes, bytes]]] = {}
        self._last, self._gone = 0, False
        self._reading = asyncio.ensure_future(self._read())

    async def open(self, order: Order) -> Told:
        """Open the model there. Raises HarnessError where that fails, and ReplicaLost."""
        told: Told | None = None
        async for kind, body in self._call(OPEN, pack(Order, order)):
            told = unpack(Told, body) if kind == TOLD else told
        if told is None:
            raise ReplicaLost("it did not say what it opened")
        return told

    async def ask(self, asked: bytes) -> AsyncGenerator[bytes, None]:
        """Replies as they come. Raises HarnessError where no request can succeed, and ReplicaLost."""
        async for _, body in self._call(ASK, asked):
            yield body

    async def cache_counts(self) -> CacheCounts | None:
        """What the caches of its server did. Raises ReplicaLost."""
        counts: CacheCounts | None = None
        async for _, body in self._call(COUNT, b""):
            counts = unpack(Counted, body).counts
        return counts

    async def end(self) -> None:
        """End the process; returns when it is gone."""
        self._gone = True
        process = self._process
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _END)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading

    async def _call(self, kind: bytes, body: bytes) -> AsyncGenerator[tuple[bytes, bytes], None]:
        pipe = self._process.stdin
        if self._gone or pipe is None:
            raise ReplicaLost(self._why())
        self._last += 1
        number = self._last
        answers = self._calls[number] = asyncio.Queue()
        try:
            pipe.write(FRAME.pack(kind, number, len(body)))
            pipe.write(body)
            await pipe.drain()
            while True:
                said, data = await answers.get()
                if said == DONE:
                    return
                if said == FAULT:
                    raise unpack_error(data) if data else ReplicaLost(self._why())
                yield said, data
        except (BrokenPipeError, ConnectionResetError):
            raise ReplicaLost(self._why()) from None
        finally:
            del self._calls[number]

    async def _read(self) -> None:
        out = self._process.stdout
        assert out is not None
        try:
            while True:
                kind, number, size = FRAME.unpack(await out.readexactly(FRAME.size))
                body = await out.readexactly(size)
                if number in self._calls:
                    self._calls[number].put_nowait((kind, body))
        except asyncio.IncompleteReadError:
            await self._process.wait()
            self._gone = True
            for answers in self._calls.values():
                answers.put_nowait((FAULT, b""))

    def _why(self) -> str:
        status = self._process.returncode
        if status is None:
            return "it does not answer"
        return f"it was ended by signal {-status}" if status < 0 else f"it ended with {status}"


class Processes:
    """Starts replicas on this machine."""

    def __init__(self, count: int, *, gpus_each: int | None, log_folder: Path | None) -> None:
        """`gpus_each`: GPUs of one replica; None: one where there are any. Raises HarnessError where there are too few."""
        self._count = count
        self._log = None if log_folder is None else log_folder / LOG_NAME
        self._devices = shares_of(visible_gpus(), count, each=gpus_each)
        self.details: dict[str, str] = {"replicas": f"{count} processes"}

    async def begin(self) -> None:
        """Nothing: this machine is there."""

    async def start(self, number: int) -> Replica:
        """A process that answers. Raises ReplicaLost where it ends first."""
        log = self._opened_log()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "harness.models.replica_host",
                stdin=PIPE, stdout=PIPE, stderr=log or DEVNULL, env=self._environment(number),
                start_new_session=True,  # Ctrl-C is for the run, which ends its replicas
            )  # fmt: skip
        finally:
            if log is not None:
                log.close()
        out = process.stdout
        assert out is not None
        try:
            kind, _, size = FRAME.unpack(await out.readexactly(FRAME.size))
            place = unpack(Place, await out.readexactly(size))
            if kind != PLACED:
                raise ReplicaLost("it answers in another form")
        except asyncio.IncompleteReadError:
            raise ReplicaLost(f"it ended at its start with {await process.wait()}") from None
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):
                process.kill()
            raise
        return ProcessReplica(process, place)

    async def close(self) -> None:
        """Nothing is left to be closed."""

    def _environment(self, number: int) -> dict[str, str]:
        devices = self._devices[number]
        chosen = dict(os.environ)
        if devices is not None:
            chosen["CUDA_VISIBLE_DEVICES"] = devices
        return chosen

    def _opened_log(self) -> IO[bytes] | None:
        if self._log is None:
            return None
        self._log.parent.mkdir(parents=True, exist_ok=True)
        return self._log.open("ab")


def visible_gpus() -> list[str]:
    """The GPUs that a process of this one would see, as CUDA_VISIBLE_DEVICES names them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [one.strip() for one in named.split(",") if one.strip() not in {"", "-1"}]
    return [str(number) for number in range(len(gpus()))]


def shares_of(devices: Sequence[str], count: int, *, each: int | None) -> list[str | None]:
    """For each replica its GPUs, as CUDA_VISIBLE_DEVICES names them; None where it is left as it is.

    Raises HarnessError where there are too few.
    """
    wanted = (1 if devices else 0) if each is None else each
    if wanted == 0:
        return [("" if devices else None)] * count
    if count * wanted > len(devices):
        raise too_few_gpus(count, each=wanted, there=len(devices), place="this machine")
    return [",".join(devices[n * wanted : (n + 1) * wanted]) for n in range(count)]
