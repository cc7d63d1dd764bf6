"""The side of a replica that computes: it opens one model and answers what it is sent.

Run as a program it talks over standard input and output (`harness.models.replica_process`), and ends when its input
ends, whatever it is doing.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import BinaryIO

from harness.core.errors import HarnessError
from harness.core.model import (
    Batching,
    Detailed,
    KeepsApart,
    Loading,
    Model,
    Probing,
    counts_of,
)
from harness.models.registry import open_model
from harness.models.wire import (
    Counted,
    Order,
    Place,
    Told,
    pack,
    pack_error,
    pack_generation,
    unpack,
    unpack_asked,
)

FRAME = struct.Struct("<cII")
"""Kind, number of the call, bytes that follow."""
OPEN, ASK, COUNT, PLACED, TOLD, REPLY, DONE, FAULT = (
    b"o", b"a", b"c", b"p", b"t", b"g", b"d", b"e",
)  # fmt: skip


def here() -> Place:
    """Where this process is."""
    return Place(socket.gethostname(), os.getpid(), os.environ.get("CUDA_VISIBLE_DEVICES", ""))


class Host:
    """One model, opened as it is ordered."""

    def __init__(self) -> None:
        self._model: Model | None = None

    async def open(self, order: Order) -> Told:
        """Open the model once, bring it into memory, and find out what is asked. Raises HarnessError where that fails."""
        model = self._model
        if model is None:
            model = self._model = await asyncio.to_thread(
                open_model, order.spec, options=order.options, called=order.called
            )
            if isinstance(model, Loading):
                await model.load()
        if isinstance(model, Probing) and order.needs:
            await model.probe(order.needs)
        note = ""
        if isinstance(model, Detailed) and order.details:
            note = await model.prove_detail(order.details)
        if isinstance(model, KeepsApart) and order.apart:
            await model.prove_apart()
        return Told(here(), model.card, note)

    async def ask(self, data: bytes) -> AsyncGenerator[bytes, None]:
        """The replies to requests (`pack_asked`) as they come. Raises HarnessError where no request can succeed."""
        model, asked = self._model, unpack_asked(data)
        if model is None:
            raise HarnessError("a replica was asked before its model was open")
        if isinstance(model, Batching):
            async with aclosing(model.replies(asked.requests, wanted=asked.wanted)) as given:
                async for generation in given:
                    yield pack_generation(generation)
            return
        wanted = frozenset(asked.wanted)
        tasks = [asyncio.ensure_future(model.reply(r)) for r in asked.requests if r.key in wanted]
        try:
            for one in asyncio.as_completed(tasks):
                yield pack_generation(await one)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def counted(self) -> Counted:
        """What the caches of the model's server did; nothing where it does not tell."""
        return Counted(await counts_of(self._model))

    async def close(self) -> None:
        """Close the model."""
        model, self._model = self._model, None
        if model is not None:
            await model.close()


class _Talk:
    """Frames on two pipes."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self._lock = out, threading.Lock()
        self._host = Host()
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, kind: bytes, number: int, body: bytes = b"") -> None:
        with self._lock:
            self._out.write(FRAME.pack(kind, number, len(body)) + body)
            self._out.flush()

    def take(self, kind: bytes, number: int, body: bytes) -> None:
        """Begin with a call."""
        task = asyncio.ensure_future(self._call(kind, number, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, kind: bytes, number: int, body: bytes) -> None:
        try:
            if kind == OPEN:
                told = await self._host.open(unpack(Order, body))
                self.send(TOLD, number, pack(Told, told))
            elif kind == COUNT:
                self.send(TOLD, number, pack(Counted, await self._host.counted()))
            else:
                async with aclosing(self._host.ask(body)) as given:
                    async for reply in given:
                        self.send(REPLY, number, reply)
            self.send(DONE, number)
        except HarnessError as error:
            self.send(FAULT, number, pack_error(error))


async def _serve(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Take calls until the input ends."""
    talk, loop = _Talk(stdout), asyncio.get_running_loop()

    def read() -> None:
        while len(head := stdin.read(FRAME.size)) == FRAME.size:
            kind, number, size = FRAME.unpack(head)
            if len(body := stdin.read(size)) < size:
                break
            loop.call_soon_threadsafe(talk.take, kind, number, body)
        os._exit(0)  # a computation that is under way would be waited for

    talk.send(PLACED, 0, pack(Place, here()))
    threading.Thread(target=read, name="calls", daemon=True).start()
    await asyncio.Event().wait()


def main() -> None:
    """Serve on standard input and output; what libraries print goes to standard error."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    asyncio.run(_serve(sys.stdin.buffer, out))


if __name__ == "__main__":
    main()
