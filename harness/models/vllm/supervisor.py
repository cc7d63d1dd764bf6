"""Keep a server running as long as its owner lives, then end it with all its processes.

    python supervisor.py OWNER COMMAND...

Started by the owner, as a process of its own with a pipe as standard input. The server ends when the pipe
closes (the owner closed it, ended, crashed or was killed), when the owner's process is gone though a fork of
it still holds the pipe, or when the supervisor is asked to stop. Only the standard library is used, so that it
starts at once and nothing of the owner's memory is kept. Linux only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 8.0
"""Seconds that a server gets to end by itself after SIGTERM."""

_PARENT_DEATH_SIGNAL, _CHILD_SUBREAPER = 1, 36
"""Options of prctl(2)."""
_LOOK = 0.25
"""Seconds between two looks at the owner and the server."""


def main(arguments: list[str]) -> int:
    """Run the command until it ends or may no longer run; its exit status, or 128 and the signal's number."""
    owner, command = int(arguments[0]), arguments[1:]
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    # What outlives the server's first process becomes our child, so that nothing can slip away.
    prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _settle_environment()
    server = subprocess.Popen(  # noqa: S603 (no shell)
        command,
        stdin=subprocess.DEVNULL,
        # Should the supervisor itself be killed, the kernel ends the server.
        preexec_fn=lambda: prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0),  # noqa: PLW1509
    )
    try:
        while server.poll() is None and os.getppid() == owner and not _closed(sys.stdin.fileno()):
            pass
    finally:
        status = server.poll()
        end(server)
    return 0 if status is None else status if status >= 0 else 128 - status


def _settle_environment() -> None:
    """No report to anyone, no key asked of us, no module taken from the folder a person works in."""
    for name in ("VLLM_NO_USAGE_STATS", "DO_NOT_TRACK", "PYTHONSAFEPATH", "PYTHONUNBUFFERED"):
        os.putenv(name, "1")
    os.unsetenv("VLLM_API_KEY")


def _closed(pipe: int) -> bool:
    """Whether the pipe's other end was closed; waits a moment for it."""
    readable, _, _ = select.select([pipe], [], [], _LOOK)
    return bool(readable) and os.read(pipe, 1) == b""


def end(server: subprocess.Popen[bytes]) -> None:
    """Ask the server to end, give it time, then kill whatever is left."""
    if server.poll() is None:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(PATIENCE)
    while left := descendants(os.getpid()):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _reap()
        time.sleep(0.02)


def descendants(ancestor: int) -> list[int]:
    """Process ids of all children of `ancestor`, and theirs."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # pid (name) state parent ...; the name may hold blanks and brackets
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    waiting = [ancestor]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _reap() -> None:
    """Take note of children that have ended, so that they leave the process table."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
