"""Landmarks and boxes from side tables, and from the sets that bring their own."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.source import source_notes
from harness.media.marks import marks_of
from harness.sources import open_source

FIELDS = {"emotion": FieldSpec(kind="label", labels=("anger", "happiness"))}
FIVE = "1 2 30 2 15 10 5 20 25 20"


def table(folder, rows=(("a.png", "anger"), ("b.png", "happiness"))) -> None:
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "emotion"), *rows])


def opened(folder, **options):
    base = {"family": "table", "file": "labels.csv", "label": "emotion"}
    return open_source({**base, **options}, fields=FIELDS, base=folder)


@pytest.mark.parametrize("name", ["marks.csv", "marks.jsonl", "marks.json"])
def test_a_side_table_says_where_faces_lie(tmp_path, name) -> None:
    table(tmp_path)
    rows = {"a.png": {"landmarks": [[1, 2], [30, 2], [15, 10], [5, 20], [25, 20]], "age": 3}}
    if name.endswith(".csv"):
        (tmp_path / name).write_text(f"image,landmarks,age\na.png,{FIVE},3\n,,\n")
    elif name.endswith(".jsonl"):
        (tmp_path / name).write_text(json.dumps({"image": "a.png", **rows["a.png"]}) + "\n")
    else:
        (tmp_path / name).write_text(json.dumps(rows))
    source = opened(tmp_path, marks=name)
    first, second = list(source)
    assert marks_of(first.medium, wanted_by="x").points[1] == (30, 2)
    assert "age" not in first.annotations  # marks are brought, and nothing else
    assert second.medium.notes == ()
    assert source.skipped() == ()
    assert source.digest() != opened(tmp_path).digest()


def test_it_is_said_of_how_many_samples_a_side_table_says_nothing(tmp_path) -> None:
    table(tmp_path, [(f"{name}.png", "anger") for name in "abcd"])
    rows = ["image,face_box,marks_of", "a.png,1 2 3 4,00ff", "b.png,,", "c.png,,00ff"]
    (tmp_path / "m.csv").write_text("\n".join(rows))
    source = opened(tmp_path, marks="m.csv")
    assert len(list(source)) == len(list(source)) == 4
    (told,) = source_notes(source)
    assert told.startswith("m.csv does not say where the face lies in 3 of 4 samples")
    (tmp_path / "m.csv").write_text(
        "image,face_box\n" + "".join(f"{n}.png,1 2 3 4\n" for n in "abcd")
    )
    source = opened(tmp_path, marks="m.csv")
    assert list(source) and source_notes(source) == ()
    drawn = {
        "family": "faces",
        "kind": "image",
        "n": 2,
        "size": 32,
        "labels": ["anger", "happiness"],
    }
    first, _ = open_source(drawn, fields=FIELDS, base=tmp_path)
    (tmp_path / "d.csv").write_text(f"sample,face_box\n{first.id},1 2 3 4\n")
    source = open_source({**drawn, "marks": "d.csv"}, fields=FIELDS, base=tmp_path)
    assert list(source) and source_notes(source) == (), "a drawing knows it"


def test_the_key_column_can_be_named(tmp_path) -> None:
    table(tmp_path)
    (tmp_path / "m.csv").write_text("picture,face_box\na.png,1 2 3 4\n")
    (first, _) = opened(tmp_path, marks={"file": "m.csv", "on": "picture"})
    assert marks_of(first.medium, wanted_by="x").box == (1, 2, 4, 6)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("picture,face_box\na.png,1 2 3 4\n", "no column 'sample'"),
        ("image,age\na.png,3\n", "no mark"),
        ("image,face_box\na.png,1 2 3 4\na.png,1 2 3 4\n", "appears twice"),
        ("image,face_box\nother.png,1 2 3 4\n", "called 'a.png'"),
    ],
)
def test_a_side_table_that_does_not_fit_is_told(tmp_path, text, said) -> None:
    table(tmp_path)
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(HarnessError, match=said):
        list(opened(tmp_path, marks="m.csv"))


@pytest.mark.parametrize("text", ["[1, 2]", "{", '{"a.png": 3}', "[" * 100_000])
def test_a_broken_json_side_table_is_told(tmp_path, text) -> None:
    table(tmp_path)
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(HarnessError, match="not a JSON object of samples"):
        opened(tmp_path, marks="m.json")


def test_a_missing_side_table_and_an_unknown_option_are_told(tmp_path) -> None:
    table(tmp_path)
    for name in ("m.csv", "m.json"):
        with pytest.raises(HarnessError, match="not found"):
            opened(tmp_path, marks=name)
    (tmp_path / "m.csv").write_text("image,face_box\na.png,1 2 3 4\n")
    with pytest.raises(HarnessError, match=r"source\.key"):
        opened(tmp_path, marks={"file": "m.csv", "key": "image"})


def test_a_set_keeps_what_it_states(tmp_path) -> None:
    """Labels and published counts pass through."""
    (tmp_path / "anger").mkdir()
    (tmp_path / "anger" / "a.png").write_bytes(b"x")
    (tmp_path / "m.csv").write_text("sample,face_box\nanger/a.png,1 2 3 4\n")
    options = {"family": "folder", "root": ".", "field": "emotion"}
    bare = open_source(options, fields=FIELDS, base=tmp_path)
    marked = open_source({**options, "marks": "m.csv"}, fields=FIELDS, base=tmp_path)
    assert [s.id for s in marked] == [s.id for s in bare]
    assert next(iter(marked)).medium.notes == (("face_box", "1 2 3 4"),)


def test_affectnet_brings_box_and_landmarks(tmp_path) -> None:
    lists = tmp_path / "Manually_Annotated_file_lists"
    lists.mkdir()
    points = ";".join(str(n / 2) for n in range(136))
    (lists / "validation.csv").write_text(
        "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal\n"
        f"1/a.jpg,10,20,30,40,{points},6,-0.5,0.5\n"
    )
    (sample,) = open_source({"family": "affectnet", "root": "."}, fields=FIELDS, base=tmp_path)
    found = marks_of(sample.medium, wanted_by="x")
    assert found.box == (10, 20, 40, 60)
    assert len(found.points) == 68


def test_affectnet_brings_landmarks_beside_its_pictures_too(tmp_path) -> None:
    folder = tmp_path / "val_set" / "annotations"
    folder.mkdir(parents=True)
    for part, value in (("exp", "6"), ("val", "0"), ("aro", "0"), ("lnd", np.arange(136) / 2)):
        np.save(folder / f"0_{part}.npy", np.array(value))
    (sample,) = open_source({"family": "affectnet", "root": "."}, fields=FIELDS, base=tmp_path)
    assert marks_of(sample.medium, wanted_by="x").points[1] == (1, 1.5)


@pytest.mark.parametrize(("pictures", "known"), [("original", True), ("aligned", False)])
def test_raf_db_brings_five_landmarks_of_the_original(tmp_path, pictures, known) -> None:
    (tmp_path / "EmoLabel").mkdir()
    (tmp_path / "EmoLabel" / "list_patition_label.txt").write_text("test_0001.jpg 6\n")
    (tmp_path / "Annotation" / "manual").mkdir(parents=True)
    five = "\n".join(" ".join(FIVE.split()[i : i + 2]) for i in range(0, 10, 2))
    (tmp_path / "Annotation" / "manual" / "test_0001_manu_attri.txt").write_text(
        f"{five}\n1\n2\n3\n"
    )
    options = {"family": "raf-db", "root": ".", "pictures": pictures}
    (sample,) = open_source(options, fields=FIELDS, base=tmp_path)
    assert ("landmarks" in sample.annotations) is known
    if known:
        assert marks_of(sample.medium, wanted_by="x").points[0] == (1, 2)
