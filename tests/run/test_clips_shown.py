"""Clips through plan, engine and score: what was shown is kept, and one reply serves a clip's questions."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from harness.cli.main import main
from harness.core.message import Image as Sent
from harness.core.request import Request
from harness.run.log import read_log
from harness.score.folder import score_run
from harness.score.records import read_records
from tests.models.abilities import able
from tests.models.stub import running_stub

from .bench import RuleModel, World

TASK = """\
source: {family: megc-vqa, file: q.jsonl}
media: {frames: onset-apex-offset, root: frames}
fields:
  coarse: {kind: label, labels: megc-coarse}
  fine: {kind: label, labels: from-data}
  action_units: {kind: set, labels: megc-action-units}
  au_shown: {kind: yes-no, member_of: action_units}
prompts: [vqa/plain, vqa/structured]
parts: question_kind
"""
BOTH = (
    "What are the action units present, and based on them, what is the fine-grained expression and "
    "the coarse expression class?"
)
QUESTIONS = (
    "What is the coarse expression class?",
    "What is the fine-grained expression class?",
    "What are the action units?",
    "Is the action unit lip corner puller shown on the face?",
    "Is the action unit dimpler shown on the face?",
    BOTH,
)
REPORT = '{"action_units": ["AU6", "lip corner puller"], "fine": "happiness", "coarse": "positive"}'


def frame(level: int) -> bytes:
    picture = Image.new("L", (40, 40), 90)
    picture.paste(90 + level, (16, 16, 28, 28))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Three clips to answer: seven frames with the apex at 44, one frame, and none."""
    rows = [
        {"video_id": f"casme3_test_{clip}_{n}", "video": clip, "question": question, "answer": ""}
        for clip in ("CAS-1", "CAS-2", "CAS-3")
        for n, question in enumerate(QUESTIONS, 1)
    ]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\r\n" for row in rows))
    for clip, levels in {"CAS-1": (0, 3, 9, 60, 9, 3, 0), "CAS-2": (0,), "CAS-3": ()}.items():
        folder = tmp_path / "frames" / clip
        folder.mkdir(parents=True)
        for number, level in enumerate(levels, 41):
            (folder / f"{number}.png").write_bytes(frame(level))
    (tmp_path / "task.yaml").write_text(TASK)
    return World(tmp_path)


def trials(world: World) -> dict[str, dict[str, Any]]:
    found = {line["trial"].split("/")[-1]: line for _, line in read_log(world.folder.trials)}
    return {name.removeprefix("casme3_test_"): line for name, line in found.items()}


def pictures(request: Request) -> Iterator[Sent]:
    return (p for message in request.messages for p in message.parts if isinstance(p, Sent))


def test_frames_and_the_rule_that_chose_them_are_kept_with_each_trial(world: World) -> None:
    world.run(RuleModel())
    kept = trials(world)
    assert kept["CAS-1_1"]["shown"] == {
        "frames": [41, 44, 47],
        "changes": [
            "frames-onset-apex-offset",
            "onset-unknown-first-shown",
            "apex-unknown-44-found-by-difference-from-rest",
            "offset-unknown-last-shown",
        ],
    }
    assert kept["CAS-2_1"]["shown"]["frames"] == [41]


def test_a_clip_without_frames_fails_as_such_and_the_run_goes_on(world: World) -> None:
    _, tally = world.run(RuleModel())
    assert (tally.trials, tally.failed) == (18, 6)
    failure = trials(world)["CAS-3_1"]["failure"]
    assert failure["kind"] == "media"
    assert failure["detail"].startswith("missing: no frames found")


def test_a_condition_chooses_from_the_whole_clip(world: World) -> None:
    model = RuleModel()
    world.run(model, conditions=("uniform-4",))
    assert trials(world)["CAS-1_1"]["shown"]["frames"] == [41, 43, 45, 47]
    assert len(list(pictures(model.asked[0]))) == 4


def test_a_clip_of_one_frame_has_no_difference_to_show(world: World) -> None:
    world.run(RuleModel(), conditions=("difference",))
    kept = trials(world)
    assert kept["CAS-1_1"]["shown"]["changes"][0] == "difference-41-to-44"
    assert kept["CAS-2_1"]["failure"]["detail"].startswith(
        "unsupported: onset and apex are the same frame"
    )
    assert kept["CAS-3_1"]["failure"]["detail"].startswith("missing: no frames found")


def test_one_structured_reply_serves_every_question_of_a_clip(world: World) -> None:
    model = RuleModel(rule=lambda request: REPORT)
    world.run(model, prompts=("vqa/structured",))
    assert len(model.asked) == 2, "one for each clip that has frames"
    assert "happiness" in model.asked[0].messages[-1].text, (
        "labels of the set, though none is known"
    )
    score_run(world.folder)
    found = {
        (row["sample"].removeprefix("casme3_test_"), row["field"]): (row["outcome"], row["value"])
        for row in read_records(world.folder)
    }
    units = '["cheek raiser","lip corner puller"]'
    assert found["CAS-1_1", "coarse"] == ("answered", '"positive"')
    assert found["CAS-1_2", "fine"] == ("answered", '"happiness"')
    assert found["CAS-1_3", "action_units"] == ("answered", units)
    assert found["CAS-1_4", "au_shown"] == ("answered", '"yes"')
    assert found["CAS-1_5", "au_shown"] == ("answered", '"no"')
    assert found["CAS-1_6", "action_units"] == ("answered", units)
    assert found["CAS-1_6", "fine"] == ("answered", '"happiness"')


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("I cannot help with judging people's faces.", "refused"),
        ('{"fine": "happiness"}', "unparsed"),
        ("", "empty"),
        ('{"action_units": ["whisker twitch", "dimpler"]}', "answered"),
        ('{"action_units": ["嘴角上扬"]}', "unparsed"),
    ],
)
def test_no_set_no_yes_or_no(world: World, reply: str, outcome: str) -> None:
    world.run(RuleModel(rule=lambda request: reply), prompts=("vqa/structured",))
    score_run(world.folder)
    rows = [r for r in read_records(world.folder) if r["sample"].endswith("CAS-1_5")]
    assert [(r["field"], r["outcome"]) for r in rows] == [("au_shown", outcome)]


def test_the_coarse_answer_narrows_the_fine_question(world: World) -> None:
    def rule(request: Request) -> str:
        return "Positive." if len(request.messages) == 2 else "happiness"

    model = RuleModel(rule=rule)
    world.run(model, prompts=("vqa/coarse-then-fine",))
    last = [r.messages[-1].text for r in model.asked if len(r.messages) == 4]
    assert last
    for text in last:
        assert "belong to it: happiness." in text
        assert "disgust" not in text


def test_the_flow_legend_reaches_the_prompt(world: World) -> None:
    pytest.importorskip("cv2")
    model = RuleModel()
    world.run(model, prompts=("vqa/flow-legend",), conditions=("optical-flow", "none"))
    told = ["red: to the right" in request.messages[-1].text for request in model.asked]
    assert any(told)
    assert not all(told)


def test_answers_in_chinese_are_read_as_what_they_are(world: World) -> None:
    world.run(RuleModel(rule=lambda request: "积极"))
    score_run(world.folder)
    outcomes = {
        row["outcome"] for row in read_records(world.folder) if "CAS-3" not in row["sample"]
    }
    assert "answered" not in outcomes
    assert outcomes <= {"unparsed", "off-list"}


def test_one_reply_serves_every_question_when_held_to_a_schema_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.root)
    with running_stub(**able(obeys={"structured_outputs"})) as stub:
        asked = [
            "run", "task.yaml", "--model", f"openai:stub@{stub.url}", "--prompt", "vqa/structured",
            "--channel", "choice", "--out", "run", "--no-report",
        ]  # fmt: skip
        assert main(asked) == 3  # the six trials of the clip without frames failed
        bodies = [body for body in stub.requests if pictured(body)]
    assert len(bodies) == 2, "one for each clip that has frames"
    schema = bodies[0]["structured_outputs"]["json"]
    assert list(schema["properties"]) == ["action_units", "fine", "coarse"]
    rows = list(read_records(world.folder))
    outcomes = {row["field"]: row["outcome"] for row in rows if "CAS-1" in row["sample"]}
    assert outcomes == dict.fromkeys(("coarse", "fine", "action_units", "au_shown"), "answered")
    manifest = json.loads(world.folder.manifest.read_text())
    assert manifest["cells"][0]["needs"] == ["json"]
    assert not json.loads(world.folder.scores.read_text())["tasks"][0]["broken"]


def pictured(body: dict[str, Any]) -> bool:
    """Whether a request shows pictures: probes show none."""
    contents = [message["content"] for message in body.get("messages", ())]
    return any(
        part.get("type") == "image_url" for c in contents if isinstance(c, list) for part in c
    )
