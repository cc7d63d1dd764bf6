"""The compact id set against a real set."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.sources.ids import SeenIds
from harness.sources.table import open_table_source


@given(st.lists(st.text(max_size=4), max_size=200))
def test_it_agrees_with_a_set(ids: list[str]) -> None:
    seen, real = SeenIds(), set[str]()
    for sample_id in ids:
        assert seen.add(sample_id) == (sample_id in real)
        real.add(sample_id)


def test_it_grows_and_stays_small() -> None:
    count = 40_000
    tracemalloc.start()
    seen = SeenIds()
    assert not any(seen.add(f"id-{i}") for i in range(count))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert all(seen.add(f"id-{i}") for i in range(0, count, 97))
    assert peak < 48 * count


def test_a_source_holds_ids_for_its_first_reading_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = list[SeenIds]()

    class Counted(SeenIds):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    monkeypatch.setattr("harness.sources.ids.SeenIds", Counted)
    fields = {"emotion": FieldSpec(kind="label", labels=("anger", "fear"))}
    table = tmp_path / "table.csv"
    asked = {"file": table.name, "image": "image", "label": "emotion"}

    def ids(lines: list[str], **options: str) -> list[list[str]]:
        table.write_text("\n".join(["name,image,emotion", *lines, ""]), encoding="utf-8")
        source = open_table_source({**asked, **options}, fields=fields, base=tmp_path)
        assert next(iter(source)).id, "a reading that stops early says nothing of the others"
        return [[sample.id for sample in source] for _ in range(3)]

    once = ["a,one.png,anger", "b,two.png,fear", "c,three.png,anger"]
    assert ids(once, id="name") == [["a", "b", "c"]] * 3
    assert len(made) == 2
    assert ids(once) == [["one.png", "two.png", "three.png"]] * 3
    assert len(made) == 4
    again = [*once, "d,one.png,fear"]
    assert ids(again) == [["one.png", "two.png", "three.png", "one.png#2"]] * 3
    with pytest.raises(HarnessError, match=r"already in table.csv, row 1 \(line 2\)"):
        ids([*once, "a,four.png,fear"], id="name")
