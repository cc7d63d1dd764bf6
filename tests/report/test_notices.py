"""Notices: on every page, once in the terminal, and for the tasks that they hold for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.core.task import Task
from harness.report.notices import PUBLIC, REGULATED, gathered, notices
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace

TASKS = sorted((Path(__file__).parents[2] / "tasks").rglob("*.yaml"))
OWN = {"folder", "table"}
"""Families of tasks over a person's own data."""


def shipped(path: Path) -> Task:
    return load_task(str(path), open_workspace(path.parent), references=False)


@pytest.mark.parametrize("path", TASKS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_shipped_task_over_a_public_set_says_so_and_no_other(path: Path) -> None:
    task, drawn = shipped(path), path.parent.name == "faces"
    assert (PUBLIC in notices(task)) == (not drawn and path.parent.name not in OWN)
    assert (REGULATED in notices(task)) == (path.parent.name == "academic")


def test_a_set_that_anyone_may_fetch_is_public_whatever_the_task_says() -> None:
    task = shipped(next(p for p in TASKS if p.match("table/emotion.yaml")))
    assert PUBLIC not in notices(task)
    assert PUBLIC in notices(task.model_copy(update={"source": {"family": "hf"}}))
    assert PUBLIC in notices(task.model_copy(update={"public": True}))


@pytest.mark.parametrize("place", ["work", "education"])
def test_people_at_work_and_in_education_are_told_of(place: str) -> None:
    task = shipped(next(p for p in TASKS if p.match("table/emotion.yaml")))
    (said,) = notices(task.model_copy(update={"people_at": place}))
    assert "Art. 5(1)(f)" in said


def test_sentences_come_once_with_their_tasks() -> None:
    own = shipped(next(p for p in TASKS if p.match("table/emotion.yaml")))
    tasks = [own.model_copy(update={"name": name, "public": True}) for name in ("a", "b")]
    tasks.append(own.model_copy(update={"name": "c", "notice": "Mind the light."}))
    assert gathered(tasks) == ((PUBLIC, ("a", "b")), ("Mind the light.", ("c",)))


def test_terminal_json_and_page_carry_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = tmp_path / "p.csv"
    answers.write_text("name,gt,said\n" + "".join(f"x{i},happy,tired\n" for i in range(4)))
    command = ["score", "--predictions", str(answers), "--task", "academic/emotion"]
    assert main([*command, "--out", str(tmp_path / "run")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("Art. 5(1)(f)") == 1
    assert said.count("training data of the model") == 1
    assert main(["score", str(tmp_path / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["notices"] == [REGULATED, PUBLIC]
    assert main(["report", str(tmp_path / "run")]) == 0
    found = capsys.readouterr()
    assert found.out.strip().endswith("report.html")
    assert "Art. 5(1)(f)" in found.err
    page = (tmp_path / "run" / "report.html").read_text()
    assert page.count("Art. 5(1)(f)") == 1
    assert "training data of the model under test" in page
