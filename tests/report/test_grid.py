"""The samples side by side, as the page embeds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.field import FieldSpec
from harness.faces import CUE_VALUES
from harness.report import grid
from harness.report.grid import (
    Grids,
    cut,
    embedded_json,
    grid_json,
    is_right,
    read_grids,
    without_folders,
)
from harness.report.inputs import RunView, read_run
from harness.run.folder import RunFolder

from .runs import emotion_task, make_run


@pytest.fixture(scope="module")
def grids(view: RunView) -> Grids:
    return read_grids(view)


def trials(grids: Grids, task: int = 0) -> int:
    return sum(len(some) for one in grids.grids[task].samples for some in one.trials.values())


def test_everything_is_shown_where_it_fits(grids: Grids) -> None:
    drawn, table = grids.grids
    assert (len(drawn.samples), drawn.total, len(drawn.cells)) == (28, 28, 4)
    assert trials(grids) == 4 * 28 and trials(grids, 1) == len(table.samples) == 40
    assert [cell.blank for cell in drawn.cells] == [False, True, False, True]
    assert drawn.groups == ("glasses",) and {one.groups for one in drawn.samples} == {("yes",), ("no",)}  # fmt: skip
    assert (grids.shown, grids.total) == (68, 68)


def test_a_row_holds_reply_prompt_answer_rule_and_truth(grids: Grids) -> None:
    drawn = grids.grids[0]
    cot = next(cell for cell in drawn.cells if cell.key[1:] == ("emotion/cot", "none"))
    found = [
        (one, *some[0]) for one in drawn.samples if (some := one.trials.get(cell_id(cot))) is not None
    ]  # fmt: skip
    right = next(row for row in found if row[5][0][3])
    one, text, reasoning, failure, conversation, answers = right
    outcome, value, rule, _ = answers[0]
    assert text == f"Looking closely.\nFinal answer: {one.truths[0]}" and not reasoning + failure
    assert (outcome, value) == ("answered", one.truths[0]) and rule
    assert list(grids.conversations[conversation]) == [["user", "[image 1] Which expression? One word."]]  # fmt: skip
    assert "timeout: no answer within 60 s" in {row[3] for row in found}


def cell_id(cell: grid.GridCell) -> str:
    return cell.id


def test_of_many_samples_those_on_which_cells_disagree_most_are_shown(tmp_path: Path) -> None:
    def reply(cell: Any, sample: Any, number: int) -> str:
        return "anger" if number % 7 or cell.prompt == "emotion/plain" else "Final answer: fear"

    folder = make_run(tmp_path / "run", tasks=[emotion_task(n=28)], reply=reply, conditions=("none",))  # fmt: skip
    view = read_run(folder)
    few = read_grids(view, most=8)
    assert (few.shown, few.total) == (4, 28)
    assert {one.sample for one in few.grids[0].samples} == {f"test-3-{n:07}" for n in range(0, 28, 7)}  # fmt: skip
    assert grid_json(few) == grid_json(read_grids(view, most=8))


def test_data_are_read_back(grids: Grids) -> None:
    data = json.loads(json.dumps(grid_json(grids)))
    task = data["tasks"][0]
    for row, one in zip(task["samples"], grids.grids[0].samples, strict=True):
        sample, _, truths, groups, cells = row
        assert data["strings"][sample] == one.sample
        assert data["strings"][truths[0]] == one.truths[0]
        assert data["strings"][groups[0]] == one.groups[0]
        for cell, found in zip(grids.grids[0].cells, cells, strict=True):
            ((text, *_), (outcome, value, _, right)) = found[0][:4], found[0][4:8]
            said = one.trials[cell.id][0]
            assert ("" if text < 0 else data["strings"][text]) == said[0]
            assert data["outcomes"][outcome] == said[4][0][0]
            assert (value < 0) == (said[4][0][1] is None)
            assert right == {True: 1, False: 0, None: -1}[said[4][0][3]]


def test_an_earlier_version_of_a_prompt_is_no_column(run_folder: RunFolder, view: RunView) -> None:
    ids = {(cell.key[1], cell.key[2]) for cell in read_grids(view).grids[0].cells}
    assert not [name for name, _ in ids if "@" in name]


@pytest.mark.parametrize(
    ("kind", "value", "target", "right"),
    [
        ("label", "anger", "anger", True), ("label", "fear", "anger", False),
        ("label", None, "anger", None), ("label", "anger", None, None),
        ("yes-no", True, "yes", True), ("yes-no", "no", False, True), ("yes-no", "yes", False, False),
        ("set", ["b", "a"], ["a", "b"], True), ("set", [], [], True), ("set", ["a"], [], False),
        ("number", 0.5, 0.5, None), ("text", "A  Café", "a cafe\u0301", True), ("text", "a", "b", False),
    ],
)  # fmt: skip
def test_right_and_wrong(kind: str, value: Any, target: Any, right: bool | None) -> None:
    assert is_right(kind, value, target) is right


def test_numbers_are_neither_right_nor_wrong(grids: Grids) -> None:
    rows = [t[4] for one in grids.grids[1].samples if one.part == "valence" for some in one.trials.values() for t in some]  # fmt: skip
    assert {answer[3] for row in rows for answer in row if answer is not None} == {None}


def test_long_text_is_cut_and_says_by_how_much(monkeypatch: pytest.MonkeyPatch, grids: Grids) -> None:  # fmt: skip
    assert cut("x" * 6000, 6000) == "x" * 6000
    assert cut("x" * 7234, 6000).endswith("… (1,234 more characters in the run folder)")
    assert grids.length == 6000


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.text(st.characters())))
def test_embedded_json_reads_back_and_cannot_leave_its_element(value: dict[str, str]) -> None:
    text = embedded_json({"k": value, "</script>": "<!--"})
    assert not set("<>&") & set(text)
    text.encode("utf-8")
    assert json.loads(text)["</script>"] == "<!--"


def test_fields_stand_in_the_tasks_order(tmp_path: Path) -> None:
    task = emotion_task(n=7)
    spec = task.fields["emotion"]
    mouth = FieldSpec(kind="label", labels=CUE_VALUES["mouth"])
    both = task.model_copy(
        update={"fields": {"mouth": mouth, "emotion": spec}, "prompts": ("emotion/both",)}
    )
    folder = make_run(
        tmp_path / "run", tasks=[both], conditions=("none",), reply=lambda c, s, n: "anger"
    )
    assert read_grids(read_run(folder)).grids[0].fields == ("mouth", "emotion")


@pytest.mark.parametrize(
    ("failure", "shown"),
    [
        ("media: missing: picture not found: /home/Jane Doe/faces/a b.png (relative paths...)",
         "media: missing: picture not found: .../a b.png (relative paths...)"),
        ("media: missing: no frames found for /data/s1/clip (check it)", "media: missing: no frames found for .../clip (check it)"),
        ("timeout: http://127.0.0.1:8000/v1 gave no reply", "timeout: http://127.0.0.1:8000/v1 gave no reply"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_failure_names_no_folder(failure: str, shown: str) -> None:
    assert without_folders(failure) == shown
