"""Answers of trained models: no subject is scored by a model that saw it, and chosen checkpoints are told."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.report.page import write_report
from harness.run.folder import RunFolder
from harness.run.manifest import read_manifest

HEAD = ("name", "gt", "answer", "person", "fold", "saw", "epoch")
ROWS = (
    ("a", "anger", "anger", "s1", "1", "s2; s3", "7"),
    ("b", "fear", "fear", "s1", "1", "s2; s3", "7"),
    ("c", "fear", "anger", "s2", "2", "s1; s3; elsewhere", "9"),
    ("d", "anger", "anger", "s3", "3", "s1; s2", "7"),
)
TASK = """\
source: {family: table, file: nowhere.csv}
fields:
  emotion: {kind: label, labels: [anger, fear], metrics: [uar, accuracy]}
prompts: [emotion/plain]
"""


def changed(place: tuple[int, str], value: str) -> list[tuple[str, ...]]:
    rows = [list(row) for row in ROWS]
    rows[place[0]][HEAD.index(place[1])] = value
    return [tuple(row) for row in rows]


def score(
    folder: Path, rows: Sequence[Sequence[str]], *more: str, head: Sequence[str] = HEAD
) -> int:
    with (folder / "p.csv").open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    (folder / "task.yaml").write_text(TASK)
    (folder / "map.yaml").write_text(
        "{truth: gt, answer: answer, cluster: person, fold: fold, training: saw, epoch: epoch, "
        "checkpoint: test-subject}\n"
    )
    command = ["score", "--predictions", str(folder / "p.csv"), "--task", str(folder / "task.yaml")]
    columns = more or ("--map", str(folder / "map.yaml"))
    return main([*command, "--out", str(folder / "run"), *columns])


def test_training_and_checkpoints_are_recorded_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(tmp_path, ROWS) == 0
    run = RunFolder(tmp_path / "run")
    details = read_manifest(run)["models"]["predictions:p.csv"]["details"]
    assert details["training"].startswith(
        "2 subjects of the task in each fold, and up to 1 of other"
    )
    assert details["epochs"] == "7 to 9 over 3 folds"
    assert details["folds"].startswith("3 folds of one subject each")
    said = " ".join(capsys.readouterr().out.split())
    assert "checkpoint of each fold was chosen on the subject that it is tested on" in said
    write_report(run)
    assert "chosen on the subject that it is tested on" in run.report.read_text()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            changed((2, "saw"), "s1; s2"),
            "row 3 (line 4): the subject 's2' is tested and among the subjects",
        ),
        (changed((2, "saw"), '["S1", "S02"]'), "row 3 (line 4): the subject 's2' is tested"),
        (changed((1, "saw"), "s2"), "row 2 (line 3): fold '1' has other training subjects here"),
        (changed((3, "saw"), ""), "row 4 (line 5): no training subjects"),
        (
            changed((0, "saw"), "x1; x2"),
            "row 1 (line 2): none of its 2 training subjects is a subject",
        ),
        (changed((1, "epoch"), "8"), "row 2 (line 3): fold '1' has epoch 8 here and 7"),
        (changed((1, "epoch"), "best"), "row 2 (line 3): the epoch is 'best'"),
    ],
)
def test_what_is_wrong_is_named_by_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: list[tuple[str, ...]], message: str
) -> None:
    assert score(tmp_path, rows) == 2
    assert message in capsys.readouterr().err


def test_a_table_beside_the_answers_holds_the_training_subjects(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = "truth: gt, answer: answer, cluster: person, fold: fold, annotations: [], training: trained.csv"
    (tmp_path / "beside.yaml").write_text(f"{{{names}}}\n")
    lists = [("1", "s2"), ("1", "s3"), ("2", "s1"), ("3", "s1")]
    for rows, status in ((lists, 0), ([*lists, ("3", "s3")], 2), (lists[:3], 2)):
        with (tmp_path / "trained.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("fold", "subject"), *rows])
        assert score(tmp_path, ROWS, "--map", str(tmp_path / "beside.yaml")) == status
    said = capsys.readouterr().err
    assert "it is not known by what the checkpoint" in said
    assert "row 4 (line 5): the subject 's3' is tested" in said
    assert "row 4 (line 5): the table of training subjects has no fold '3'" in said


def test_probabilities_are_read_as_distributions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = ("name", "gt", "p_anger", "p_fear")
    rows = [("a", "anger", ".8", ".2"), ("b", "fear", "0.4", "0.6"), ("c", "fear", "", "")]
    columns = ("--truth", "gt", "--probabilities", "p_", "--json")
    assert score(tmp_path, rows, *columns, head=head) == 0
    scores = json.loads(capsys.readouterr().out)["scores"]
    found = {r["metric"]: r["value"] for r in scores if r["model"] == "predictions:p.csv"}
    assert found["accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["brier"] == pytest.approx((2 * 0.2**2 + 2 * 0.4**2) / 2, abs=1e-6)
    for wrong, message in (
        ([("a", "anger", ".8", ".3")], "row 1 (line 2): the probabilities add up to 1.1"),
        ([("a", "anger", "1.8", "-.8")], "column 'p_anger': '1.8' is no probability"),
    ):
        assert score(tmp_path, wrong, *columns, head=head) == 2
        assert message in capsys.readouterr().err
    assert score(tmp_path, rows, *columns, head=("name", "gt", "p_anger", "p_joy")) == 2
    assert "no label 'joy'" in capsys.readouterr().err
