"""Digests looked up many at a time and one by one, against a dict."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.run.digest_column import DigestColumn
from harness.run.digests import KEY

# Few values of each half, so that digests that begin alike are common.
KEYS = st.builds(lambda a, b: bytes([a]) * (KEY // 2) + bytes([b]) * (KEY // 2), *[st.integers(0, 4)] * 2)  # fmt: skip


@given(st.lists(KEYS), st.lists(KEYS))
def test_it_finds_the_last_of_each(held: list[bytes], wanted: list[bytes]) -> None:
    column = DigestColumn()
    for key in held:
        column.append(key)
    plain = {key: number for number, key in enumerate(held)}
    assert len(column) == len(held)
    assert column.find(b"".join(wanted)).tolist() == [plain.get(key, -1) for key in wanted]
    assert [column.place(key) for key in wanted] == [plain.get(key, -1) for key in wanted]
    assert column.last_ones().tolist() == sorted(plain.values())
    assert DigestColumn(b"".join(held)).find(b"".join(wanted)).tolist() == [
        plain.get(key, -1) for key in wanted
    ]
