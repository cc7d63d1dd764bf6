"""The table of digests that lie in a file, against a dict."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.run.digest_slots import DigestSlots
from harness.run.digests import KEY


class Held:
    """Entries in memory; counts how many are read."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.read = 0

    def entry(self, number: int) -> bytes:
        self.read += 1
        return self.entries[number]

    def digests(self) -> Iterator[NDArray[np.uint8]]:
        for start in range(0, len(self.entries), 1000):
            some = b"".join(entry[:KEY] for entry in self.entries[start : start + 1000])
            yield np.frombuffer(some, dtype=np.uint8).reshape(-1, KEY)

    def put(self, slots: DigestSlots, key: bytes, value: bytes) -> bool:
        self.entries.append(key + value)
        return slots.put(key, len(self.entries) - 1, self)


def random_key(number: int) -> bytes:
    return hashlib.blake2b(b"%d" % number, digest_size=KEY).digest()


def one_place(number: int) -> bytes:
    """All belong into the last slot of the table."""
    return b"\xff" * 4 + random_key(number)[4:]


def one_tag(number: int) -> bytes:
    key = random_key(number)
    return key[:8] + bytes([number % 2]) + key[9:]


def one_half(number: int) -> bytes:
    return bytes(KEY // 2) + random_key(number)[KEY // 2 :]


@given(st.lists(st.tuples(st.integers(0, 40), st.binary(min_size=3, max_size=3))))
def test_it_holds_what_a_dict_holds(puts: list[tuple[int, bytes]]) -> None:
    slots, held, plain = DigestSlots(), Held(), dict[bytes, bytes]()
    for number, value in puts:
        key = random_key(number)
        assert held.put(slots, key, value) == (key not in plain)
        plain[key] = value
    assert len(slots) == len(plain)
    for key in map(random_key, range(50)):
        assert slots.find(key, held) == (key + plain[key] if key in plain else None)


@pytest.mark.parametrize("made", [random_key, one_place, one_tag, one_half])
def test_it_grows_and_keeps_the_last_entry_of_each(made: Callable[[int], bytes]) -> None:
    slots, held = DigestSlots(), Held()
    keys = [made(number) for number in range(1300)]
    for number, key in enumerate(keys):
        held.put(slots, key, b"first")
        if number % 3 == 0:
            held.put(slots, key, b"again")
    assert len(slots) == len(keys)
    found = [slots.find(key, held) for key in keys]
    assert found == [k + (b"again" if n % 3 == 0 else b"first") for n, k in enumerate(keys)]
    assert all(slots.find(made(number), held) is None for number in range(1300, 1500))


def test_a_digest_takes_eight_bytes_and_a_look_up_in_vain_reads_little() -> None:
    slots, held, count = DigestSlots(), Held(), 30_000
    for number in range(count):
        held.put(slots, random_key(number), b"")
        if number > 1000:
            assert slots.nbytes < 8 * number
    held.read = 0
    for number in range(count, count + 5000):
        assert slots.find(random_key(number), held) is None
    assert held.read < 500
