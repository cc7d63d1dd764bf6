"""Run one command in its own process and measure its resources, as counted by the kernel."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

_POLL = 0.05
"""Seconds between two looks at the child."""


@dataclass(frozen=True, slots=True)
class SoFar:
    """What a process had taken at one moment, its children left out."""

    cpu: float
    """User and system seconds."""
    peak: float
    """MB (10^6 bytes)."""


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
    marks: Mapping[str, SoFar] = field(default_factory=dict)
    """Name of a moment -> what the process had taken by then; moments that never came are absent."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a benchmark took."""

    name: str
    cpu: float
    """User and system seconds."""
    peak: float
    """Greatest resident memory of the process that it ran in, MB (10^6 bytes)."""


def spend(
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    kill_when: Callable[[], bool] | None = None,
    moments: Mapping[str, Callable[[], bool]] = MappingProxyType({}),
) -> Spent:
    """Run a command to its end, or kill it (SIGKILL) once `kill_when` says so; its output goes to `log`.

    `moments` come in their order, each when its condition is seen to hold: looked for 20 times a second and once
    more at the end of the process.
    """
    start, peak = time.monotonic(), 0
    marks: dict[str, SoFar] = {}
    coming = list(moments.items())
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
        while coming and coming[0][1]():
            peak = max(peak, most_resident(process.pid))
            marks[coming.pop(0)[0]] = SoFar(cpu_seconds(process.pid), peak / 1e6)
        if kill_when is not None and kill_when():
            os.killpg(process.pid, signal.SIGKILL)
            kill_when = None
        time.sleep(_POLL)
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    while coming and coming[0][1]():  # the process was quicker than the looks at it
        marks[coming.pop(0)[0]] = SoFar(cpu, peak / 1e6)
    return Spent(time.monotonic() - start, cpu, peak / 1e6, process.returncode, marks)


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process so far (to a hundredth); 0 where it has gone."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    fields = status.rpartition(")")[2].split()  # from the third on: the second may hold spaces
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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


def most_resident_below(pid: int) -> int:
    """The most memory that each process started by this one, or by one of those, ever held, summed, in bytes.

    Pages that they share count in each of them.
    """
    parents = dict[int, int]()
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError, ValueError):
            fields = place.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            parents[int(place.parent.name)] = int(fields[1])
    below, reached = set[int](), {pid}
    while reached:
        reached = {child for child, parent in parents.items() if parent in reached} - below
        below |= reached
    return sum(most_resident(one) for one in below)
