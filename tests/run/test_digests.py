"""The table of digests against a dict."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.run.digests import KEY, Digests, digest


@given(st.lists(st.tuples(st.integers(0, 40), st.binary(min_size=3, max_size=3))))
def test_it_holds_what_a_dict_holds(puts: list[tuple[int, bytes]]) -> None:
    table, plain = Digests(3), dict[bytes, bytes]()
    for name, value in puts:
        key = digest(str(name))
        assert table.put(key, value) == (key not in plain)
        plain[key] = value
    assert len(table) == len(plain)
    for name in range(50):
        assert table.get(digest(str(name))) == plain.get(digest(str(name)))


def test_it_grows_and_loses_nothing() -> None:
    table = Digests(8)
    for number in range(20_000):
        table.put(digest(str(number)), number.to_bytes(8, "little"))
    assert len(table) == 20_000
    for number in range(20_000):
        assert table.get(digest(str(number))) == number.to_bytes(8, "little")
    assert table.get(digest("other")) is None


def test_digests_that_begin_alike_are_told_apart() -> None:
    table = Digests(1)
    keys = [bytes(4) + number.to_bytes(KEY - 4, "little") for number in range(500)]
    for number, key in enumerate(keys):
        table.put(key, bytes([number % 251]))
    assert [table.get(key) for key in keys] == [bytes([n % 251]) for n in range(500)]


def test_names_are_numbered_as_they_come() -> None:
    table = Digests(0)
    names = ["b", "a", "b", "c", "a"]
    assert [table.number(digest(name)) for name in names] == [0, 1, 0, 2, 1]
