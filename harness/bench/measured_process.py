"""Run one command in its own process and measure its resources, as counted by the kernel."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_POLL = 0.05
"""Seconds between two looks at the child."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command took."""

    wall: float
    """Seconds from start to end."""
    cpu: float
    """User and system seconds of the process and of the children it waited for."""
    peak: float
    """Greatest resident memory of the process, MB (10^6 bytes)."""
    status: int
    """Exit status; minus the signal where one ended it."""


def spend(
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    kill_when: Callable[[], bool] | None = None,
) -> Spent:
    """Run a command to its end, or kill it (SIGKILL) once `kill_when` says so; its output goes to `log`."""
    start, peak = time.monotonic(), 0
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603 (our own commands)
            command, cwd=folder, stdout=out, stderr=out,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    while True:
        peak = max(peak, most_resident(process.pid))
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        if kill_when is not None and kill_when():
            os.killpg(process.pid, signal.SIGKILL)
            kill_when = None
        time.sleep(_POLL)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Spent(
        time.monotonic() - start, usage.ru_utime + usage.ru_stime, peak / 1e6, process.returncode
    )


def most_resident(pid: int) -> int:
    """The most memory that a process ever held, in bytes; 0 where it has gone.

    `getrusage` would count what its parent held when it was started.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
