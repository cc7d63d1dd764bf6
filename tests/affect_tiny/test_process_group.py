"""A crew of training processes: shares gradients, and ends with the process that began it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CREW = """
import os, sys, time
from pathlib import Path

import torch

from harness.affect_tiny.training.process_group import Crew


def work(rank, folder):
    torch.set_num_threads(1)
    crew = Crew.join(rank, 2, folder / "meeting")
    weight = torch.nn.Parameter(torch.zeros(3))
    weight.grad = torch.full((3,), float(rank))
    crew.average([weight])
    part = folder / f"part-{rank}"
    part.write_text(f"{os.getpid()} {weight.grad.tolist()}")
    part.rename(folder / str(rank))
    time.sleep(600)


if __name__ == "__main__":
    torch.multiprocessing.spawn(work, (Path(sys.argv[1]),), nprocs=2)
"""


def alive(pid: int) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_crew_shares_gradients_and_ends_with_its_parent(tmp_path: Path) -> None:
    script = tmp_path / "crew.py"
    script.write_text(CREW)
    deaf = f"import os, signal, sys; signal.signal({signal.SIGINT:d}, signal.SIG_IGN); "
    deaf += "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    parent = subprocess.Popen(
        [sys.executable, "-c", deaf, str(script), str(tmp_path)], cwd=Path(__file__).parents[2]
    )
    told = [tmp_path / "0", tmp_path / "1"]
    try:
        while not all(file.exists() for file in told):
            assert parent.poll() is None, "the crew ended"
            time.sleep(0.1)
        pids = []
        for file in told:
            pid, _, mean = file.read_text().partition(" ")
            assert mean == "[0.5, 0.5, 0.5]"
            pids.append(int(pid))
    finally:
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 60
    while any(map(alive, pids)):
        assert time.monotonic() < deadline, "the crew outlives its parent"
        time.sleep(0.1)
