"""An experiment at a glance: the best cell, significant differences, and the answer in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.answer import rounded
from harness.compare.brief import brief
from harness.compare.overview import overview
from harness.core.cell_pattern import CellPattern
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.task import Task
from harness.run.folder import RunFolder
from harness.score.folder import score_run
from tests.report.runs import LABELS, emotion_task, make_run, right_by_share

SHARE = {("good", "emotion/plain"): 0.7, ("good", "emotion/cot"): 0.98, ("poor", "emotion/plain"): 0.4, ("poor", "emotion/cot"): 0.42}  # fmt: skip
"""Share right of each model and prompt."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    task = emotion_task(n=140)
    folder = make_run(tmp_path_factory.mktemp("o") / "run", tasks=[task], models=["good", "poor"], reply=right_by_share(SHARE))  # fmt: skip
    score_run(folder)
    return folder


def test_the_first_prompt_is_what_others_are_compared_with(run: RunFolder) -> None:
    found = overview(run)
    (board,) = found.boards
    assert found.against == {"prompt": "emotion/plain"}
    best, *rest = board.cells
    assert (best.row, best.column, best.rank, best.tied) == ("good", "emotion/cot", 1, True)
    assert [one.tied for one in rest] == [False, False, False]
    assert [(d.cell.row, d.mood) for d in board.differences] == [("good", "better"), ("poor", "unclear")]  # fmt: skip
    first = board.differences[0]
    assert first.value == pytest.approx(
        best.value - board.at("good", "emotion/plain").value, abs=1e-6
    )  # type: ignore[union-attr, operator]
    assert first.low is not None and 0 < first.low < first.value < first.high  # type: ignore[operator]
    assert (board.rows, board.columns) == (("good", "poor"), ("emotion/plain", "emotion/cot"))
    assert len(board.blanks) == 4 and all(one.rank is None for one in board.blanks)
    assert set(board.baselines) == {"majority", "prior"}
    words = " ".join(map(str, found.answer))
    assert words.startswith("cot beats plain for good by .")
    assert "; not shown for poor." in words and "1 of 2 differences" in words
    assert "Best: good · cot with UAR" in words
    assert "significantly different from every other" in words


def test_another_axis_may_be_compared(run: RunFolder) -> None:
    (board,) = overview(run, against=CellPattern(condition="blank")).boards
    assert {(d.cell.key[2], d.reference.key[2]) for d in board.differences} == {("none", "blank")}
    assert len(board.differences) == 4
    models = overview(run, against=CellPattern(model="poor"))
    assert str(models.answer[0]).startswith("good beats poor for cot by")
    with pytest.raises(HarnessError, match="no cell that has answers fits prompt=nowhere"):
        overview(run, against=CellPattern(prompt="nowhere"))
    with pytest.raises(HarnessError, match="was not scored by 'kappa'"):
        overview(run, metric="kappa")


def test_spread_over_paraphrases_and_shares_of_variance(run: RunFolder, tmp_path: Path) -> None:
    manifest = json.loads(run.manifest.read_text())
    manifest["prompts"]["emotion/cot"]["head"]["paraphrase_of"] = "emotion/plain"
    manifest["experiment"] = {"name": "T", "against": {"prompt": "emotion/c*"}}
    before = run.manifest.read_text()
    run.manifest.write_text(json.dumps(manifest))
    try:
        found = overview(run)
    finally:
        run.manifest.write_text(before)
    (board,) = found.boards
    good = next(one for one in board.spreads if one.row == "good")
    assert (good.prompt, good.prompts) == ("emotion/plain", 2)
    assert good.high - good.low == pytest.approx(abs(board.differences[-1].value), abs=1e-6)
    assert (found.name, found.against) == ("T", {"prompt": "emotion/c*"})
    assert board.factors is not None
    assert [row.factor for row in board.factors.rows] == ["model", "prompt", "rest"]


def test_ranks_over_tasks(tmp_path: Path) -> None:
    tasks = [emotion_task(n=56), emotion_task(n=70).model_copy(update={"name": "emotion/other"})]
    folder = make_run(
        tmp_path / "run", tasks=tasks, models=["good", "poor"], reply=right_by_share(SHARE)
    )
    score_run(folder)
    found = overview(folder)
    assert [one.name for one in found.ranks][:2] == ["good · emotion/cot", "good · emotion/plain"]
    assert sum(one.mean for one in found.ranks) == pytest.approx(1 + 2 + 3 + 4)
    assert all(one.low <= one.mean <= one.high for one in found.ranks)
    assert len(found.ranked_over) == 2


def test_one_cell_says_nothing_of_others(tmp_path: Path) -> None:
    task = emotion_task(n=28).model_copy(update={"prompts": ("emotion/plain",)})
    folder = make_run(tmp_path / "run", tasks=[task], conditions=("none",), models=["good"], reply=right_by_share(SHARE))  # fmt: skip
    score_run(folder)
    found = overview(folder)
    assert (found.against, found.ranks) == ({}, ())
    assert str(found.answer[0]).startswith("good · plain: UAR .")
    assert str(found.answer[0]).endswith("majority .143 and prior .143.")
    assert found.boards[0].cells[0].rank == 1


@given(st.floats(1, 1e9))
def test_samples_are_rounded_upwards_to_two_digits(samples: float) -> None:
    assert samples <= rounded(samples) <= samples * 1.1 + 1


def test_cells_over_other_samples_or_classes_have_no_rank(run: RunFolder, tmp_path: Path) -> None:
    few = Task.model_validate(
        emotion_task(n=20).model_dump()
        | {"fields": {"emotion": FieldSpec(kind="label", labels=(*LABELS, "contempt"))}}
    )
    made = [run]
    for name, drawn in (("few", few), ("other", emotion_task(n=40))):
        task = drawn.model_copy(update={"source": {**drawn.source, "seed": 9}})
        made.append(
            make_run(tmp_path / name, tasks=[task], models=["good"], reply=right_by_share(SHARE))
        )
    (board,) = overview(made).boards
    assert len(board.comparable) == 4 and {one.folder for one in board.comparable} == {
        str(run.path)
    }
    assert all((one.rank is None) == bool(one.apart) for one in board.cells)
    assert all((one.folder == str(run.path)) != bool(one.apart) for one in board.blanks)
    why = {Path(one.folder).name: one.apart for one in board.cells if one.apart}
    assert "8 classes, not the same 7" in why["few"] and "of the 140 samples" in why["other"]
    assert "source.n, source.seed" in why["other"]
    said = " ".join(map(str, overview(made).answer))
    assert "4 of 8 cells are not ranked" in said and "(n=40)" in said
    table = [block for block in brief(overview(made)) if "n" in block.header]
    assert {row[-1] for row in table[0].rows} == {"140", "20", "40"}
    (alone,) = overview([made[2], made[1]], keep=lambda cell: cell.prompt == "emotion/cot").boards
    assert alone.best is None and all(one.apart for one in alone.cells)
    assert not alone.baselines
