"""Runs that start a real vLLM, and what may befall them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from harness.affect_tiny import weights_folder
from tests.vllm.serving import (
    ARGUMENTS,
    family,
    harness,
    left_after,
    lines,
    own,
    scores,
    started,
    wait_for,
)

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(2400)]

TRIALS = 500


def serving(process: subprocess.Popen[str]) -> psutil.Process:
    """The server's first process: the supervisor's only child."""
    supervisor = next(p for p in family(process) if "supervisor.py" in " ".join(p.cmdline()))
    (server,) = supervisor.children()
    return server


def test_a_run_survives_whatever_ends_it_and_repeats_nothing(python: Path, tmp_path: Path) -> None:
    """500 requests: the server killed at 120, we killed at 240, Ctrl-C at 360, then to the end."""
    run = tmp_path / "run"
    command = (
        "run", "faces/emotion", "--set", f"source.n={TRIALS}", "--model", "vllm:affect-tiny",
        *own(python), "--concurrency", "8", "--no-report", "--json", "--out", run,
    )  # fmt: skip
    journal = run / "generations.jsonl"

    def under_way(at: int) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
        process = started(*command)
        wait_for(lambda: len(lines(journal)) >= at, seconds=900, process=process)
        found = family(process)
        assert any("EngineCor" in p.name() for p in found), [p.name() for p in found]
        return process, found

    process, found = under_way(120)
    os.kill(serving(process).pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "vLLM stopped during the run" in errors and "Traceback" not in errors
    assert left_after(found, seconds=10) == []
    first = len(lines(journal))
    assert 120 <= first < 240

    process, found = under_way(240)
    process.kill()
    begun = time.monotonic()
    assert left_after(found, seconds=15) == []
    gone = time.monotonic() - begun
    process.communicate()

    process, found = under_way(360)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "run the same command again" in errors
    assert left_after(found, seconds=1) == [], "it was ended before we ended"

    done = harness(*command)
    assert scores(done, "accuracy")["vllm:affect-tiny", "emotion/plain"] > 0.6
    kept = [line["key"] for line in lines(journal)]
    assert len(kept) == len(set(kept))
    answered = (run / "vllm.log").read_text().count('"POST /v1/chat/completions HTTP/1.1" 200')
    asked_at_starts = 4 * 12  # whether the server keeps pictures apart
    assert TRIALS <= answered <= TRIALS + 3 * 8 + asked_at_starts, (
        "repeated is only what was in flight at an end"
    )
    assert (run / "vllm.log").read_text().count("Resolved architecture") == 4
    again = harness(*command)
    assert again.stdout == done.stdout
    assert (run / "vllm.log").read_text().count("Resolved architecture") == 4, "nothing left to ask"
    print(f"\nafter kill -9 of the run the server was gone in {gone:.1f} s")


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        ("vllm:/nowhere/at/all", "is neither a folder nor a hub id"),
        ("vllm:{tmp}", "is not a checkpoint"),
    ],
)
def test_a_wrong_folder_is_one_clear_error_at_once(
    python: Path, tmp_path: Path, model: str, fault: str
) -> None:
    begun = time.monotonic()
    done = harness(
        "run", "faces/emotion", "--limit", "4", "--model", model.format(tmp=tmp_path), *own(python),
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("error: ") == 1 and fault in done.stderr
    assert not (tmp_path / "run" / "vllm.log").exists()
    assert time.monotonic() - begun < 60


def test_what_vllm_cannot_serve_ends_with_its_own_words(python: Path, tmp_path: Path) -> None:
    """An architecture that nobody knows; found by vLLM itself after its long import."""
    folder = tmp_path / "checkpoint"
    shutil.copytree(weights_folder(), folder)
    config = json.loads((folder / "config.json").read_text())
    config["architectures"] = ["FaceReaderForNobody"]
    (folder / "config.json").write_text(json.dumps(config))
    done = harness(
        "run", "faces/emotion", "--limit", "4", "--model", f"vllm:{folder}",
        *own(python, arguments=(*ARGUMENTS, "--model-impl=vllm")), "--out", tmp_path / "run", "--no-report",
    )  # fmt: skip
    assert done.returncode == 1
    assert "vLLM stopped before it was ready" in done.stderr
    assert "FaceReaderForNobody" in done.stderr
    assert (
        "vllm.log" in done.stderr and "Traceback (most recent" not in done.stderr.split("error:")[0]
    )


def test_an_argument_that_vllm_does_not_know_is_said(python: Path, tmp_path: Path) -> None:
    done = harness(
        "run", "faces/emotion", "--limit", "4", "--model", "vllm:affect-tiny",
        *own(python, arguments=("--max-modal-len=4",)), "--out", tmp_path / "run", "--no-report",
    )  # fmt: skip
    assert done.returncode == 1
    assert "--max-modal-len" in done.stderr
