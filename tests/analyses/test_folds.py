"""Folds of a trained model's results: pooled, and each subject in one fold only."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.analyses.rows.folds import fold_note
from harness.cli.main import main
from harness.core.errors import HarnessError

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
        (LOSO, "image", "subjects are not known"),
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
    assert score(tmp_path, [*rows, ("d", "fear", "fear", "s1", "2")]) == 2
    assert "'s1'" in capsys.readouterr().err


FOLDED = """\
source: {family: table, file: nowhere.csv}
fields:
  emotion: {kind: label, labels: [anger, fear], metrics: [uar, war]}
prompts: [emotion/plain]
folds: part
"""


def folded(
    folder: Path, rows: Sequence[tuple[str, str, str, str]], capsys: pytest.CaptureFixture[str]
) -> list[dict[str, Any]]:
    """The entries of `folds` of the model's own answers; rows are sample, truth, answer, fold."""
    with (folder / "p.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("name", "gt", "answer", "part"), *rows])
    (folder / "map.yaml").write_text("{truth: gt, answer: answer, annotations: [part]}\n")
    (folder / "task.yaml").write_text(FOLDED)
    command = ["score", "--predictions", str(folder / "p.csv"), "--task", str(folder / "task.yaml")]
    command += ["--map", str(folder / "map.yaml"), "--out", str(folder / "run"), "--json"]
    assert main(command) == 0
    body = json.loads(capsys.readouterr().out)
    return [e for e in body["folds"] if e["model"] == "predictions:p.csv"]


def test_mean_and_deviation_over_folds_stand_beside_the_pooled_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hits = {"1": (3, 4), "2": (2, 1), "3": (4, 3)}  # of four angry and four fearful clips each
    rows = [
        (f"{fold}-{label}-{i}", label, label if i < hit else ("fear", "anger")[label == "fear"], fold)
        for fold, pair in hits.items()
        for label, hit in zip(("anger", "fear"), pair, strict=True)
        for i in range(4)
    ]  # fmt: skip
    uar, war = folded(tmp_path, rows, capsys)
    own = [(a / 4 + f / 4) / 2 for a, f in hits.values()]
    assert [fold["value"] for fold in uar["folds"]] == pytest.approx(own)
    assert uar["mean"] == pytest.approx(np.mean(own), abs=1e-6)
    assert uar["deviation"] == pytest.approx(np.std(own, ddof=1), abs=1e-6)
    assert uar["pooled"] == pytest.approx(17 / 24, abs=1e-6)
    assert war["metric"] == "war"
    assert main(["score", str(tmp_path / "run")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "mean ± deviation of 3 folds: UAR .708 ± .289 (pooled .708)" in said
    assert main(["report", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert "<h5><bdi>By part</bdi></h5>" in page
    assert ".708 ± .289" in page


def test_folds_that_lack_a_class_have_no_mean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("a", "anger", "anger", "1"), ("b", "fear", "fear", "1"), ("c", "fear", "anger", "2")]
    uar = folded(tmp_path, [*rows, ("d", "fear", "fear", "")], capsys)[0]
    assert uar["mean"] is None
    assert uar["note"] == "no mean over folds: 1 of 2 folds without a sample of some class (2)"
    assert uar["unknown"] == 1
    assert uar["pooled"] == pytest.approx((1 + 2 / 3) / 2, abs=1e-6)


def test_the_folds_of_a_trained_models_answers_have_their_mean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        (f"{fold}{label}{i}", label, label if i else "fear", f"s{fold}{i}", fold)
        for fold in "12"
        for label in ("anger", "fear")
        for i in range(2)
    ]
    assert score(tmp_path, rows) == 0
    assert "mean ± deviation of 2 folds" in " ".join(capsys.readouterr().out.split())


def test_folds_by_subject_give_the_mean_of_accuracy_without_naming_anyone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "task.yaml").write_text(FOLDED.replace("folds: part", "folds: subject"))
    rows = [
        ("a", "anger", "anger", "jo"),
        ("b", "fear", "anger", "jo"),
        ("c", "fear", "fear", "kim"),
    ]
    with (tmp_path / "p.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("name", "gt", "answer", "who"), *rows])
    (tmp_path / "map.yaml").write_text("{truth: gt, answer: answer, cluster: who}\n")
    command = [
        "score",
        "--predictions",
        str(tmp_path / "p.csv"),
        "--task",
        str(tmp_path / "task.yaml"),
    ]
    out = ["--out", str(tmp_path / "run")]
    assert main([*command, "--map", str(tmp_path / "map.yaml"), *out, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    uar, war = (e for e in told["folds"] if e["model"] == "predictions:p.csv")
    assert uar["mean"] is None
    assert "1 of 2 folds without a sample of some class" in uar["note"]
    assert (war["mean"], war["pooled"]) == (pytest.approx(0.75), pytest.approx(2 / 3, abs=1e-6))
    assert war["deviation"] == pytest.approx(np.std([0.5, 1.0], ddof=1), abs=1e-6)
    assert [fold["name"] for fold in war["folds"]] == ["1", "2"]
    assert "kim" not in json.dumps(told["folds"])
    assert main(["report", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert "A fold is one subject (2 folds of 1 to 2 samples)" in page


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ("subject", "folds: subject leaves one subject out, and the source names no subjects"),
        ("part", "no sample has the annotation 'part', which folds: names"),
        ("' '", "is not the name of an annotation"),
    ],
)
def test_folds_that_cannot_be_had_are_refused_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folds: str, message: str
) -> None:
    from PIL import Image

    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "set.csv").write_text("image,label\na.png,anger\n")
    source = f"{{family: table, file: {tmp_path / 'set.csv'}, image: image, targets: {{emotion: label}}}}"
    (tmp_path / "task.yaml").write_text(
        FOLDED.replace("{family: table, file: nowhere.csv}", source).replace("part", folds)
    )
    assert main(["run", str(tmp_path / "task.yaml"), "--out", str(tmp_path / "run")]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
