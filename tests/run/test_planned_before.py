"""What was planned is taken over only where the same would be planned again."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.run import planned_task
from harness.run.folder import RunFolder
from harness.run.planned_before import read_planned
from harness.run.sample_file import read_samples, write_rows
from tests.run.keeping import Desk, RuleModel, make_desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return make_desk(tmp_path)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks whose sources were read to plan them."""
    names: list[str] = []
    write = planned_task.write_samples

    def noting(samples: Any, task: Any, *rest: Any, **options: Any) -> Any:
        names.append(task.name)
        return write(samples, task, *rest, **options)

    monkeypatch.setattr(planned_task, "write_samples", noting)
    return names


def planned(folder: RunFolder) -> list[bytes]:
    """The samples, the trials and the scores."""
    samples = sorted((folder.private / "samples").iterdir())
    return [path.read_bytes() for path in (*samples, folder.plan, folder.scores)]


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_same_command_reads_no_table_to_plan(desk: Desk, passes: list[str]) -> None:
    first = desk.run(RuleModel())
    before, record = planned(desk.folder), desk.folder.planned.read_bytes()
    passes.clear()
    model = RuleModel()
    again = desk.run(model)
    assert (passes, model.asked) == ([], [])
    assert planned(desk.folder) == before
    assert desk.folder.planned.read_bytes() == record
    assert again.tally.trials == first.tally.trials
    assert not list(desk.folder.path.glob(".*.unfinished-*"))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def moved_over(desk: Desk) -> None:
    """A folder of pictures comes where others of the same names were found in `images` until now."""
    for path in sorted((desk.root / "images").iterdir()):
        shutil.copyfile(path, desk.root / path.name)


CHANGES: dict[str, Callable[[Desk], object]] = {
    "a label": lambda desk: replaced(desk.root / "labels.csv", ",anger", ",happiness"),
    "a row gone": lambda desk: cut_row(desk.root / "labels.csv"),
    "the task": lambda desk: replaced(desk.root / "task.yaml", "prompts:", "cluster: image\nprompts:"),
    "a picture gone": lambda desk: (desk.root / "p3.png").unlink(),
    "samples": lambda desk: altered(desk.folder.samples("task")),
    "record cut": lambda desk: cut(desk.folder.planned),
    "record gone": lambda desk: desk.folder.planned.unlink(),
}  # fmt: skip


def altered(path: Path) -> None:
    write_rows(path, [replace(row, cluster="other") for row in read_samples(path)])


def cut_row(table: Path) -> None:
    table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_planned_as_without_the_record(
    desk: Desk, passes: list[str], change: str
) -> None:
    desk.run(RuleModel())
    CHANGES[change](desk)
    aside = desk.root / "aside"
    shutil.copytree(desk.folder.path, aside)
    passes.clear()
    desk.run(RuleModel())
    assert passes, "the source is read"
    now = planned(desk.folder)
    shutil.rmtree(desk.folder.path)
    shutil.move(aside, desk.folder.path)
    desk.folder.planned.unlink(missing_ok=True)
    desk.run(RuleModel())
    assert planned(desk.folder) == now


def test_a_damaged_plan_and_another_command_are_planned_anew(desk: Desk, passes: list[str]) -> None:
    desk.run(RuleModel())
    plan = desk.folder.plan.read_bytes()
    cut(desk.folder.plan)
    passes.clear()
    desk.run(RuleModel())
    assert (desk.folder.plan.read_bytes(), passes) == (plan, [])
    desk.write_prompt("other")
    desk.run(RuleModel(), "plain", "other")
    assert desk.folder.plan.read_bytes() != plan
    assert desk.run(RuleModel(), "plain", "other", limit=5).tally.trials == 10
    assert passes, "a limit chooses anew"


def test_a_samples_file_that_cannot_be_read_is_written_anew(desk: Desk) -> None:
    desk.run(RuleModel())
    before, path = planned(desk.folder), desk.folder.samples("task")
    for data in (b"", path.read_bytes()[:-9], b"nonsense"):
        path.write_bytes(data)
        model = RuleModel()
        desk.run(model)
        assert (planned(desk.folder), model.asked) == (before, [])
        assert any(
            "cannot be read" in note and "from the source again" in note for note in desk.notes
        )
    desk.run(RuleModel())
    assert not any("cannot be read" in note for note in desk.notes)


def test_pictures_that_come_before_others_are_noticed(desk: Desk, passes: list[str]) -> None:
    (desk.root / "images").mkdir()
    for path in sorted(desk.root.glob("p*.png")):
        path.rename(desk.root / "images" / path.name)
    desk.run(RuleModel())
    passes.clear()
    desk.run(RuleModel())
    assert not passes
    moved_over(desk)
    desk.run(RuleModel())
    assert passes


def test_a_record_with_any_byte_changed_or_cut_off_says_nothing(desk: Desk) -> None:
    desk.run(RuleModel())
    whole, drawn = desk.folder.planned.read_bytes(), random.Random(7)
    held = read_planned(desk.folder)
    assert held.trials is not None
    for place in drawn.sample(range(len(whole)), 60):
        other = bytearray(whole)
        other[place] ^= 1 << drawn.randrange(7)
        desk.folder.planned.write_bytes(drawn.choice([other, whole[:place]]))
        found = read_planned(desk.folder)
        assert not found.samples or found == held
