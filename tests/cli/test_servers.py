"""Runs against servers with rules of their own, by the command itself."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.run.folder import RunFolder
from harness.run.log import read_log
from tests.cli.conftest import Run
from tests.cli.test_run import TABLE, model
from tests.models.stub import Stub

OUT = ("--no-report", "--out", "run")


def test_a_neutral_parameter_that_is_refused_is_left_out_and_recorded(
    data: Path, stub: Stub, harness: Run
) -> None:
    stub.always = {"": "unknown:top_k"}
    done = harness(*TABLE, "--model", model(stub), *OUT, "--max-tokens", "77")
    assert done.returncode == 0, done.stderr
    assert all("top_k" not in body and body["max_tokens"] == 77 for body in stub.requests)
    manifest = json.loads((data / "run" / "manifest.json").read_text())
    (entry,) = manifest["models"].values()
    assert entry["details"]["dropped"] == "top_k" and entry["identity"].endswith("without top_k")


def test_rates_are_refused_for_models_that_are_no_servers(data: Path, harness: Run) -> None:
    done = harness(*TABLE, "--model", "affect-tiny", *OUT, "--rpm", "3")
    assert done.returncode == 2 and "--rpm" in done.stderr


BACKGROUND = ("sh", "-c", "trap '' INT; exec \"$@\"", "sh")
"""Starts a command as a shell script starts what it puts into the background: without Ctrl-C."""


@pytest.mark.slow
@pytest.mark.parametrize("before", [(), BACKGROUND])
def test_a_request_to_end_ends_a_run_as_an_interrupt_does(
    data: Path, stub: Stub, before: tuple[str, ...]
) -> None:
    stub.choose = lambda body: "hang" if stub.count > 4 else "ok"
    command = [
        *before,
        sys.executable,
        "-m",
        "harness.cli.main",
        *TABLE,
        "--model",
        model(stub),
        *OUT,
        "--concurrency",
        "2",
    ]
    with subprocess.Popen(command, cwd=data, stderr=subprocess.PIPE, text=True) as running:
        while stub.count < 5:
            assert running.poll() is None, "the run ended first"
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=120)
    assert running.returncode == 130, said
    assert "run the same command again" in said and said.count("interrupted") == 1
    assert 3 <= len(list(read_log(RunFolder(data / "run").generations))) <= 4
