"""Rows of a file of answers in columns: nothing is lost in them, and a large file takes little memory."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.imports.columns import PredictionMap
from harness.imports.lines import HELD, Content, PredictionLines

from .test_predictions import bring, write_csv

CELL = st.one_of(st.text(max_size=9), st.none(), st.lists(st.text(max_size=4), max_size=3))
SCALAR = st.one_of(
    st.text(max_size=9), st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False)
)
CONTENT = st.builds(
    Content,
    targets=st.dictionaries(
        st.sampled_from("ab"),
        st.one_of(st.text(max_size=9), st.floats(allow_nan=False), st.tuples(st.text(max_size=3))),
        max_size=2,
    ),
    answers=st.dictionaries(st.sampled_from(["", "a"]), CELL, max_size=2),
    annotations=st.dictionaries(st.sampled_from(["age", "sex"]), SCALAR, max_size=2),
    finish=st.sampled_from(["stop", "length"]),
    failure=st.one_of(st.none(), st.text(max_size=5)),
)  # fmt: skip
ROWS = st.lists(
    st.tuples(st.text(min_size=1, max_size=5), st.one_of(st.none(), st.text(max_size=5)), CONTENT),
    min_size=1, max_size=30, unique_by=lambda row: row[0],
)  # fmt: skip


@given(ROWS)
def test_rows_come_back_as_they_went_in(rows: list[tuple[str, str | None, Content]]) -> None:
    lines = PredictionLines()
    for sample, cluster, content in rows:
        assert lines.put(sample, cluster, lines.number(content))
    found = [(line.sample, line.cluster, line.content) for line in lines]
    assert found == rows
    assert [line.sample for line in lines.by_id()] == sorted(
        (row[0] for row in rows), key=lambda text: text.encode("utf-8", "surrogatepass")
    )
    assert [lines.place(sample) for sample, *_ in rows] == list(range(len(rows)))
    assert lines.place("no such sample") is None
    assert sum(times for _, times in lines.contents()) == len(rows)


@given(ROWS)
def test_a_row_again_is_counted_and_another_of_its_id_refused(
    rows: list[tuple[str, str | None, Content]],
) -> None:
    lines = PredictionLines()
    for sample, cluster, content in rows:
        lines.put(sample, cluster, lines.number(content))
    for sample, cluster, content in rows:
        number = lines.number(content)
        assert lines.put(sample, cluster, number)
        assert not lines.put(sample, f"{cluster}!", number)
        other = Content({}, {"": "another"}, {}, "stop", None)
        assert not lines.put(sample, cluster, lines.number(other))
    assert len(lines) == len(rows)
    assert lines.left_out == {"a repeated identical row": len(rows)}


def test_the_second_of_two_answers_is_named_with_its_place(tmp_path: Path) -> None:
    rows = [(f"s{i}", "anger", f"no. {i}") for i in range(HELD + 3)]
    path = write_csv(tmp_path / "p.csv", [*rows, ("s4", "anger", "sadness")], ["name", "gt", "x"])
    with pytest.raises(HarnessError) as caught:
        bring(path)
    assert f"p.csv, row {HELD + 4} (line {HELD + 5}): the id 's4'" in caught.value.message
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


def test_equal_numbers_of_several_kinds_are_one_row(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(
        "".join(
            json.dumps({"name": "a", "gt": "anger", "said": "anger", "age": age}) + "\n"
            for age in (3, 3.0)
        )
    )
    imported = bring(path, PredictionMap(answer="said", annotations=("age",)))
    assert imported.samples == 1
    assert any("1 row left out: a repeated identical row" in note for note in imported.notes)


CHILD = """\
import sys
from pathlib import Path
from harness.run.folder import RunFolder
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from harness.imports.columns import PredictionMap
from harness.imports.predictions import import_predictions

here = Path(sys.argv[1])
place = open_workspace(here)
import_predictions(
    here / "p.csv", load_task("table/emotion", place), PredictionMap(cluster="person"),
    RunFolder(here / "out"), workspace=place, command=[],
)
# Of getrusage a child hears the peak of the process that started it as well.
peak = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM:"))
print(peak.split()[1])
"""


@pytest.mark.slow
def test_two_hundred_thousand_rows_take_little_memory(tmp_path: Path) -> None:
    draw = random.Random(0)
    names = ("anger", "fear", "happiness", "sadness", "surprise")
    rows = [
        (f"s{i:06}", draw.choice(names), f"I say {draw.choice(names)}, no. {i}", f"p{i // 10}")
        for i in range(200_000)
    ]
    write_csv(tmp_path / "p.csv", rows, ["name", "gt", "said", "person"])
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 250 * 1024, "KiB; all answers differ, about 100 MiB are the libraries"
    assert len((tmp_path / "out" / "trials.jsonl").read_bytes().splitlines()) == 200_000
