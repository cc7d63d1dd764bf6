"""The prompt of `faces/me-vqa` for agents: a model steps through the frames of a clip, magnifies, and answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import harness
from harness.core.request import Request
from harness.run.log import read_log
from tests.run.agents import call, pictures, turn
from tests.run.bench import RuleModel

STEPS = (
    call("frame", moment="onset") + call("frame", moment="apex"),
    call("magnify", factor=6) + call("flow"),
)


def steps(request: Request) -> str:
    """Imitates a model that looks at frames, then at the movement, then says what the measured flow says."""
    at = turn(request)
    if at < len(STEPS):
        return STEPS[at]
    told = " ".join(message.text for message in request.messages)
    assert "frame" in told and "movement" in told
    return "surprise"


def test_an_agent_steps_through_the_frames_of_a_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = RuleModel(steps)
    harness.evaluate(
        "faces/me-vqa", model=model, prompts="vqa/agent", tools="frame+magnify+flow", limit=3, out="run",
        progress=False, report=False,
    )  # fmt: skip
    first = [one for one in model.asked if turn(one) == 0]
    last = [one for one in model.asked if turn(one) == 2]
    assert {pictures(one) for one in first} == {3}
    assert {pictures(one) for one in last} == {3 + 4}
    assert all('"name": "magnify"' in one.messages[-1].text for one in first)
    lines = [line for _, line in read_log(Path("run/trials.jsonl"))]
    assert len(lines) == 3
    for line in lines:
        assert [c[1] for c in line["calls"]] == ["frame", "frame", "magnify", "flow"]
        assert {c[3] for c in line["calls"]} == {"ok"}
        assert json.loads(line["calls"][0][2]) == {"moment": "onset"}
