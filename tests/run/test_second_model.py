"""The tool `second_opinion`: a request of its own to a second model, kept under that model's identity."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from harness.run.log import read_log
from tests.models.stub import Stub, running_stub
from tests.run.agents import TASK, call

ASK = call("second_opinion")


def said(body: dict[str, Any]) -> str:
    """The text of the last turn."""
    content = body["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content)


def first_asks(body: dict[str, Any]) -> str:
    """Asks the second model and repeats what it is told."""
    _, found, told = said(body).partition("A second model says: ")
    if found:
        return told.split()[0]
    return ASK if "second_opinion" in said(body) else "anger"


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Stub, Stub]]:
    monkeypatch.chdir(tmp_path)
    Path("task.yaml").write_text(TASK % 4)
    with (
        running_stub(answer=first_asks) as one,
        running_stub(answer=lambda body: "happiness") as two,
    ):
        yield one, two


def command(servers: tuple[Stub, Stub], tools: str, *more: str) -> list[str]:
    one, two = servers
    return [
        "run", "task.yaml", "--model", f"openai:stub@{one.url}", "--second-model", f"openai:stub@{two.url}",
        "--tools", tools, "--out", "run", "--no-report", *more,
    ]  # fmt: skip


def trials() -> list[dict[str, Any]]:
    return [line for _, line in read_log(Path("run/trials.jsonl"))]


def test_the_second_model_is_asked_the_prompt_and_its_answer_is_told(
    servers: tuple[Stub, Stub], capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = servers
    assert main([*command(servers, "zoom+second_opinion"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["scores"]
    accuracy = {
        row["value"]
        for row in rows
        if (row["tools"], row["metric"]) == ("zoom+second_opinion", "accuracy")
    }
    assert accuracy == {0.5}
    asked = [body for body in two.requests if len(said(body)) > 20]
    assert len(asked) == 4 and one.count == 8
    assert all("tool_call" not in said(body) for body in asked)
    name = f"openai:stub@{two.url}"
    lines = [line for _, line in read_log(Path("run/generations.jsonl"))]
    assert [line["text"] for line in lines if line.get("model") == name] == ["happiness"] * 4
    assert len(lines) == 12
    assert [[c[1:4] for c in line["calls"]] for line in trials()] == [[["second_opinion", "{}", "ok"]]] * 4  # fmt: skip
    assert json.loads(Path("run/manifest.json").read_text())["second_model"]["name"] == name
    assert main(command(servers, "zoom+second_opinion")) == 0
    assert (one.count, len(two.requests)) == (8, 4), "a finished run asks nobody"


@pytest.mark.parametrize(
    ("alteration", "told", "asked"),
    [
        ("swap", "happiness", 4),
        ("blank", "gives no result", 0),
        ("unavailable", "not available", 0),
    ],
)
def test_a_toolbox_lies_with_it(
    servers: tuple[Stub, Stub], alteration: str, told: str, asked: int
) -> None:
    one, two = servers
    assert main(command(servers, f"second_opinion:{alteration}")) == 0
    assert len(two.requests) == asked
    assert any(told in said(body) for body in one.requests)
    donors = {line["calls"][0][5] for line in trials()}
    assert all(donors) == (alteration == "swap")


def test_what_has_no_effect_is_refused(
    servers: tuple[Stub, Stub], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(servers, "zoom")) != 0
    assert "has no effect: no tools ask it" in capsys.readouterr().err
    lacking = command(servers, "second_opinion")
    del lacking[4:6]
    assert main(lacking) != 0
    assert "needs a second model" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_while_the_second_model_answers_and_resumed(servers: tuple[Stub, Stub]) -> None:
    one, two = servers
    args = command(servers, "second_opinion", "--concurrency", "1", "--limit", "2")
    assert main(args) == 0
    expected = Path("run/records.parquet").read_bytes()
    Path("run").rename("whole")
    for server in servers:
        server.reset()
    two.choose = lambda body: "hang" if two.requests else "ok"
    program = [sys.executable, "-m", "harness.cli.main", *args]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        while not two.requests:
            assert run.poll() is None, "the run ended first"
            time.sleep(0.05)
        run.kill()
    one.catch_up()
    two.catch_up()
    assert len(two.requests) == 1
    # Of the first trial, and maybe of the second, whose reply may have been on its way.
    calls = one.count
    kept = Path("run/generations.jsonl").read_bytes().count(b"\n")
    assert 1 <= kept <= calls
    two.choose = None
    assert main(args) == 0
    assert len(two.requests) == 3, "only what was in flight was asked again"
    assert one.count == calls + 4 - kept, "the calls themselves were kept"
    assert Path("run/records.parquet").read_bytes() == expected
