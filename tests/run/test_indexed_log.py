"""The table over a log's lines, against a dict: what was there at the start, and what is put."""

from __future__ import annotations

import threading
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.run import log_index
from harness.run.digests import KEY, digest
from harness.run.indexed_log import IndexedLog, Told
from harness.run.log import AppendLog
from harness.run.log_index import LogIndex, index_of

VALUE = 8


def told(record: dict[str, int], start: int) -> Told:
    return digest(str(record["name"])), record["value"].to_bytes(VALUE, "little"), ""


class Table:
    """A log with its table, both written."""

    def __init__(self, folder: Path) -> None:
        self.log = AppendLog(folder / "some.jsonl")
        self.held = IndexedLog(LogIndex(folder / "some.jsonl", KEY + VALUE), told)
        self.held.keep()

    def put(self, name: int, value: int) -> bool:
        record = {"name": name, "value": value}
        self.log.append(record)
        key, packed, _ = told(record, 0)
        return self.held.put(key, packed, end=self.log.size)

    def get(self, name: int) -> int | None:
        found = self.held.get(digest(str(name)))
        return None if found is None else int.from_bytes(found, "little")

    def close(self) -> None:
        self.held.close()
        self.log.close()


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=25), max_size=4)
)
def test_it_holds_what_a_dict_holds_over_several_starts(
    starts: list[list[tuple[int, int]]],
) -> None:
    plain = dict[int, int]()
    with TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_index, "BLOCK", 4)
        for puts in [*starts, []]:
            table = Table(Path(place))
            for name, value in puts:
                assert table.put(name, value) == (name not in plain)
                plain[name] = value
            assert len(table.held) == len(plain)
            assert [table.get(name) for name in range(35)] == [plain.get(n) for n in range(35)]
            values, known = table.held.find(b"".join(digest(str(name)) for name in range(35)))
            assert known.tolist() == [name in plain for name in range(35)]
            numbers = np.ascontiguousarray(values).view("<u8").ravel().tolist()
            assert numbers == [plain.get(name, 0) for name in range(35)]
            table.close()


def test_threads_find_what_has_been_put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_index, "BLOCK", 64)
    table, wrong, done, ended = Table(tmp_path), list[int](), [0], threading.Event()

    def look() -> None:
        while not ended.is_set():
            held = done[0]
            for name in range(max(0, held - 40), held):
                if table.get(name) != name:
                    wrong.append(name)
            if table.get(-1 - held) is not None:
                wrong.append(-1)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for name in range(6000):
        table.put(name, name)
        done[0] = name + 1
    ended.set()
    for thread in threads:
        thread.join()
    table.close()
    assert not wrong


def test_beside_the_table_of_digests_nothing_grows_with_what_is_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_index, "BLOCK", 64)
    table, count, held = Table(tmp_path), 10_000, list[int]()
    tracemalloc.start()
    try:
        for name in range(count):
            table.put(name, name)
            if name in (1000, count - 1):
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    table.close()
    blocks = 16 / 64  # two numbers a block, of 4096 lines by default
    assert held[1] - held[0] < 2 * blocks * count + 4000


def test_an_index_that_is_cut_while_it_is_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_index, "BLOCK", 4)
    table = Table(tmp_path)
    for name in range(8):
        table.put(name, name)
    index_of(tmp_path / "some.jsonl").write_bytes(b"")
    with pytest.raises(HarnessError, match=r"some\.bin was cut"):
        table.get(2)
    assert table.get(99) is None
    table.close()
