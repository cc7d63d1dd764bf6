"""Ranked lists: read whatever way they are written, scored at k, and watched for collapse."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analyses.rows.answer_spread import entropy
from harness.answers.vocabulary import canonicaliser
from harness.imports.columns import PredictionMap
from harness.imports.rankings import are_ranked, ranking, split_ranking
from harness.score.folder import score_run
from harness.score.records import read_records

from .test_predictions import bring, outcomes, value, write_csv

RECORDED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "recorded"
recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason="recorded answers are not here")
LABELS = ("anger", "fear", "happiness", "sadness", "surprise")
TABLE = canonicaliser(LABELS, {})


@pytest.mark.parametrize(
    "cell",
    [
        '["anger", "fear", "sadness"]', "['anger', 'fear', 'sadness']", "anger,fear,sadness",
        "anger > fear > sadness", "anger; fear; sadness", "1. anger, 2. fear, 3. sadness",
        ["anger", "fear", "sadness"], " anger , fear , sadness ,",
    ],
)  # fmt: skip
def test_lists_are_read_however_they_are_written(cell: object) -> None:
    assert split_ranking(cell) == ("anger", "fear", "sadness")
    assert are_ranked([(cell, 1), (None, 3), ("", 2)], TABLE)
    assert not are_ranked([(cell, 1), ("anger", 2)], TABLE)


@pytest.mark.parametrize("cell", ["anger", "The brows, I think, say anger", "anger, or is it?", ""])
def test_prose_and_single_words_are_no_lists(cell: str) -> None:
    assert not are_ranked([(cell, 1)], TABLE)
    assert ranking("The brows are drawn together here, so I say anger", TABLE)[0].startswith("The")


@given(st.one_of(st.text(max_size=200), st.lists(st.text(max_size=9), max_size=6), st.none()))
def test_any_cell_is_split_without_an_error(cell: object) -> None:
    items = split_ranking(cell)
    assert all(isinstance(item, str) for item in items)
    ranking(cell, TABLE)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8))
def test_entropy_lies_between_none_and_the_most(counts: list[int]) -> None:
    assert -1e-9 <= entropy(counts) <= math.log2(len(counts)) + 1e-9


def test_one_answer_has_an_entropy_of_nought_without_a_sign() -> None:
    assert f"{entropy([7]):.2f}" == f"{entropy([]):.2f}" == "0.00"


def ranked(folder: Path, lists: list[str], truths: list[str]) -> Path:
    rows = [(f"s{i}", t, cell) for i, (t, cell) in enumerate(zip(truths, lists, strict=True))]
    return write_csv(folder / "r.csv", rows, ("name", "gt", "five"))


def test_top_k_counts_the_truth_among_the_first_k(tmp_path: Path) -> None:
    lists = ["anger,fear,sadness", "fear,anger,sadness", "fear,sadness,anger", "Boredom,anger,fear"]
    imported = bring(ranked(tmp_path, lists, ["anger"] * 3 + ["fear"]), PredictionMap(ranked=True))
    scores = score_run(imported.folder)
    assert value(scores, "accuracy").value == pytest.approx(1 / 4)
    assert value(scores, "topk_accuracy@2").value == pytest.approx(2 / 4)
    assert value(scores, "topk_accuracy@3").value == pytest.approx(1.0)
    assert not [r for r in scores.scores if r.metric == "topk_accuracy@4"]
    assert outcomes(imported)["s3"] == "off-list", "an item of a list is a label, known or not"
    texts = [r["text"] for r in read_records(imported.folder)]
    assert texts == ["anger", "fear", "fear", "Boredom"]
    body = json.loads(imported.folder.scores.read_bytes())
    assert body["tasks"][0]["answers"][0]["orderings"] == 4


def test_collapse_is_warned_of_and_a_skewed_truth_is_not(tmp_path: Path) -> None:
    truths = ["anger", "fear", "sadness"] * 10
    same = bring(ranked(tmp_path, ["anger,fear,sadness"] * 30, truths))
    (entry,) = score_run(same.folder).tasks[0]["answers"]
    assert "covers 30 of 30" in entry["collapsed"]
    right = tmp_path / "right"
    right.mkdir()
    skewed = ["anger"] * 28 + ["fear", "sadness"]
    imported = bring(
        write_csv(
            right / "r.csv", [(f"s{i}", t, t) for i, t in enumerate(skewed)], ("name", "gt", "x")
        )
    )
    (entry,) = score_run(imported.folder).tasks[0]["answers"]
    assert entry["collapsed"] == ""


@recorded
@pytest.mark.parametrize(
    ("name", "rows", "accuracy", "uar", "off_list"),
    [
        ("rafdb_gpt4v_rgb.csv", 3067, 0.758, 0.690, 1),
        ("rafdb_gpt4v_grey.csv", 3068, 0.743, 0.678, 0),
        ("casme2_gpt4v.csv", 239, 0.146, 0.209, 0),
    ],
)
def test_recorded_answers_give_the_published_figures(
    tmp_path: Path, name: str, rows: int, accuracy: float, uar: float, off_list: int
) -> None:
    path = tmp_path / name
    path.symlink_to(RECORDED / name)
    imported = bring(path)
    scores = score_run(imported.folder)
    assert value(scores, "accuracy").n == rows
    assert value(scores, "accuracy").value == pytest.approx(accuracy, abs=5e-4)
    assert value(scores, "uar").value == pytest.approx(uar, abs=5e-4)
    assert list(outcomes(imported).values()).count("off-list") == off_list
    at = [value(scores, f"topk_accuracy@{k}").value or 0 for k in (2, 3, 4, 5)]
    assert accuracy < at[0] <= at[1] <= at[2] <= at[3] <= 1
    entry = scores.tasks[0]["answers"][0]
    if name.startswith("casme2"):
        assert (entry["top_ordering_n"], entry["rankings"]) == (165, 239)
        assert "covers 165 of 239" in entry["collapsed"]
    else:
        assert entry["collapsed"] == ""
