from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness.core.errors import HarnessError
from harness.core.request import Request
from harness.run.log import read_log
from harness.run.manifest import read_manifest
from tests.run.bench import TASK, RuleModel, World, make_world, write_pictures


def test_one_request_a_row_and_a_line_for_each(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    model = RuleModel()
    plan, tally = world.run(model)
    assert plan.trials == tally.trials == tally.asked == len(model.asked) == 12
    assert len(list(read_log(world.folder.generations))) == 12
    assert pq.read_table(world.folder.plan).num_rows == 12
    sent = [part.data for part in model.asked[0].messages[-1].parts if hasattr(part, "data")]
    assert sent == [(tmp_path / "p0.png").read_bytes()], "the file's own bytes"


def test_the_same_command_asks_nothing_twice(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.run(RuleModel())
    second = RuleModel()
    _, tally = world.run(second)
    assert second.asked == []
    assert tally.trials == tally.reused == 12


def test_an_edited_picture_is_new_work_and_the_rest_is_reused(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.run(RuleModel())
    (tmp_path / "p3.png").write_bytes(
        (tmp_path / "p4.png").read_bytes()[:-12] + b"\0\0\0\0IEND\xaeB`\x82"
    )
    from PIL import Image

    Image.new("RGB", (40, 40), (1, 2, 3)).save(tmp_path / "p3.png")
    second = RuleModel()
    _, tally = world.run(second)
    assert len(second.asked) == 1
    assert tally.reused == 11


def test_an_edited_prompt_is_new_work_and_another_prompt_is_reused(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    own = tmp_path / "prompts" / "emotion"
    own.mkdir(parents=True)
    text = "---\nfields: [emotion]\n---\n{% user %}{{ image }} One of {{ labels | join(', ') }}?{% enduser %}\n"
    (own / "mine.j2").write_text(text)
    (own / "other.j2").write_text(text.replace("One of", "Which of"))
    world.prompts = (tmp_path / "prompts",)
    names = ("emotion/mine", "emotion/other")
    world.run(RuleModel(), prompts=names)
    (own / "mine.j2").write_text(text.replace("One of", "Choose from"))
    second = RuleModel()
    _, tally = world.run(second, prompts=names)
    assert len(second.asked) == 12
    assert tally.reused == 12


def test_another_model_version_is_new_work(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.run(RuleModel())
    second = RuleModel(identity="rule-2")
    world.run(second)
    assert len(second.asked) == 12


def test_a_failed_request_is_kept_as_failed_and_asked_again(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    first = RuleModel(fail=lambda request: len(first.asked) in (2, 5))
    _, tally = world.run(first)
    assert tally.failed == 2
    assert tally.first_failure == "scripted failure"
    assert len(list(read_log(world.folder.generations))) == 10
    second = RuleModel()
    _, tally = world.run(second)
    assert len(second.asked) == 2
    assert tally.failed == 0


def test_equal_requests_are_put_once(tmp_path: Path) -> None:
    """Under `blank` all pictures of one size are the same picture."""
    world = make_world(tmp_path)
    model = RuleModel()
    _, tally = world.run(model, conditions=("blank",))
    assert len(model.asked) == 1
    assert tally.trials == 12
    assert tally.reused == 11


def test_a_bad_picture_is_a_failed_trial_and_the_run_goes_on(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    (tmp_path / "p1.png").unlink()
    (tmp_path / "p2.png").write_bytes(b"")
    data = (tmp_path / "p5.png").read_bytes()
    (tmp_path / "p5.png").write_bytes(data[: len(data) // 2])
    model = RuleModel()
    _, tally = world.run(model)
    assert len(model.asked) == 9
    assert tally.failed == 3
    failures = [line["failure"] for _, line in read_log(world.folder.trials) if "failure" in line]
    assert {f["kind"] for f in failures} == {"media"}
    assert {f["detail"].split(":")[0] for f in failures} == {"missing", "empty", "corrupt"}


def test_describe_then_answer_puts_the_description_into_the_second_request(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=2)

    def rule(request: Request) -> str:
        return "raised brows <|im_end|>" if len(request.messages) == 2 else "anger"

    model = RuleModel(rule=rule)
    _, tally = world.run(model, prompts=("emotion/describe",))
    assert tally.asked == 4
    long = [request for request in model.asked if len(request.messages) > 2]
    assert [m.role for m in long[0].messages] == ["system", "user", "assistant", "user"]
    assert "raised brows" in long[0].messages[2].text
    assert "<|im_end|>" not in long[0].messages[2].text
    trials = [line for _, line in read_log(world.folder.trials)]
    assert [len(line["keys"]) for line in trials] == [2, 2]


def test_a_limit_is_a_seeded_choice_that_a_greater_one_keeps(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=60)
    small, large = RuleModel(), RuleModel()
    world.run(small, limit=6)
    _, tally = world.run(large, limit=20)
    assert len(small.asked) == 6
    assert len(large.asked) == 14
    assert tally.reused == 6
    targets = pq.read_table(world.folder.samples("task"))["targets"].to_pylist()
    assert len(set(targets)) == 2, "not just the first class of the table"


def test_a_fatal_error_of_the_model_stops_the_run_and_keeps_what_was_finished(
    tmp_path: Path,
) -> None:
    world = make_world(tmp_path)

    def rule(request: Request) -> str:
        if len(model.asked) > 5:
            raise HarnessError("401: wrong key")
        return "anger"

    model = RuleModel(rule=rule, window=1)
    with pytest.raises(HarnessError, match="wrong key"):
        world.run(model)
    assert len(list(read_log(world.folder.generations))) == 5
    second = RuleModel()
    world.run(second)
    assert len(second.asked) == 7


def test_a_label_outside_the_list_names_the_row_and_the_mend(tmp_path: Path) -> None:
    world = World(tmp_path)
    write_pictures(tmp_path, [("a.png", "anger", "s1"), ("b.png", "bewildered", "s2")])
    (tmp_path / "task.yaml").write_text(TASK)
    with pytest.raises(HarnessError, match=r"sample b\.png: emotion is 'bewildered'") as caught:
        world.run(RuleModel())
    assert "from-data" in caught.value.hint


def test_a_label_in_another_spelling_is_read_as_the_tasks_own(tmp_path: Path) -> None:
    world = World(tmp_path)
    write_pictures(tmp_path, [("a.png", "Angry", "s1"), ("b.png", "happy", "s2")])
    (tmp_path / "task.yaml").write_text(TASK)
    world.run(RuleModel())
    targets = pq.read_table(world.folder.samples("task"))["targets"].to_pylist()
    assert targets == ['{"emotion": "anger"}', '{"emotion": "happiness"}']


def test_the_manifest_says_what_the_run_rests_on(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.run(RuleModel())
    manifest = read_manifest(world.folder)
    assert manifest["packages"]["affect-harness"]
    assert manifest["tasks"]["task"]["cluster_unit"] == "subject"
    assert manifest["tasks"]["task"]["clusters"] == 4
    assert len(manifest["prompts"]["emotion/plain"]["digest"]) == 64
    assert manifest["models"]["rule"]["identity"] == "rule-1"
    assert manifest["cells"][0]["sampling"]["temperature"] == 0.0
    assert {"sampling", "selection", "bootstrap"} <= set(manifest["seeds"])


def test_clusters_hold_no_path_of_this_machine(tmp_path: Path) -> None:
    world = make_world(tmp_path, task=TASK.replace(", subject: person", ""))
    world.run(RuleModel())
    table = pq.read_table(world.folder.samples("task"))
    clusters = table["cluster"].to_pylist()
    assert len(set(clusters)) == 12
    assert all(re.fullmatch("image-[0-9a-f]{16}", cluster) for cluster in clusters)
