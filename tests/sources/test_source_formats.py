"""Tables as they lie about: encodings, arrays, pictures in cells, class names in metadata, paths in any spelling."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.core.errors import HarnessError, MediaError
from harness.core.sample import Sample
from harness.core.source import Source, source_notes
from harness.sources import open_source
from harness.sources.json_rows import open_json
from harness.sources.places import check_responds, tidy
from tests.sources.conftest import EMOTION

Open = Callable[..., Source]
Read = Callable[..., list[Sample]]
TEXT = "image,emotion\na.png,fröhlich\nb.png,übel\n"


@pytest.mark.parametrize(
    ("codec", "said"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("cp1252", "cp1252"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "tsv", "json", "semicolon"])
def test_encodings_are_found_by_their_bytes(
    codec: str, said: str, form: str, open_table: Open
) -> None:
    rows = [line.split(",") for line in TEXT.splitlines()]
    text, name = TEXT, "t.csv"
    if form == "tsv":
        text, name = TEXT.replace(",", "\t"), "t.tsv"
    elif form == "semicolon":
        text = TEXT.replace(",", ";")
    elif form == "json":
        body = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        text, name = json.dumps(body, ensure_ascii=False), "t.json"
    source = open_table(text.encode(codec), name=name)
    assert [s.targets["emotion"] for s in source] == ["fröhlich", "übel"]
    notes = source_notes(source)
    assert said in " ".join(notes)
    assert bool(notes) == bool(said)


def test_json_arrays_are_read_one_by_one(tmp_path: Path) -> None:
    rows = [{"n": n, "text": 'br]ac[ket, "' * (n % 50) + "ü" * n} for n in range(400)]
    for indent in (None, 2):
        (tmp_path / "t.json").write_text(json.dumps(rows, indent=indent), encoding="utf-8")
        table = open_json(tmp_path / "t.json")
        assert [row.cells for row in table] == rows
        assert table.columns == ("n", "text")
    big = [{"image": "x" * 300_000, "n": 1}, {"image": "y", "n": 2}]
    (tmp_path / "t.json").write_text(json.dumps(big), encoding="utf-8")
    assert [row.cells["n"] for row in open_json(tmp_path / "t.json")] == [1, 2]


@pytest.mark.parametrize("form", ["%s\n%s", "[%s, %s]"])
def test_half_of_a_surrogate_pair_never_reaches_a_file(tmp_path: Path, form: str) -> None:
    first = '{"a": "x\\ud800", "b": ["\\udfff"], "c\\ud83d": 1}'
    (tmp_path / "t.json").write_text(form % (first, '{"a": "\\ud83d\\ude00", "b": 2}'))
    one, other = (dict(row.cells) for row in open_json(tmp_path / "t.json"))
    assert one == {"a": "x?", "b": ["?"], "c?": 1} and other == {"a": "\U0001f600", "b": 2}


def test_pictures_in_cells(png: bytes, samples_of: Read) -> None:
    body = base64.b64encode(png).decode()
    wrapped = "\n".join(body[i : i + 76] for i in range(0, len(body), 76))
    big = base64.b64encode(png + b"\0" * 200_000).decode()
    cells = [body, f"data:image/png;base64,{body}", wrapped, big]
    text = "image,emotion\n" + "".join(f'"{cell}",x\n' for cell in cells)
    samples = samples_of(text)
    assert [s.medium.frames[0].read()[: len(png)] for s in samples] == [png] * 4
    assert len({s.id for s in samples}) == 4
    assert samples[0].id.startswith("sha256-")
    assert samples[1].id == samples[0].id + "#2"


def test_tables_of_vlmevalkit(png: bytes, samples_of: Read) -> None:
    body = base64.b64encode(png).decode()
    text = f"index\timage\tquestion\temotion\n7\t{body}\tWhich?\tx\n9\t{body}\tWho?\ty\n"
    samples = samples_of(text, name="t.tsv", question="question")
    assert [(s.id, s.question) for s in samples] == [("7", "Which?"), ("9", "Who?")]
    assert samples[1].medium.frames[0].read() == png


def test_a_picture_may_be_named_by_its_index(png: bytes, samples_of: Read) -> None:
    body = base64.b64encode(png).decode()
    other = base64.b64encode(png + b"\0").decode()
    fill = "".join(f"{100 + n}\t{other}\tWhat?\tx\n" for n in range(40))
    text = (
        f"index\timage\tquestion\temotion\n7\t{body}\tWhich?\tx\n9\t7\tWho?\ty\n{fill}"
        "10\t7\tWhere?\tx\n11\t8\tWhy?\ty\n"
    )
    samples = {s.id: s for s in samples_of(text, name="t.tsv", question="question")}
    assert samples["9"].medium.frames[0].read() == png  # still held
    assert samples["10"].medium.frames[0].read() == png  # looked for again
    assert samples["101"].medium.frames[0].read() == png + b"\0"
    with pytest.raises(MediaError, match="no row with index '8'"):
        samples["11"].medium.frames[0].read()


def test_a_broken_picture_in_a_cell_fails_alone(png: bytes, samples_of: Read) -> None:
    body = base64.b64encode(png).decode()
    samples = samples_of(f"image,emotion\n{body[:-9]}!!,x\n{body},y\n")
    with pytest.raises(MediaError, match="not valid base64"):
        samples[0].medium.frames[0].read()
    assert samples[1].medium.frames[0].read() == png


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "feather", "stream"])
def test_class_names_in_metadata_are_read(suffix: str, tmp_path: Path) -> None:
    features = {
        "image": {"dtype": "string", "_type": "Value"},
        "emotion": {"names": ["anger", "fear"], "_type": "ClassLabel"},
    }
    held = json.dumps({"info": {"features": features}})
    table = pa.table({"image": ["a", "b", "c"], "emotion": [1, 0, -1]})
    table = table.replace_schema_metadata({"huggingface": held})
    name = "t.arrow" if suffix == "stream" else f"t.{suffix}"
    path = tmp_path / name
    if suffix == "parquet":
        pq.write_table(table, path)
    else:
        write = pa.ipc.new_stream if suffix == "stream" else pa.ipc.new_file
        with pa.OSFile(str(path), "wb") as file, write(file, table.schema) as writer:
            writer.write_table(table)
    source = open_source({"family": "table", "file": name}, fields=EMOTION, base=tmp_path)
    assert [s.targets["emotion"] for s in source] == ["fear", "anger"]
    assert "named in its metadata" in " ".join(source_notes(source))


@pytest.mark.parametrize("held", ["", "[]", "{", '{"info": {"features": {"emotion": 3}}}'])
def test_other_metadata_says_nothing(held: str, tmp_path: Path) -> None:
    table = pa.table({"image": ["a"], "emotion": ["x"]})
    pq.write_table(table.replace_schema_metadata({"huggingface": held}), tmp_path / "t.parquet")
    source = open_source({"family": "table", "file": "t.parquet"}, fields=EMOTION, base=tmp_path)
    assert [s.targets["emotion"] for s in source] == ["x"]


def test_a_date_beyond_python_is_text(tmp_path: Path) -> None:
    days = pa.array([0, 2**60], pa.timestamp("ms"))
    good = pa.array([datetime(2020, 1, 2, tzinfo=UTC)] * 2)
    table = pa.table({"image": ["a", "b"], "emotion": ["x", "y"], "taken": days, "seen": good})
    pq.write_table(table, tmp_path / "t.parquet")
    source = open_source({"family": "table", "file": "t.parquet"}, fields=EMOTION, base=tmp_path)
    samples = list(source)
    assert samples[0].annotations["taken"] == "1970-01-01 00:00:00"
    assert samples[1].annotations["taken"] == str(2**60)
    assert str(samples[1].annotations["seen"]).startswith("2020-01-02")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("./img//a.png", "img/a.png"),
        ("img\\a.png", "img/a.png"),
        (" img/x/../a.png ", "img/a.png"),
        ("/base/set/img/a.png", "img/a.png"),
        ("/base/./set/img/a.png", "img/a.png"),
        ("/base/settle/a.png", None),
        ("../a.png", None),
        ("C:\\a.png", None),
        ("..a.png", "..a.png"),
        (".", None),
    ],
)
def test_one_path_has_one_spelling(text: str, path: str | None) -> None:
    assert tidy(text, ("/base/set",)) == path


def test_ids_do_not_depend_on_spelling_or_place(
    png: bytes, tmp_path: Path, samples_of: Read
) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "img").mkdir(parents=True)
        (tmp_path / folder / "img" / "a.png").write_bytes(png)
    found = set()
    for cell in ("img/a.png", "./img/a.png", "img\\a.png", str(tmp_path / "one" / "img" / "a.png")):
        (sample,) = samples_of(f"image,emotion\n{cell},x\n", name="one/t.csv")
        assert sample.medium.frames[0].read() == png
        found.add(sample.id)
    assert found == {"img/a.png"}
    rows = f"image,emotion\n{tmp_path / 'one/img/a.png'},x\n"
    (outside,) = samples_of(rows, name="two/t.csv", allow_outside=True)
    assert outside.id.startswith("sha256-")
    (rooted,) = samples_of(rows, name="two/t.csv", root="one")
    assert rooted.id == "img/a.png"
    (as_before,) = samples_of("image,emotion\n./img/a.png,x\n", name="t.csv", ids="as-written")
    assert as_before.id == "./img/a.png"


def test_how_ids_are_made_changes_no_digest(open_table: Open) -> None:
    text = "image,emotion\na,x\n"
    digests = {
        open_table(text, **options).digest()
        for options in ({}, {"ids": "as-written"}, {"allow_outside": True})
    }
    assert len(digests) == 1


@pytest.mark.parametrize("cell", ["a\0b.png", "x" * 300, "x" * 200_000, "a\nb.png", "sub"])
def test_rows_with_a_bad_path_fail_alone(cell: str, tmp_path: Path, samples_of: Read) -> None:
    (tmp_path / "sub").mkdir()
    rows: list[Any] = [{"image": cell, "emotion": "x"}, {"image": "b.png", "emotion": "y"}]
    samples = samples_of("\n".join(map(json.dumps, rows)), name="t.jsonl")
    assert len(samples) == 2
    with pytest.raises(MediaError):
        samples[0].medium.frames[0].read()


def test_a_folder_that_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_responds(tmp_path)
    pause = threading.Event()
    monkeypatch.setattr(os.path, "exists", lambda path: pause.wait(5))
    try:
        with pytest.raises(HarnessError, match=r"has not answered for 0\.05 seconds"):
            check_responds(tmp_path, seconds=0.05)
    finally:
        pause.set()
