"""Labels from data: codes, words for missing, twins, for any source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.source import Skipped, Source, source_notes
from harness.sources import open_source
from harness.sources.codes import code_tables

Open = Callable[..., Source]
LABEL = FieldSpec(kind="label")


def table(*labels: str) -> str:
    return "image,emotion\n" + "".join(f"{n}.png,{label}\n" for n, label in enumerate(labels))


def labels_of(source: Source) -> list[Any]:
    return [sample.targets.get("emotion") for sample in source]


def test_twins_are_joined_and_said(open_table: Open) -> None:
    source = open_table(table("ANGER", "Anger", "fear", "Fear ", "sad"))
    assert labels_of(source) == ["anger", "anger", "fear", "fear", "sad"]
    assert [note.partition(" counted")[0] for note in source_notes(source)] == [
        "emotion: 'ANGER' (1), 'Anger' (1)",
        "emotion: 'Fear' (1), 'fear' (1)",
    ]


@pytest.mark.parametrize("word", ["nan", "None", "N/A", "NULL", "-", "<NA>", " na "])
def test_words_for_missing_are_no_class(word: str, open_table: Open) -> None:
    source = open_table(table("fear", word, "sad", word))
    assert labels_of(source) == ["fear", "sad"]
    (left,) = source.skipped()
    assert left == Skipped(f"emotion is {word.strip()!r}, which means no value", 2)
    kept = open_table(table("fear", word), unlabelled="keep")
    assert labels_of(kept) == ["fear", None]


def test_none_stays_a_label_where_it_is_listed(open_table: Open) -> None:
    fields = {"emotion": FieldSpec(kind="label", labels=("fear", "none"))}
    assert labels_of(open_table(table("fear", "none"), fields=fields)) == ["fear", "none"]


def test_codes_are_refused_with_the_way_to_name_them(open_table: Open) -> None:
    with pytest.raises(HarnessError, match=r"labels are codes \(0, 2, 6\)") as caught:
        list(open_table(table("2", "0", "6.0", "2").replace("6.0", "6")))
    assert "source.labels={0: ..., 2: ..., 6: ...}" in caught.value.hint
    assert "fer2013 (0 anger, 2 fear, 6 neutral)" in caught.value.hint
    assert "raf-db" not in caught.value.hint  # its codes begin at 1


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ({0: "anger", 1: "fear"}, ["fear", "anger", "fear"]),
        ({"emotion": {"0": "anger", "1": "fear"}}, ["fear", "anger", "fear"]),
        ("affectnet", ["happiness", "neutral", "happiness"]),
        ({0: None, 1: "fear"}, ["fear", "fear"]),
    ],
)
def test_codes_are_named(written: object, labels: list[str], open_table: Open) -> None:
    source = open_table(table("1", "0", "01"), labels=written)
    assert labels_of(source) == labels
    assert source.digest() != open_table(table("1", "0", "01")).digest()


def test_an_explicit_list_takes_numbers(open_table: Open) -> None:
    fields = {"emotion": FieldSpec.model_validate({"kind": "label", "labels": [0, 1, 2]})}
    assert labels_of(open_table(table("1", "0"), fields=fields)) == ["1", "0"]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({0: "anger"}, r"labels are codes \(1\)"),
        ({"happy": "joy"}, "none of these names is a label of emotion"),
        ("fer", "unknown code table 'fer'"),
        ({"mood": {0: "x"}}, "no label field 'mood'"),
        (3, "expected a mapping of codes"),
    ],
)
def test_names_that_do_not_fit_are_told(written: object, message: str, open_table: Open) -> None:
    with pytest.raises(HarnessError, match=message):
        list(open_table(table("1", "0"), labels=written))


def test_folders_of_codes_are_named_too(tmp_path: Path) -> None:
    for name in "123":
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(b"x")
    options = {"family": "folder", "root": "."}
    with pytest.raises(HarnessError, match="codes"):
        list(open_source(options, fields={"emotion": LABEL}, base=tmp_path))
    named = open_source({**options, "labels": "raf-db"}, fields={"emotion": LABEL}, base=tmp_path)
    assert labels_of(named) == ["surprise", "fear", "disgust"]


@pytest.mark.parametrize(
    ("files", "refused"),
    [
        (("train/anger/a.png", "test/fear/b.png"), True),
        (("train/anger/a.png", "fear/b.png"), True),  # one is named like a split
        (("anger/s1/a.png", "fear/s2/b.png"), True),
        (("anger/s1/a.png", "fear/b.png"), False),
        (("test/a.png", "fear/b.png"), False),
    ],
)
def test_class_folders_of_folders(files: tuple[str, ...], refused: bool, tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    options = {"family": "folder", "root": "."}
    fields = {"emotion": LABEL}
    nested = open_source({**options, "nested": True}, fields=fields, base=tmp_path)
    assert len(labels_of(nested)) == 2
    if not refused:
        assert len(list(open_source(options, fields=fields, base=tmp_path))) == 2
        return
    with pytest.raises(HarnessError, match="hold only folders") as caught:
        list(open_source(options, fields=fields, base=tmp_path))
    assert "source.root=" in caught.value.hint


def test_sets_lose_words_for_missing_and_twins(open_table: Open) -> None:
    fields = {"units": FieldSpec(kind="set")}
    text = "image,units\na,AU1;au1;AU2\nb,nan\nc,none\nd,4+6\n"
    source = open_table(text, fields=fields)
    assert [sample.targets["units"] for sample in source] == [
        ("AU2", "au1"),
        (),
        (),
        ("4", "6"),
    ]


def test_the_known_tables_hold_emotions() -> None:
    for name, codes in code_tables().items():
        assert len(set(codes.values())) == len(codes), name
        assert Counter(map(str.isdigit, codes)) == {True: len(codes)}
