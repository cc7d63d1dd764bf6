from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.run.task_files import change_value, find_task, load_task, task_names
from harness.run.workspace import Workspace, open_workspace
from tests.run.bench import TASK, RuleModel, make_world

GOOD = """\
description: mine
source: {family: table, file: "${data.mine}/labels.csv"}
fields:
  emotion: {kind: label, labels: basic-7}
prompts: [emotion/plain]
"""


def place(tmp_path: Path, text: str = GOOD) -> Workspace:
    (tmp_path / "tasks" / "own").mkdir(parents=True)
    (tmp_path / "tasks" / "own" / "task.yaml").write_text(text)
    (tmp_path / "harness.toml").write_text('tasks = "tasks"\n[data]\nmine = "/data/mine"\n')
    return open_workspace(tmp_path)


def test_a_task_is_found_by_name_and_its_references_filled(tmp_path: Path) -> None:
    workspace = place(tmp_path)
    task = load_task("own/task", workspace)
    assert task.name == "own/task"
    assert task.source["file"] == "/data/mine/labels.csv"
    assert len(task.fields["emotion"].classes) == 7
    assert "own/task" in task_names(workspace.tasks)
    assert "faces/emotion" in task_names(workspace.tasks)


def test_set_changes_values_and_makes_what_is_not_there(tmp_path: Path) -> None:
    task = load_task(
        "own/task",
        place(tmp_path),
        changes=["source.file=a=b.csv", "media.resize=448", "fields.emotion.labels=[sad, happy]"],
    )
    assert task.source["file"] == "a=b.csv"
    assert task.media.resize == 448
    assert task.fields["emotion"].classes == ("sad", "happy")


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("name: mine\n" + GOOD, r"task\.yaml:1: name: unknown key", "named after its file"),
        (GOOD.replace("prompts:", "promts:"), r"task\.yaml:5: promts: unknown key", "prompts"),
        (GOOD.replace("kind: label", "kind: lable"), r"task\.yaml:4: fields\.emotion\.kind", "correct"),
        (GOOD.replace("basic-7", "basic-77"), r"task\.yaml:4: .*basic-77", "basic-7"),
        (GOOD.replace("{kind: label, labels: basic-7}", "{kind: label, metrics: [f1x]}"),
         r"task\.yaml:4: no metric 'f1x'", "uar"),
        (GOOD.replace("  emotion:", "\temotion:"), r"task\.yaml:4: not valid YAML", ""),
        (GOOD + "prompts: [x]\n", r"task\.yaml:6: prompts appears twice", "remove one"),
        (GOOD.replace("fields:\n  emotion: {kind: label, labels: basic-7}\n", ""), "fields: missing", "add `fields:`"),
        (GOOD.replace("family: table, ", ""), r"task\.yaml:2: source", "correct"),
        ("- a\n- b\n", "expected a mapping", ""),
        (GOOD.replace("data.mine", "data.other"), r"task\.yaml:2: source.*data\.other", "harness.toml"),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_file_line_field_and_mend(
    tmp_path: Path, text: str, where: str, hint: str
) -> None:
    with pytest.raises(HarnessError, match=where) as caught:
        load_task("own/task", place(tmp_path, text))
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("source.file", "expected KEY=VALUE"),
        ("a..b=1", "expected KEY=VALUE"),
        ("media.resize=large", r"--set media\.resize"),
        ("fields.emotion.colour=red", r"--set fields\.emotion\.colour"),
        ("fields.emotion.labels=[a, b", "not valid YAML"),
        ("description.x=1", "not a mapping"),
    ],
)
def test_a_fault_in_set_names_the_option(tmp_path: Path, change: str, fault: str) -> None:
    with pytest.raises(HarnessError, match=fault):
        load_task("own/task", place(tmp_path), changes=[change])


def test_an_unknown_task_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(HarnessError) as caught:
        load_task("faces/emotoin", place(tmp_path))
    assert "faces/emotion" in caught.value.hint


def test_a_task_name_does_not_leave_the_folder(tmp_path: Path) -> None:
    workspace = place(tmp_path)
    (tmp_path / "outside.yaml").write_text(GOOD)
    with pytest.raises(HarnessError, match="unknown task"):
        load_task("../outside", workspace)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("tasks = [", "not valid TOML"),
        ("colour = 1\n", "colour"),
        ('tasks = "gone"\n', "no such folder"),
    ],
)
def test_a_bad_config_is_one_clear_error(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "harness.toml").write_text(text)
    with pytest.raises(HarnessError, match=fault):
        open_workspace(tmp_path)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("labels: [anger, joy], synonyms: {jpy: [glad]}", "fields.f.synonyms: the field has no label 'jpy'"),
        ("labels: basic-7, definitions: {joy: smiling}", "fields.f.definitions: the field has no label 'joy'"),
    ],
)  # fmt: skip
def test_words_of_a_label_that_does_not_exist_are_refused(
    tmp_path: Path, field: str, said: str
) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(
        f"source: {{family: table}}\nfields:\n  f: {{kind: label, {field}}}\nprompts: [emotion/plain]\n"
    )
    with pytest.raises(HarnessError) as caught:
        load_task(str(file), open_workspace(tmp_path))
    assert f"{file}:3: {said}" in caught.value.message
    assert "choose from" in caught.value.hint
    with pytest.raises(HarnessError, match=r"--set fields\.f\.synonyms"):
        load_task(
            str(file), open_workspace(tmp_path),
            changes=["fields.f.labels=[a, b]", "fields.f.definitions={}", "fields.f.synonyms={c: [d]}"],
        )  # fmt: skip


def test_of_labels_from_the_data_they_are_refused_when_these_are_known(tmp_path: Path) -> None:
    task = TASK.replace("labels: [anger, happiness]", "synonyms: {happiness: [glad], joy: [glad]}")
    world = make_world(tmp_path, 4, task)
    with pytest.raises(HarnessError, match="the field has no label 'joy'"):
        world.run(RuleModel())
    (tmp_path / "task.yaml").write_text(task.replace(", joy: [glad]", ""))
    world.run(RuleModel())


def test_a_run_folder_in_place_of_a_task_is_named_as_such(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "manifest.json").write_text("{}")
    with pytest.raises(HarnessError, match="unknown task") as caught:
        find_task(str(run), ())
    assert f"harness score {run}" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{name}.mp4", "{name}.mp4"),
        ("{subject}/{clip}", "{subject}/{clip}"),
        ("{name}", "{name}"),
        ("{a: 1}", {"a": 1}),
        ("{}", {}),
        ("[a, b]", ["a", "b"]),
    ],
)
def test_a_value_that_begins_with_a_name_in_braces_is_a_pattern(text: str, value: object) -> None:
    assert change_value(text, "source.frames") == value
