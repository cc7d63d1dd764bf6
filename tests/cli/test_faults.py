"""A run against a server that fails, by the command itself: what is kept, counted, repeated and given away."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from harness.run.folder import RunFolder
from harness.run.log import read_log
from tests.cli.conftest import Run
from tests.cli.test_run import TABLE, model
from tests.models.stub import Stub, contents
from tests.run.bench import rows, write_pictures

CANARY = "sk-canary-0123456789"
HARD = (
    "--timeout",
    "2",
    "--give-up-after",
    "1",
    "--max-error-rate",
    "1",
    "--no-report",
    "--out",
    "run",
)


def by_picture(folder: Path, faults: dict[int, str]) -> Any:
    """A rule that gives the n-th picture of the folder its fault at every attempt."""
    held = {(folder / f"p{number}.png").read_bytes(): fault for number, fault in faults.items()}
    return lambda body: held.get(contents(body)[1][0], "ok")


@pytest.mark.slow
def test_every_fault_is_counted_and_none_is_kept_or_scored(
    data: Path, stub: Stub, harness: Run
) -> None:
    """Each fault on one picture of 24, at every attempt; then all is well and only those are asked."""
    lasting = {
        0: "500", 1: "503", 2: "429", 3: "garbage", 4: "blank", 5: "missing",
        6: "truncated", 7: "drop", 8: "hang", 9: "400", 10: "context",
    }  # fmt: skip
    answered = {11: "empty", 12: "null", 13: "refuse", 14: "length"}
    stub.choose = by_picture(data, {**lasting, **answered})
    stub.answer = lambda body: "anger"
    done = harness(*TABLE, "--model", model(stub), *HARD)
    assert done.returncode == 3, done.stderr
    folder = RunFolder(data / "run")
    assert len(list(read_log(folder.generations))) == 24 - len(lasting), "no failure is kept"
    failures = {
        line["trial"].rpartition(":")[2]: line["failure"]["kind"]
        for _, line in read_log(folder.trials)
        if "failure" in line
    }
    assert len(failures) == len(lasting)
    assert sorted(failures.values()) == sorted(
        ["server", "server", "rate-limit", "bad-reply", "bad-reply", "bad-reply",
         "unreachable", "unreachable", "timeout", "rejected", "rejected"]
    )  # fmt: skip
    assert f"{len(lasting)} of 24 trials failed" in done.stderr
    records = pq.read_table(folder.records).to_pylist()
    seen = Counter(str(row["outcome"]) for row in records)
    assert seen["failed"] == len(lasting)
    assert (seen["empty"], seen["refused"]) == (2, 1)
    assert seen.total() == 24, "every trial is accounted for"
    assert all(row["value"] is None for row in records if row["outcome"] != "answered")
    stub.catch_up()
    asked = stub.count
    stub.choose = None
    patient = (*TABLE, "--model", model(stub), "--no-report", "--out", "run")
    assert harness(*patient).returncode == 0
    assert stub.count == asked + len(lasting)
    assert len(list(read_log(folder.generations))) == 24


@pytest.mark.slow
def test_a_run_that_fails_too_much_stops_and_goes_on_later(
    tmp_path: Path, stub: Stub, harness: Run
) -> None:
    write_pictures(tmp_path, rows(240))
    stub.choose = lambda body: "400" if stub.count > 40 else "ok"
    command = (*TABLE, "--model", model(stub), "--no-report", "--out", "run")
    done = harness(*command)
    assert done.returncode == 1
    assert "requests failed (rejected" in done.stderr and "stub fault 400" in done.stderr
    assert "run the same command again" in done.stderr
    stub.catch_up()
    assert stub.count < 240
    kept = len(list(read_log(RunFolder(tmp_path / "run").generations)))
    stub.choose, asked = None, stub.count
    assert harness(*command).returncode == 0
    assert stub.count - asked == 240 - kept


@pytest.mark.slow
def test_a_run_whose_time_is_up_stops_and_goes_on_later(
    data: Path, stub: Stub, harness: Run
) -> None:
    stub.latency = 0.5
    command = (*TABLE, "--model", model(stub), "--no-report", "--out", "run", "--concurrency", "1")
    done = harness(*command, "--stop-after", "4")
    assert done.returncode == 1
    assert "of 4 s is over" in done.stderr and "run the same command again" in done.stderr
    assert stub.peak == 1
    stub.catch_up()
    kept = len(list(read_log(RunFolder(data / "run").generations)))
    assert kept < 24
    stub.latency, asked = 0, stub.count
    assert harness(*command).returncode == 0
    assert stub.count - asked == 24 - kept


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "place"),
    [("echo", "file"), ("echo-reply", "environment"), ("401", "file"), ("garbage", "environment")],
)
def test_the_key_is_nowhere_even_where_the_server_repeats_it(
    data: Path, stub: Stub, harness: Run, fault: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.key, stub.always = CANARY, {"": fault}
    arguments = []
    if place == "environment":
        monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    else:
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        (data.parent / "key").write_text(CANARY)
        (data.parent / "key").chmod(0o600)
        arguments = ["--key-file", str(data.parent / "key")]
    done = harness(*TABLE, "--model", model(stub), "--out", "run", "--limit", "4", *arguments)
    assert "canary" not in done.stdout + done.stderr
    written = [path for path in (data / "run").rglob("*") if path.is_file()]
    if fault == "401":  # found before anything of the run is asked
        assert done.returncode == 2 and stub.hellos and not stub.requests
    else:
        assert stub.headers[0]["Authorization"] == f"Bearer {CANARY}"
        assert len(written) > 4
    for path in written:
        assert b"canary" not in path.read_bytes(), path


def test_a_key_on_the_command_line_is_refused_and_not_kept(
    data: Path, stub: Stub, harness: Run
) -> None:
    url = stub.url.replace("http://", f"http://user:{CANARY}@")
    done = harness(*TABLE, "--model", f"openai:stub@{url}", "--out", "run")
    assert done.returncode == 2
    assert "--key-file" in done.stderr
    assert "canary" not in done.stdout + done.stderr
    for path in (data / "run").rglob("*"):
        assert not path.is_file() or b"canary" not in path.read_bytes(), path


def test_a_remote_server_is_named_in_the_plan(data: Path, harness: Run) -> None:
    remote = ("--model", "openai:gpt@https://api.example.invalid/v1")
    done = harness("plan", *TABLE[1:], *remote)
    assert "faces are sent to api.example.invalid" in done.stdout, done.stderr


def test_a_key_file_that_others_may_read_is_refused(data: Path, stub: Stub, harness: Run) -> None:
    (data / "key").write_text(CANARY)
    (data / "key").chmod(0o644)
    done = harness(*TABLE, "--model", model(stub), "--key-file", "key")
    assert done.returncode == 2
    assert "can be read by other users" in done.stderr and "chmod 600 key" in done.stderr
    assert stub.count == 0
