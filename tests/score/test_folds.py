"""Folds of a trained model's results: pooled, and each subject in one fold only."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.score.folds import fold_note

LOSO = [("a", "s1", "1"), ("b", "s1", "1"), ("c", "s2", "2"), ("d", "s3", "3")]


def test_leave_one_subject_out_is_told() -> None:
    assert fold_note(LOSO, unit="subject").startswith("3 folds of one subject each: leave-one-")


def test_folds_of_several_subjects_are_told() -> None:
    tested = [("a", "s1", "1"), ("c", "s2", "1"), ("d", "s3", "2")]
    assert fold_note(tested, unit="subject").startswith("2 folds of 1 to 2 subjects")


@pytest.mark.parametrize(
    ("tested", "unit", "message"),
    [
        ([*LOSO, ("e", "s1", "2")], "subject", "1 subjects are tested in several folds: 's1'"),
        ([("a", "s1", "")], "subject", "sample 'a' has no fold"),
        (LOSO, "image", "no subjects are known"),
    ],
)
def test_what_is_wrong_with_folds_is_told(
    tested: list[tuple[str, str, str]], unit: str, message: str
) -> None:
    with pytest.raises(HarnessError, match=message):
        fold_note(tested, unit=unit)


def score(folder: Path, rows: Sequence[tuple[str, ...]]) -> int:
    path = folder / "p.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("name", "gt", "answer", "person", "split"), *rows])
    (folder / "map.yaml").write_text("{truth: gt, answer: answer, cluster: person, fold: split}\n")
    out = folder / "run"
    arguments = ["--predictions", str(path), "--task", "table/emotion", "--out", str(out)]
    return main(["score", *arguments, "--map", str(folder / "map.yaml")])


def test_a_table_with_folds_is_pooled_and_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        ("a", "anger", "anger", "s1", "1"),
        ("b", "fear", "anger", "s1", "1"),
        ("c", "fear", "fear", "s2", "2"),
    ]
    assert score(tmp_path, rows) == 0
    assert "2 folds of one subject each" in capsys.readouterr().err
    assert score(tmp_path, [*rows, ("d", "fear", "fear", "s1", "2")]) == 1
    assert "'s1'" in capsys.readouterr().err
