"""The table family: columns, ids, labels, encodings, and every way a table can be wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from harness.core.errors import HarnessError, MediaError
from harness.core.field import FieldSpec
from harness.core.picture import FilePicture, HeldPicture
from harness.core.sample import Sample
from harness.core.source import Skipped, Source
from harness.sources import open_source

Open = Callable[..., Source]
Read = Callable[..., list[Sample]]

LABEL = FieldSpec(kind="label")
PLAIN = "image,emotion,age\na.png,happy,31\nb.png,sad,\n"


def test_a_plain_table(samples_of: Read, tmp_path: Path) -> None:
    first, second = samples_of(PLAIN)
    assert first.id == "a.png"
    assert first.medium.frames == (FilePicture(tmp_path / "a.png"),)
    assert first.targets == {"emotion": "happy"}
    assert first.annotations == {"age": "31"}
    assert second.annotations == {"age": None}
    assert (first.cluster, first.question, first.asks) == (None, None, ())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "﻿" + PLAIN),
        ("t.csv", PLAIN.replace("\n", "\r\n")),
        ("t.tsv", PLAIN.replace(",", "\t")),
        ("t.csv", "image,emotion,age\n\na.png, happy ,31\n\nb.png,sad,\n"),
        ("t.csv", ",image,emotion,age\n0,a.png,happy,31\n1,b.png,sad,\n"),
        (
            "t.jsonl",
            '\ufeff{"image": "a.png", "emotion": "happy", "age": "31"}\n\n'
            '{"image": "b.png", "emotion": "sad", "age": null}\n',
        ),
    ],
    ids=["bom", "crlf", "tsv", "blank lines", "index column", "jsonl"],
)
def test_every_spelling_gives_the_same_samples(name: str, text: str, samples_of: Read) -> None:
    assert samples_of(text, name=name) == samples_of(PLAIN)


def test_parquet_with_bytes_lists_and_types(tmp_path: Path, png: bytes) -> None:
    rows = [
        {"image": {"bytes": png, "path": "x/a.png"}, "units": ["AU12", "AU6"], "v": 0.5, "n": 3},
        {"image": {"bytes": None, "path": "b.png"}, "units": [], "v": None, "n": 4},
        {"image": {"bytes": b"", "path": None}, "units": None, "v": 1.0, "n": None},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    fields = {"units": FieldSpec(kind="set"), "v": FieldSpec(kind="number")}
    source = open_source({"family": "table", "file": "t.parquet"}, fields=fields, base=tmp_path)
    one, two, three = source
    assert isinstance(one.medium.frames[0], HeldPicture)
    assert one.medium.frames[0].read() == png
    assert one.targets == {"units": ("AU12", "AU6"), "v": 0.5}
    assert (one.id, one.annotations) == ("x/a.png", {"n": 3})
    assert two.targets == {"units": ()}
    assert two.medium.frames == (FilePicture(tmp_path / "b.png"),)
    assert three.id == "3"
    with pytest.raises(MediaError) as caught:
        three.medium.frames[0].read()
    assert caught.value.kind == "empty"


def test_a_missing_picture_is_found_when_it_is_read(samples_of: Read) -> None:
    with pytest.raises(MediaError, match=r"a\.png") as caught:
        samples_of(PLAIN)[0].medium.frames[0].read()
    assert caught.value.kind == "missing"


def test_root_and_patterns_place_pictures(samples_of: Read, tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    text = "subject,clip,emotion\ns1,c1,happy\ns2,,sad\n"
    samples = samples_of(text, image="{subject}/{clip}.jpg", root="media", subject="subject")
    assert samples[0].medium.frames == (FilePicture(tmp_path / "media/s1/c1.jpg"),)
    assert samples[0].id == "s1/c1.jpg"
    assert samples[0].cluster == "s1"
    assert samples[0].annotations == {"subject": "s1", "clip": "c1"}
    assert len(samples) == 1


def test_repeated_pictures_get_numbered_ids(samples_of: Read) -> None:
    text = "image,emotion\na,x\na,y\na#2,z\na,w\n"
    assert [s.id for s in samples_of(text)] == ["a", "a#2", "a#2#2", "a#3"]


def test_paths_out_of_place_are_not_used_as_ids(samples_of: Read) -> None:
    text = "image,emotion\n/data/a.png,x\n../b.png,y\nC:\\c.png,z\n"
    ids = [s.id for s in samples_of(text, allow_outside=True)]
    assert ids == ["a.png", "b.png", "c.png"]
    ids = [s.id for s in samples_of(text, allow_outside=True, ids="as-written")]
    assert ids == ["a.png", "b.png", "3"]


@pytest.mark.parametrize(
    "bad",
    [
        "/etc/passwd",
        "../up",
        "a/../../b",
        "C:\\x",
        "\\\\host\\x",
        "~root",
        "a\x00b",
        "a\x1bb",
        "  ",
    ],
)
def test_an_id_out_of_place_is_refused_by_row(bad: str, open_table: Open) -> None:
    rows = [{"id": "fine", "image": "a", "emotion": "x"}, {"id": bad, "image": "b", "emotion": "y"}]
    source = open_table("\n".join(map(json.dumps, rows)), name="t.jsonl", id="id")
    with pytest.raises(HarnessError, match=r"t\.jsonl, row 2"):
        list(source)


@pytest.mark.parametrize("good", ["a/b.png", "a..b", "...", "Ünï/名前 1", "a:b"])
def test_ordinary_ids_pass(good: str, samples_of: Read) -> None:
    if good == "a:b":
        good = "ab:c"  # one letter before a colon is a Windows drive
    row = json.dumps({"id": good, "image": "a", "emotion": "x"})
    assert samples_of(row, name="t.jsonl", id="id")[0].id == good


def test_a_repeated_id_names_both_rows(open_table: Open) -> None:
    source = open_table("id,image,emotion\np,a,x\nq,b,\np,c,z\n", id="id")
    with pytest.raises(HarnessError, match=r"row 3 .*'p' is already in .*row 1"):
        list(source)


def test_unlabelled_rows_are_counted_or_kept(open_table: Open) -> None:
    text = "image,emotion\na,x\nb,\nc, \n,y\n"
    source = open_table(text)
    assert [s.id for s in source] == ["a"]
    assert source.skipped() == (
        Skipped("no label in any target column", 2),
        Skipped("no picture given", 1),
    )
    kept = open_table(text, unlabelled="keep")
    assert [dict(s.targets) for s in kept] == [{"emotion": "x"}, {}, {}]


def test_cells_that_stand_for_no_value(samples_of: Read) -> None:
    fields = {"v": FieldSpec(kind="number"), "t": FieldSpec(kind="yes-no")}
    samples = samples_of(
        "image,v,t\na,-2,yes\nb,0.25,unsure\n", fields=fields, blank=[-2, "unsure"]
    )
    assert [dict(s.targets) for s in samples] == [{"t": "yes"}, {"v": 0.25}]


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("label", " Happy ", "Happy"), ("label", "3", "3"), ("text", " a b ", "a b"),
        ("number", "-0.5", -0.5), ("number", "1e-1", 0.1), ("number", " 1 ", 1.0),
        *[("yes-no", word, "yes") for word in ("yes", "Y", "TRUE", "1", "1.0")],
        *[("yes-no", word, "no") for word in ("no", "N", "false", "0", "0.0")],
        ("set", "b;a", ("a", "b")), ("set", "a+b+a", ("a", "b")), ("set", "none", ()),
        ("set", "cheek raiser", ("cheek raiser",)),
    ],
)  # fmt: skip
def test_cells_by_kind(kind: str, cell: str, value: object, samples_of: Read) -> None:
    listed = {"labels": (cell.strip(),)} if kind == "label" else {}
    fields = {"f": FieldSpec(kind=kind, **listed)}  # type: ignore[arg-type]
    assert samples_of(f"image\tf\na\t{cell}\n", name="t.tsv", fields=fields)[0].targets == {
        "f": value
    }


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("number", "high"),
        ("number", "inf"),
        ("number", "1.5"),
        ("number", "0,5"),
        ("yes-no", "maybe"),
    ],
)
def test_a_bad_cell_names_row_and_column(kind: str, cell: str, open_table: Open) -> None:
    fields = {"f": FieldSpec(kind=kind)}  # type: ignore[arg-type]
    source = open_table(f"image\tf\na\t\nb\t{cell}\n", name="t.tsv", fields=fields)
    with pytest.raises(HarnessError, match=r"t\.tsv, row 2 \(line 3\), column 'f'"):
        list(source)


def test_targets_by_column_and_own_name(samples_of: Read) -> None:
    fields = {"emotion": LABEL, "valence": FieldSpec(kind="number"), "other": LABEL}
    text = "image,emotion,val\na,x,0.5\n"
    sample = samples_of(text, fields=fields, targets={"valence": "val"})[0]
    assert sample.targets == {"emotion": "x", "valence": 0.5}
    assert sample.annotations == {}


def test_questions_asks_and_subjects(samples_of: Read) -> None:
    fields = {"answer": LABEL, "sure": FieldSpec(kind="yes-no")}
    text = (
        'image,q,want,answer,sure,who\na,"Which, then?","answer, sure",x,yes,7\nb,Sure?,sure,,no,\n'
    )
    one, two = samples_of(text, fields=fields, question="q", asks="want", subject="who")
    assert (one.question, one.asks, one.cluster) == ("Which, then?", ("answer", "sure"), "7")
    assert (two.asks, two.cluster) == (("sure",), None)
    assert samples_of(PLAIN, ask="What now?")[1].question == "What now?"


def test_side_tables_bring_columns(open_table: Open, tmp_path: Path) -> None:
    (tmp_path / "teeth.csv").write_text("image_id,teeth_visible\nb.png,1\n")
    (tmp_path / "more.jsonl").write_text('{"age": 31, "group": "old", "drop": 1}\n')
    joins = [
        {"file": "teeth.csv", "on": {"image": "image_id"}},
        {"file": "more.jsonl", "on": "age", "columns": ["group"]},
    ]
    one, two = open_table(PLAIN, join=joins)
    assert one.annotations == {"age": "31", "teeth_visible": None, "group": "old"}
    assert two.annotations == {"age": None, "teeth_visible": "1", "group": None}


def test_a_join_reads_as_yaml_writes_it(open_table: Open, tmp_path: Path) -> None:
    (tmp_path / "teeth.csv").write_text("image,teeth\na.png,yes\n")
    join = yaml.safe_load("[{file: teeth.csv, on: image}]")
    assert next(iter(open_table(PLAIN, join=join))).annotations["teeth"] == "yes"


def test_a_side_table_may_hold_the_labels(open_table: Open, tmp_path: Path) -> None:
    (tmp_path / "teeth.csv").write_text("image,teeth\na.png,yes\n")
    fields = {"teeth": FieldSpec(kind="yes-no")}
    source = open_table(PLAIN, fields=fields, join=[{"file": "teeth.csv", "on": "image"}])
    assert [(s.id, dict(s.targets)) for s in source] == [("a.png", {"teeth": "yes"})]


@pytest.mark.parametrize(
    ("side", "join", "message"),
    [
        (
            "image,t\na.png,1\na.png,2\n",
            {"on": "image"},
            "row 2.*'a.png' is already in .*side.*, row 1",
        ),
        ("image,t\na.png,1\n", {"on": "nope"}, "no column 'nope'"),
        ("image,t\na.png,1\n", {"on": "image", "columns": ["u"]}, "no column 'u'"),
        ("image,age\na.png,1\n", {"on": "image"}, "side.csv already has a column 'age'"),
        ("image,t\nz.png,1\n", {"on": "image"}, "no row matches side.csv"),
    ],
)
def test_a_bad_side_table_is_told(
    side: str, join: dict[str, object], message: str, open_table: Open, tmp_path: Path
) -> None:
    (tmp_path / "side.csv").write_text(side)
    with pytest.raises(HarnessError, match=message):
        list(open_table(PLAIN, join=[{"file": "side.csv", **join}]))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "", "table is empty"),
        ("t.jsonl", "\n", "table is empty"),
        ("t.csv", "image,emotion\n", "has no rows"),
        ("t.csv", "image,emotion\na,x,y\n", r"row 1 \(line 2\): 3 cells"),
        ("t.csv", 'image,emotion\na,"x\n', "line 2"),
        ("t.csv", "image,image,emotion\na,b,c\n", "column name twice: image"),
        ("t.csv", "image,emotion\na,高兴\n".encode("gb18030"), "not UTF-8"),
        ("t.csv", "image,emotion\na,x\n".encode("utf-16")[:-1], "not UTF-16"),
        ("t.json", '[{"image": "a"}', "row 2: the array is not closed"),
        ("t.json", "[" * 100_000, "row 1.*not valid JSON"),
        ("t.jsonl", '{"image": "a", "emotion": "x"}\n{"image": \n', r"row 2 \(line 2\): not valid JSON"),
        ("t.jsonl", '{"image": "a", "emotion": "x"}\n[1]\n', "row 2.*a JSON list"),
        ("t.jsonl", '{"a":' * 100_000, "row 1.*not valid JSON"),
        ("t.parquet", "PAR1 is not enough", "not a Parquet file"),
        ("t.xlsx", "x", r"\.csv, \.tsv, \.json, \.jsonl"),
        ("t.csv", "image,feeling\na,x\n", "no column for the field emotion"),
        ("t.csv", "file,emotion\na,x\n", "no column named image, path, frames or video"),
        ("t.jsonl", '{"image": 3, "emotion": "x"}', "row 1.*is not a picture name"),
    ],
)  # fmt: skip
def test_bad_tables_are_told(name: str, text: str | bytes, message: str, open_table: Open) -> None:
    with pytest.raises(HarnessError, match=message) as caught:
        list(open_table(text, name=name))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"imagecolumn": "x"}, r"source\.imagecolumn: .*no such option"),
        ({"lable": "x"}, "did you mean 'label'"),
        ({"label": "feeling"}, r"source\.label: .*no column 'feeling'"),
        ({"image": "picture"}, r"source\.image: .*no column 'picture'"),
        ({"image": "{nobody}.png"}, r"source\.image"),
        ({"id": "key"}, r"source\.id: .*no column 'key'"),
        ({"targets": {"mood": "emotion"}}, r"source\.targets\.mood: the task has no such field"),
        ({"image": "image", "frames": "image"}, "image or frames, not both"),
        ({"unlabelled": "drop"}, r"source\.unlabelled"),
        ({"fps": "rate"}, r"source\.fps: .*no column 'rate'"),
        ({"join": [{"file": "x.csv"}]}, r"source\.join\.0\.on"),
    ],
)
def test_bad_options_name_the_key(
    options: dict[str, object], message: str, open_table: Open
) -> None:
    with pytest.raises(HarnessError, match=message) as caught:
        open_table(PLAIN, **options)
    assert caught.value.hint


def test_a_missing_table_and_an_unknown_family(tmp_path: Path) -> None:
    fields = {"emotion": LABEL}
    with pytest.raises(HarnessError, match=r"table not found: .*gone\.csv"):
        open_source({"family": "table", "file": "gone.csv"}, fields=fields, base=tmp_path)
    with pytest.raises(HarnessError, match=r"faces, .*folder, hf, .*table"):
        open_source({"family": "tabel"}, fields=fields, base=tmp_path)
    with pytest.raises(HarnessError, match=r"source\.file: required.*\n.*--set source\.file="):
        open_source({"family": "table"}, fields=fields, base=tmp_path)
    with pytest.raises(HarnessError, match=r"source\.family"):
        open_source({}, fields=fields, base=tmp_path)


def test_label_needs_one_field(open_table: Open) -> None:
    with pytest.raises(HarnessError, match=r"source\.label: the task has 2 fields"):
        open_table(PLAIN, label="emotion", fields={"emotion": LABEL, "b": LABEL})


def test_iterating_twice_gives_the_same(open_table: Open) -> None:
    source = open_table("image,emotion\na,x\na,\na,y\n")
    assert list(source) == list(source)
    assert source.skipped() == (Skipped("no label in any target column", 1),)


def test_the_digest_follows_bytes_and_options_not_places(open_table: Open, tmp_path: Path) -> None:
    (tmp_path / "side.csv").write_text("image,t\na.png,1\n")
    join = [{"file": "side.csv", "on": "image"}]
    first = open_table(PLAIN, join=join).digest()
    assert open_table(PLAIN, join=join, name="moved.csv").digest() == first
    others = {
        open_table(PLAIN + "c.png,x,\n", join=join).digest(),
        open_table(PLAIN, join=join, unlabelled="keep").digest(),
        open_table(PLAIN).digest(),
    }
    (tmp_path / "side.csv").write_text("image,t\na.png,2\n")
    others.add(open_table(PLAIN, join=join).digest())
    assert len(others | {first}) == 5


def test_annotations_of_nested_values(samples_of: Read) -> None:
    row = {"image": "a", "emotion": "x", "l": ["p", "q"], "d": {"k": 1}, "b": True, "f": 0.5}
    notes = samples_of(json.dumps(row), name="t.jsonl")[0].annotations
    assert notes == {"l": "p, q", "d": '{"k":1}', "b": True, "f": 0.5}


PEAK = """
import sys, tracemalloc
from pathlib import Path
from harness.core.field import FieldSpec
from harness.sources import open_source

fields = {"emotion": FieldSpec(kind="label", labels=("happy",))}
for name in ("short.csv", "long.csv"):  # the first takes what is loaded once out of the account
    asked = {"family": "table", "file": name, "id": "id"}
    source = open_source(asked, fields=fields, base=Path(sys.argv[1]))
    tracemalloc.start()
    count = sum(1 for _ in source)
    print(count, tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
"""


def test_a_long_table_stays_out_of_memory(tmp_path: Path) -> None:
    """In an interpreter of its own: the table of interned strings of a long test run is large when it grows."""
    for name, rows in (("short.csv", 100), ("long.csv", 30_000)):
        with (tmp_path / name).open("w") as file:
            file.write("id,image,emotion,note\n")
            for i in range(rows):
                file.write(f"sample-{i:07d},pictures/{i:07d}.png,happy,{'x' * 60}\n")
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(tmp_path)], capture_output=True, text=True, check=True
    )
    count, peak = map(int, done.stdout.splitlines()[-1].split())
    assert count == 30_000
    assert peak < 6_000_000  # the rows themselves would take over 18 MB


def test_labels_and_numbers_from_typed_cells(samples_of: Read) -> None:
    listed = FieldSpec(kind="label", labels=("3", "4"))
    fields = {"l": listed, "v": FieldSpec(kind="number"), "y": FieldSpec(kind="yes-no")}
    rows = [
        {"image": "a", "l": 3, "v": 1, "y": True},
        {"image": "b", "l": 3.0, "v": float("nan"), "y": 0},
    ]
    samples = samples_of("\n".join(map(json.dumps, rows)), name="t.jsonl", fields=fields)
    assert [dict(s.targets) for s in samples] == [
        {"l": "3", "v": 1.0, "y": "yes"},
        {"l": "3", "y": "no"},
    ]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("image,emotion,q\na,x,\n", {"question": "q"}, "row 1 .*no question in column 'q'"),
        ("image,emotion,w\na,x,mood\n", {"asks": "w"}, "row 1 .*no field 'mood'"),
        ("frames,emotion,hz\na,x,0\n", {"fps": "hz"}, "row 1 .*frames per second"),
        ("image,emotion\n../../a.png,x\n", {}, "row 1 .*outside the table's folder"),
        ("image,emotion\n/etc/a.png,x\n", {}, "row 1 .*outside the table's folder"),
        ("frames,emotion\n../clips,x\n", {}, "row 1 .*outside the table's folder"),
        ("image,emotion\nx/../../a.png,x\n", {}, "row 1 .*outside the table's folder"),
    ],
)
def test_bad_rows_are_told(
    text: str, options: dict[str, str], message: str, open_table: Open
) -> None:
    with pytest.raises(HarnessError, match=message):
        list(open_table(text, **options))
