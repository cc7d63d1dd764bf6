"""`kill -9` at random moments: nothing finished is lost, nothing finished is asked again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.cli.main import main
from tests.cli.conftest import Run
from tests.cli.test_run import TABLE, model
from tests.models.stub import running_stub
from tests.run.bench import rows, write_pictures

SAMPLES = 120
IN_FLIGHT = 8
SEEDS = [pytest.param(0, marks=pytest.mark.slow)]
SEEDS += [pytest.param(seed, marks=pytest.mark.bench) for seed in range(1, 34)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_killed_three_times_ends_as_one_that_was_left_alone(
    tmp_path: Path, harness: Run, seed: int
) -> None:
    """Killed anywhere: while it starts, plans, asks, or scores."""
    moments = random.Random(seed)
    write_pictures(tmp_path, rows(SAMPLES))
    with running_stub(latency=0.05) as stub:
        command = (*TABLE, "--model", model(stub), "--concurrency", str(IN_FLIGHT))
        kills = 3
        for _ in range(kills):
            process = subprocess.Popen(
                [sys.executable, "-m", "harness.cli.main", *command, "--out", "run"],
                cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            time.sleep(moments.uniform(0.2, 2.0))
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        stub.catch_up()
        log = tmp_path / "run" / "generations.jsonl"
        finished = log.read_bytes().count(b"\n") if log.exists() else 0
        before = stub.count
        done = harness(*command, "--out", "run")
        assert done.returncode == 0, done.stderr
        assert stub.count - before == SAMPLES - finished, "what was finished is not asked again"
        assert stub.count <= SAMPLES + kills * IN_FLIGHT, "only what was in flight is repeated"
        assert harness(*command, "--out", "whole").returncode == 0
    for name in ("records.parquet", "scores.json"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_an_interrupt_before_the_first_request_promises_nothing(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(data)
    monkeypatch.setattr("harness.api.carry_out.run_job", interrupted)
    assert main([*TABLE, "--out", "run"]) == 130
    told = capsys.readouterr().err
    assert "interrupted; nothing was asked yet" in told and "are kept" not in told
    assert not (data / "run").exists()
