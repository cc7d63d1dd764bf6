"""The files of published numbers, and the experiments that stand beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.api.experiment import read_experiment
from harness.conditions.presentation import read_presentation
from harness.core.errors import HarnessError
from harness.core.folders import shipped_folder
from harness.metrics import named
from harness.prompting.library import Library
from harness.run.published import published_folder, read_file, read_published
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from tests.documents import ROOT

FILES = read_published(published_folder())
EXPERIMENTS = sorted((ROOT / "results/published/experiments").glob("*.yaml"))


def test_every_number_that_names_a_task_is_of_a_field_and_a_metric_of_it() -> None:
    place = open_workspace(ROOT)
    rows = 0
    for file in FILES:
        for table in file.tables:
            if table.setting.task:
                task = load_task(table.setting.task, place, references=False)
                assert table.setting.field in task.fields, table.setting
                assert all(named(m) for row in table.rows for m in row.values), table
                rows += len(table.rows)
    assert rows > 20
    assert {file.source.status for file in FILES} == {"read", "secondary", "recomputed"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("status: read", "status: rumour"), r"x\.yaml:3: source\.status"),
        (("status: read", "status: read\n  year: 2025"), r"x\.yaml:4: source\.year"),
        (("accuracy: .5", "accuracy: 50.2"), r"x\.yaml:7: accuracy 50\.2 is outside 0 to 1"),
        (("    rows: [{system: A, values: {accuracy: .5}}]", ""), r"rows"),
    ],
)
def test_a_file_is_strict(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    text = (
        "source:\n  title: T\n  status: read\ntables:\n"
        "  - setting: {set: S, protocol: zero-shot}\n    note_line: 1\n"
        "    rows: [{system: A, values: {accuracy: .5}}]\n"
    ).replace("    note_line: 1\n", "\n")
    path = tmp_path / "x.yaml"
    path.write_text(text)
    assert read_file(path).tables[0].rows[0].system == "A"
    path.write_text(text.replace(*change))
    with pytest.raises(HarnessError, match=said):
        read_file(path)
    with pytest.raises(HarnessError, match="holds no published numbers"):
        read_published(tmp_path / "none")


def test_there_are_six_experiments_at_least() -> None:
    assert len(EXPERIMENTS) >= 6


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_names_what_there_is(path: Path) -> None:
    found = read_experiment(path).options
    place = open_workspace(ROOT)
    library = Library([shipped_folder()])
    tasks = [load_task(str(t), place, changes=found.changes, references=False) for t in found.tasks]
    for prompt in found.prompts:
        asked = set(library.prompt(prompt).head.fields)
        assert all(asked & set(task.fields) for task in tasks), prompt
    for condition in found.conditions:
        read_presentation(condition)
    assert found.against is not None and found.name
    assert f"harness run {path.relative_to(ROOT)}" in path.read_text()
