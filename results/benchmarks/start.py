"""CPU of `harness --help` and of a bare interpreter, alternating in one run.

python results/benchmarks/start.py [RUNS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

COMMANDS = {
    "bare interpreter": [sys.executable, "-c", "pass"],
    "harness --help": [sys.executable, "-m", "harness.cli.main", "--help"],
    "harness list tasks": [sys.executable, "-m", "harness.cli.main", "list", "tasks"],
}


def cpu_seconds(command: list[str]) -> float:
    """User and system seconds of one run, by the kernel's account of the child."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, command in COMMANDS.items():
            seconds[name].append(cpu_seconds(command))
    bare = statistics.median(seconds["bare interpreter"])
    print(f"| command | CPU s, median of {runs} | x bare |\n|---|---|---|")
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"| {name} | {median:.3f} | {median / bare:.1f} |")


if __name__ == "__main__":
    main()
