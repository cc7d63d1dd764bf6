"""Samples of two pictures on the pages: both are shown, and a number is told in words."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.field import FieldSpec
from harness.core.kind import kind_of
from harness.core.task import Task
from harness.report.grid import read_grids
from harness.report.inputs import RunView, read_run
from harness.report.pictures import collect
from harness.report.side_by_side import side_by_side
from harness.view.opened import OpenedRun
from harness.view.pictures import DrawnPictures
from harness.view.records import Wanted

from .runs import make_run

FIELD = FieldSpec(kind="pairs", low=0, high=100)
TOLD = {"different persons (0)", "same person (100)"}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> RunView:
    """A run in which every pair is given 37.5."""
    task = Task(
        name="pairs/drawn",
        source={"family": "faces", "kind": "pairs", "n": 8, "seed": 3, "size": 64},
        fields={"same": FIELD},
        prompts=("pairs/plain",),
    )

    def reply(cell: Any, sample: Any, number: int) -> str:
        return "37.5"

    return read_run(make_run(tmp_path_factory.mktemp("pairs") / "run", tasks=[task], reply=reply, conditions=("none",)))  # fmt: skip


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "different persons"), (49.9, "different persons"), (50, "same person"), (100, "same person")],
)  # fmt: skip
def test_the_side_of_the_middle_is_told_in_words(value: float, words: str) -> None:
    assert kind_of(FIELD).in_words(FIELD, value) == words


def test_other_kinds_say_nothing_beside_their_values() -> None:
    scale = FieldSpec(kind="number", low=0, high=100)
    assert kind_of(scale).in_words(scale, 50.0) == ""


def test_both_pictures_of_a_pair_are_shown_and_named(pairs: RunView) -> None:
    samples = [one.sample for one in read_grids(pairs).grids[0].samples]
    album = collect(pairs, [("pairs/drawn", "none", sample) for sample in samples])
    assert len(samples) == len(album.shown) == 8
    for shown in album.shown.values():
        (first, one), (second, other) = shown
        assert (first, second) == ("first", "second") and one != other


def test_truth_and_answer_stand_in_words_beside_the_number(pairs: RunView) -> None:
    rows = read_grids(pairs).grids[0].samples
    assert {one.truths[0] for one in rows} == TOLD
    answers = {trial[4][0][1] for one in rows for (trial,) in one.trials.values()}
    assert answers == {"different persons (37.5)"}
    (table,) = side_by_side(pairs.folder, pairs.manifest, most=2)
    head, answer = table.rows[:2]
    assert str(head.cells[0]).partition(": same is ")[2] in TOLD
    assert answer.cells[1] == "different persons (37.5)"


def test_the_view_in_a_browser_shows_the_same(pairs: RunView) -> None:
    wanted = Wanted(task="pairs/drawn", field="same")
    page = OpenedRun(pairs.folder).samples(wanted, DrawnPictures(), own_pictures=False)
    assert set(page["labels_told"]) == {one["target"] for one in page["samples"]} == TOLD
    for one in page["samples"]:
        assert [caption for caption, _ in one["pictures"]] == ["first", "second"]
        assert one["answers"][0]["value"] == "different persons (37.5)"
