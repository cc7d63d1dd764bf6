"""Start a vLLM server under a supervisor, wait until it answers, and stop it in every case."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from harness.core.errors import HarnessError
from harness.models.vllm import supervisor
from harness.models.vllm.failure import cause_of, message_of

START_LIMIT = 3600.0
"""Longest start in seconds: the largest checkpoints are read from disk for the better part of an hour."""

_LOOK = 0.25
_TAIL_BYTES = 32_768
_WHOLE_BYTES = 8_000_000
"""Of a log, in which the cause of a failed start is looked for."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ENCODER = re.compile(
    r"ncoder cache will be initialized with a budget of (?P<budget>\d{1,9}) tokens|"
    r"max_num_batched_tokens['\"]?[=:] ?(?P<step>\d{1,9})"
)
_SEE = "read its message; use --vllm-arg to pass arguments to vLLM"
_KILLED = "it was killed, usually because main memory was exhausted: use another model, or --vllm-arg=--swap-space=0"


class VllmServer:
    """One start of one server. Not used again after `stop`."""

    def __init__(self, command: Callable[[int], list[str]], *, log_file: Path | None) -> None:
        """`command` gives the command for a port. The log is added to `log_file`, or kept nowhere."""
        self._command = command
        self._log_file = log_file
        self._log: IO[bytes] | None = None
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def alive(self) -> bool:
        """Whether it was started and runs."""
        return self._process is not None and self._process.poll() is None

    async def start(self, *, say: Callable[[str], None], limit: float = START_LIMIT) -> None:
        """Start it and wait until /health answers; `say` gets a line on how it stands, four times a second.

        Raises HarnessError where it ends before that, or is not ready within `limit` seconds.
        """
        begun = time.monotonic()
        with _free_port() as held:
            self.port = held.getsockname()[1]
            self._launch()
            while not await self._healthy():
                passed = time.monotonic() - begun
                if not self.alive:
                    raise self.fault("vLLM stopped before it was ready")
                if passed > limit:
                    raise self.fault(f"vLLM was not ready within {limit:.0f} s")
                last = "".join(f": {message_of(line)}" for line in self._tail(1))
                say(f"vLLM is starting, {passed:.0f} s{last}")
                await asyncio.sleep(_LOOK)

    def stop(self) -> None:
        """End the server and all that it started; returns when it is gone. Harmless where nothing runs."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()
            try:
                process.wait(supervisor.PATIENCE + 10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._log is not None:
            self._log.close()
            self._log = None

    def encoder_tokens(self) -> int | None:
        """Picture tokens that it keeps encoded, as its log tells; None where it does not. Where only the tokens of a
        step are told, these are it: vLLM takes the same number for both."""
        found = [m for line in self._lines(_WHOLE_BYTES) if (m := _ENCODER.search(line))]
        told = [m["budget"] for m in found if m["budget"]] or [m["step"] for m in found]
        return int(told[-1]) if told else None

    def fault(self, what: str) -> HarnessError:
        """An error with its cause as the log names it, else with what the server said last. The log stays: something was
        written, although nothing was asked."""
        status = None if self._process is None else self._process.poll()
        ended = "" if status is None else f" (exit status {status})"
        where = "" if self._log_file is None else f"the whole log is {self._log_file}"
        cause = cause_of(self._lines(_WHOLE_BYTES))
        if cause.said:
            hint = "; ".join(filter(None, (cause.hint, where)))
            return HarnessError(f"{what}{ended}: {cause.said}", hint=hint or _SEE, at_work=True)
        said = "\n".join(f"    {line}" for line in self._tail(12)) or "    nothing"
        hint = _KILLED if status in (-9, 137) else _SEE
        return HarnessError(
            f"{what}{ended}. Its last output:\n{said}", hint="; ".join(filter(None, (hint, where))),
            at_work=True,
        )  # fmt: skip

    def _launch(self) -> None:
        """Start the supervisor, in a session of its own so that Ctrl-C reaches only us."""
        try:
            self._log = (
                tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
                if self._log_file is None
                else self._log_file.open("a+b")
            )
        except OSError as error:
            raise HarnessError(f"cannot write {self._log_file}: {error.strerror}") from error
        self._log_start = self._log.seek(0, os.SEEK_END)
        self._process = subprocess.Popen(  # noqa: S603 (no shell)
            [
                sys.executable,
                "-I",
                "-S",
                supervisor.__file__,
                str(os.getpid()),
                *self._command(self.port),
            ],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    async def _healthy(self) -> bool:
        """Whether GET /health is answered with 200."""
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(b"GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
                first = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return first.split()[1:2] == [b"200"]

    def _tail(self, count: int) -> list[str]:
        """The last lines of this start's log that say something, made fit for a terminal."""
        return self._lines(_TAIL_BYTES)[-count:]

    def _lines(self, most: int) -> list[str]:
        """The lines of the last `most` bytes of this start's log, without empty ones and control characters."""
        if self._log is None:
            return []
        # pread, because the server writes through the same file and must not find it moved.
        size = os.fstat(self._log.fileno()).st_size
        begin = max(self._log_start, size - most)
        text = os.pread(self._log.fileno(), most, begin).decode("utf-8", "replace")
        plain = (_COLOUR.sub("", line).replace("\t", "    ") for line in text.splitlines())
        lines = ["".join(c for c in line if c.isprintable()).rstrip() for line in plain]
        return [line for line in lines if line]


def _free_port() -> socket.socket:
    """A socket that holds a port without listening, so that nobody else is given it until the server has it.

    With both options set here and by the server, either alone lets the server in.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(("127.0.0.1", 0))
    return held
