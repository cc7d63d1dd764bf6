"""Whole runs over replicas, of which one is killed, and then the run itself; and whom Ray talks to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.timeout(1800)

TASK = ("faces/emotion", "--model", "affect-tiny", "--limit", "120", "--no-report")
ASKED = (*TASK, "--channel", "free", "--channel", "logprob")
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


def harness(root: Path, *args: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "harness.cli.main", "run", *ASKED, *args]
    log = (root / "output.txt").open("ab")
    return subprocess.Popen(command, cwd=root, env=ONE_THREAD, stdout=log, stderr=log)


def lines(file: Path) -> list[dict[str, object]]:
    whole = file.read_bytes().splitlines(keepends=True) if file.is_file() else []
    return [json.loads(line) for line in whole if line.endswith(b"\n")]


def ready(folder: Path) -> list[int]:
    """The processes of the replicas that are ready, the first one first."""
    last = {one["replica"]: one for one in lines(folder / "replicas.jsonl")}
    return [int(str(one["place"]).split()[-1]) for one in last.values() if one["state"] == "ready"]


def wait(until: Callable[[], bool], run: subprocess.Popen[bytes]) -> None:
    while not until():
        assert run.poll() is None, "the run ended first"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def in_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("place")
    assert harness(root, "--out", "run").wait(900) == 0, (root / "output.txt").read_text()
    return root / "run"


@pytest.mark.slow
@pytest.mark.parametrize("on", ["processes", "ray"])
def test_nothing_is_lost_or_repeated_where_a_replica_and_then_the_run_are_killed(
    on: str, in_place: Path, tmp_path: Path
) -> None:
    if on == "ray":
        pytest.importorskip("ray")
    folder, asked = tmp_path / "run", ("--out", "run", "--on", on, "--replicas", "2")
    log = folder / "generations.jsonl"
    run = harness(tmp_path, *asked)
    wait(lambda: len(ready(folder)) == 2, run)
    lost, held = ready(folder)
    os.kill(held, signal.SIGSTOP)  # the run cannot end before the loss is seen
    try:
        wait(lambda: len(lines(log)) >= 20, run)
        outside = talks_to_others(run.pid) if on == "ray" else []
        os.kill(lost, signal.SIGKILL)
        output = tmp_path / "output.txt"
        wait(lambda: "was lost" in output.read_text(), run)
    finally:
        os.kill(held, signal.SIGCONT)
    before = len(lines(log))
    wait(lambda: len(lines(log)) > before, run)
    below = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    run.wait()
    had = len(lines(log))
    # Two helpers of Ray give up a minute later; what holds a model or the port does not.
    ours = [process for process in below if not named(process).endswith("Agent")]
    gone, left = psutil.wait_procs(ours, timeout=300)
    assert not left, f"{len(left)} of {len(gone) + len(left)} processes outlive the run"
    assert harness(tmp_path, *asked).wait(900) == 0, output.read_text()
    keys = [line["key"] for line in lines(log)]
    assert len(keys) == len(set(keys)) == 240 and had < 240
    assert keys[:had] == [line["key"] for line in lines(log)][:had]
    for name in ("records.parquet", "scores.json"):
        assert (folder / name).read_bytes() == (in_place / name).read_bytes(), name
    assert not outside, outside
    gone, left = psutil.wait_procs(below, timeout=300)
    assert not left, f"{len(left)} of {len(gone) + len(left)} processes outlive the run"


@pytest.mark.bench
@pytest.mark.parametrize(
    ("on", "replicas"), [("processes", "1"), ("processes", "4"), ("ray", "1"), ("ray", "4")]
)
def test_scores_have_the_bytes_of_one_process(
    on: str, replicas: str, in_place: Path, tmp_path: Path
) -> None:
    if on == "ray":
        pytest.importorskip("ray")
    run = harness(tmp_path, "--out", "run", "--on", on, "--replicas", replicas)
    assert run.wait(900) == 0, (tmp_path / "output.txt").read_text()
    for name in ("records.parquet", "scores.json"):
        assert (tmp_path / "run" / name).read_bytes() == (in_place / name).read_bytes(), name


def named(process: psutil.Process) -> str:
    """Its name; empty where it has ended."""
    try:
        return str(process.name())
    except psutil.NoSuchProcess:
        return ""


def talks_to_others(run: int) -> list[str]:
    """What listens anywhere but on loopback, and connections that leave it, of the run and all it started."""
    found = []
    first = psutil.Process(run)
    for process in (first, *first.children(recursive=True)):
        for one in process.net_connections(kind="inet"):
            for address in (one.laddr, one.raddr):
                if address and not ip_address(address.ip.removeprefix("::ffff:")).is_loopback:
                    found.append(f"{process.name()} {one.status} {address.ip}:{address.port}")
    return found
