"""An agent's run that is killed within a trial goes on in it: the same bytes, and no finished request twice."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.models.stub import Stub, running_stub
from tests.run.agents import TASK, call

REPLIES = (call("zoom", region="mouth"), call("measure", unit=12), call("contrast"), "happiness")


def turn(body: dict[str, Any]) -> int:
    return sum(message["role"] == "assistant" for message in body["messages"])


def command(stub: Stub, out: str) -> list[str]:
    return [
        sys.executable, "-m", "harness.cli.main", "run", "task.yaml", "--model", f"openai:stub@{stub.url}",
        "--tools", "zoom+measure+contrast", "--concurrency", "1", "--out", out,
    ]  # fmt: skip


@pytest.mark.slow
def test_killed_after_each_turn_and_resumed(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(TASK % 1)
    held: set[int] = set()
    with running_stub(
        answer=lambda body: REPLIES[turn(body)],
        choose=lambda body: "hang" if turn(body) in held else "ok",
    ) as stub:
        subprocess.run(command(stub, "whole"), cwd=tmp_path, check=True, capture_output=True)
        assert stub.count == 4
        expected = (tmp_path / "whole/records.parquet").read_bytes()
        for last in range(1, 4):
            stub.reset()
            held.add(last)
            out = f"killed-{last}"
            with subprocess.Popen(
                command(stub, out),
                cwd=tmp_path,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as run:
                while stub.count <= last:
                    assert run.poll() is None, "the run ended first"
                    time.sleep(0.02)
                run.kill()
            assert stub.count == last + 1
            held.clear()
            subprocess.run(command(stub, out), cwd=tmp_path, check=True, capture_output=True)
            asked = [turn(body) for body in stub.requests]
            assert asked == [*range(last + 1), *range(last, 4)], "only the one in flight was lost"
            assert (tmp_path / out / "records.parquet").read_bytes() == expected
            (line,) = (tmp_path / out / "trials.jsonl").read_text().splitlines()
            assert [one[1] for one in json.loads(line)["calls"]] == ["zoom", "measure", "contrast"]
