"""The tokens that a report tells of an agent are those that the server counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from tests.models.stub import running_stub
from tests.run.agents import TASK, call

REPLIES = (call("zoom", region="mouth"), call("measure", unit=12), "happiness")


def test_tokens_equal_the_servers_own_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("task.yaml").write_text(TASK % 4)
    counted: list[tuple[int, int]] = []

    def count(body: dict[str, Any], completion: dict[str, Any]) -> None:
        agent = any("zoom" in json.dumps(m["content"]) for m in body["messages"])
        told = (100 + 13 * len(counted), 1 + len(counted) % 5)
        completion["usage"] = {"prompt_tokens": told[0], "completion_tokens": told[1]}
        if agent:
            counted.append(told)

    def answer(body: dict[str, Any]) -> str:
        return REPLIES[sum(m["role"] == "assistant" for m in body["messages"])]

    with running_stub(answer=answer, extend=count) as stub:
        options = ["--tools", "zoom+measure", "--no-report", "--out", "run"]
        assert main(["run", "task.yaml", "--model", f"openai:stub@{stub.url}", *options]) == 0
    assert len(counted) == 12
    (row,) = json.loads(Path("run/extras.json").read_text())["usage"]
    assert row["prompt_tokens"] == sum(prompt for prompt, _ in counted)
    assert row["completion_tokens"] == sum(reply for _, reply in counted)
    assert (row["replies"], row["uncounted"], row["shared"]) == (12, 0, 0)
