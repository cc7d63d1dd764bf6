"""Replicas and runs killed at random moments, the second node of a Ray cluster, and its head (`make bench`)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "results" / "benchmarks" / "kills.py"
pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]


@pytest.mark.parametrize(
    ("on", "kills"), [("processes", 20), ("ray", 20), ("nodes", 1), ("head", 1)]
)
def test_nothing_is_lost_or_asked_again(on: str, kills: int) -> None:
    if on != "processes":
        pytest.importorskip("ray")
    if on in {"nodes", "head"} and (os.getuid() != 0 or not shutil.which("unshare")):
        pytest.skip("a network namespace needs root and unshare")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--on", on, "--kills", str(kills)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    if on in {"processes", "ray"}:
        assert told["kills of the run"] + told["kills of a replica"] == kills
    elif on == "nodes":
        assert told["replicas lost, as the runs said"] >= told["replicas on the nodes"][1]
