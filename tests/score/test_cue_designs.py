"""A cue report in the judgement's turn, before it, after it, and in a conversation of its own."""

from __future__ import annotations

import json

import pytest

from harness.score.folder import score_run
from harness.score.records import read_records
from tests.run.bench import RuleModel, World, rows, write_pictures

TASK = """\
source: {family: table, file: labels.csv, image: image, targets: {emotion: emotion}, subject: person}
fields:
  emotion: {kind: label, labels: [anger, happiness]}
  valence: {kind: number, scored: false}
  mouth: {kind: label, labels: [smile, frown], scored: false}
  reliance_mouth: {kind: number, low: 0, high: 10, scored: false}
prompts: [cues/report]
"""
SAID = {"emotion": "happiness", "valence": 0.5, "mouth": "smile", "reliance_mouth": 7}


def answer(request):
    """One JSON object of just those keys that the last turn asks for."""
    asked = request.messages[-1].text
    return json.dumps({key: value for key, value in SAID.items() if f'"{key}":' in asked})


@pytest.mark.parametrize(
    ("prompt", "requests"),
    [("cues/report", 1), ("cues/before", 2), ("cues/after", 2), ("cues/separate", 2)],
)
def test_every_design_fills_every_field(tmp_path, prompt, requests):
    write_pictures(tmp_path, rows(6))
    (tmp_path / "task.yaml").write_text(TASK)
    model, world = RuleModel(answer), World(tmp_path)
    world.run(model, prompts=(prompt,))
    assert len(model.asked) == 6 * requests
    score_run(world.folder)
    found = {(r["field"], r["outcome"], json.loads(r["value"])) for r in read_records(world.folder)}
    assert found == {(name, "answered", value) for name, value in SAID.items()}
    # Only a turn of the same conversation hears the earlier one.
    heard = [r for r in model.asked if any(m.role == "assistant" for m in r.messages)]
    assert len(heard) == (6 if prompt in {"cues/before", "cues/after"} else 0)


def test_a_broken_first_reply_spoils_only_its_own_fields(tmp_path):
    write_pictures(tmp_path, rows(3))
    (tmp_path / "task.yaml").write_text(TASK)

    def rule(request):
        return (
            "I cannot help with that."
            if '"emotion":' in request.messages[-1].text
            else answer(request)
        )

    world = World(tmp_path)
    world.run(RuleModel(rule), prompts=("cues/separate",))
    score_run(world.folder)
    outcomes = {r["field"]: r["outcome"] for r in read_records(world.folder)}
    assert outcomes["emotion"] != "answered"
    assert outcomes["mouth"] == outcomes["reliance_mouth"] == "answered"
