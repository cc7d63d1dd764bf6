"""DFEW's votes and MAFW's labels and folds, read from workbooks in the sets' own layouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.sources import open_source
from harness.sources.check import check_source
from tests.sources import layouts

openpyxl = pytest.importorskip("openpyxl")

EMOTION_7 = {"emotion": FieldSpec(kind="label", labels="basic-7")}
EMOTION_11 = {"emotion": FieldSpec(kind="label", labels="mafw-11")}
MAFW_HEADER = (
    "clip", "invalid", "anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise",
    "contempt", "anxiety", "helplessness", "single_label",
)  # fmt: skip


def workbook(path: Path, *rows: tuple[object, ...]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    book.active.title = "Sheet1"
    for row in rows:
        book.active.append(row)
    book.save(path)


def dfew_votes(root: Path) -> None:
    workbook(
        root / "Annotation" / "annotation.xlsx",
        ("1happy", "2sad", "3neutral", "4angry", "5surprise", "6disgust", "7fear", "order", "label"),
        (8, 0, 2, 0, 0, 0, 0, 1, 1),
        (1, 7, 2, 0, 0, 0, None, 2, 2),
    )  # fmt: skip


def mafw(root: Path) -> None:
    rows = [("00001.mp4", 9), ("00002.mp4", 8), ("00003.mp4", 1), ("00004.mp4", 0)]
    workbook(
        root / "Labels" / "single-set.xlsx",
        MAFW_HEADER,
        *((name, 0, *(0,) * 10, label) for name, label in rows),
    )
    for fold, clips in enumerate((("00001.mp4 anxiety",), ("00002.mp4 contempt",), (), (), ()), 1):
        folder = root / "Train & Test Set" / "single" / "no_caption" / f"set_{fold}"
        layouts.text(folder / "test.txt", list(clips))
        layouts.text(folder / "train.txt", ["00003.mp4 anger"])


def test_the_votes_of_dfew_stand_in_the_workbook_that_the_set_ships(tmp_path: Path) -> None:
    layouts.dfew(tmp_path)
    (tmp_path / "Annotation" / "annotation.csv").unlink()
    dfew_votes(tmp_path)
    source = open_source({"family": "dfew", "root": str(tmp_path)}, fields=EMOTION_7, base=tmp_path)
    found = list(source)
    assert found[0].annotations == {
        "fold": "1", "votes.happiness": 8, "votes.sadness": 0, "votes.neutral": 2, "votes.anger": 0,
        "votes.surprise": 0, "votes.disgust": 0, "votes.fear": 0,
    }  # fmt: skip
    assert found[1].annotations["votes.fear"] == 0
    assert "votes.fear" not in found[2].annotations
    assert check_source(source, EMOTION_7).ceiling.accuracy == pytest.approx(0.75)


def test_dfew_without_votes(tmp_path: Path) -> None:
    layouts.dfew(tmp_path)
    without = {"family": "dfew", "root": str(tmp_path), "votes": None}
    first = next(iter(open_source(without, fields=EMOTION_7, base=tmp_path)))
    assert first.annotations == {"fold": "1"}
    with pytest.raises(HarnessError, match="none of these exists"):
        open_source({**without, "votes": "elsewhere.xlsx"}, fields=EMOTION_7, base=tmp_path)


def test_a_workbook_of_another_set_is_told_from_the_votes(tmp_path: Path) -> None:
    layouts.dfew(tmp_path)
    workbook(tmp_path / "Annotation" / "annotation.xlsx", ("clip", "label"), ("1", 1))
    source = open_source({"family": "dfew", "root": str(tmp_path)}, fields=EMOTION_7, base=tmp_path)
    with pytest.raises(HarnessError, match="no sheet has the columns order, 1happy"):
        list(source)


def test_mafw_labels_and_folds_as_the_set_ships_them(tmp_path: Path) -> None:
    mafw(tmp_path)
    source = open_source(
        {"family": "mafw", "root": str(tmp_path)}, fields=EMOTION_11, base=tmp_path
    )
    found = {s.id: (s.targets["emotion"], s.annotations.get("fold")) for s in source}
    assert found == {
        "00001": ("anxiety", "1"), "00002": ("contempt", "2"), "00003": ("anger", None),
    }  # fmt: skip
    assert [(s.reason, s.count) for s in source.skipped()] == [("not single-labelled (code 0)", 1)]
    assert "all, anger: 1, published 1,390" in check_source(source, EMOTION_11).differences()


def test_one_fold_of_mafw(tmp_path: Path) -> None:
    mafw(tmp_path)
    options = {"family": "mafw", "root": str(tmp_path), "fold": "2"}
    assert [s.id for s in open_source(options, fields=EMOTION_11, base=tmp_path)] == ["00002"]
    train = {**options, "split": "train"}
    assert [s.id for s in open_source(train, fields=EMOTION_11, base=tmp_path)] == ["00003"]
    with pytest.raises(HarnessError, match="overlap"):
        open_source({**train, "fold": "all"}, fields=EMOTION_11, base=tmp_path)


def test_a_clip_in_two_test_sets_is_an_error(tmp_path: Path) -> None:
    mafw(tmp_path)
    folder = tmp_path / "Train & Test Set" / "single" / "no_caption" / "set_3"
    layouts.text(folder / "test.txt", ["00001.mp4 anxiety"])
    source = open_source(
        {"family": "mafw", "root": str(tmp_path)}, fields=EMOTION_11, base=tmp_path
    )
    with pytest.raises(HarnessError, match="00001 is also in set_1"):
        list(source)


def test_a_label_column_of_another_name_is_asked_for(tmp_path: Path) -> None:
    workbook(tmp_path / "Labels" / "single-set.xlsx", ("clip", "emotion"), ("00001.mp4", 9))
    options = {"family": "mafw", "root": str(tmp_path)}
    with pytest.raises(HarnessError, match="no label in single_label or label"):
        list(open_source(options, fields=EMOTION_11, base=tmp_path))
    named = {**options, "label_column": "emotion"}
    (only,) = open_source(named, fields=EMOTION_11, base=tmp_path)
    assert only.targets == {"emotion": "anxiety"}
