"""Dictionary-encoded columns: a number per row, and each distinct value once."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import eq
from typing import Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)
W = TypeVar("W")

_BLOCK = 4096
"""Rows turned into Python objects at a time."""
_NONE = -1
"""The code of a position without a value."""


class Coded(Sequence[V_co]):
    """A sequence of n values as `codes` (n,) into `values`. Four bytes a row, besides the distinct values."""

    __slots__ = ("codes", "values")

    def __init__(self, codes: NDArray[np.int32], values: Sequence[V_co]) -> None:
        self.codes = codes
        self.values = values

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, place: int) -> V_co: ...
    @overload
    def __getitem__(self, place: slice) -> Coded[V_co]: ...
    def __getitem__(self, place: int | slice) -> V_co | Coded[V_co]:
        if isinstance(place, slice):
            return Coded(self.codes[place], self.values)
        value: V_co = self.values[self.codes[place]]
        return value

    def __iter__(self) -> Iterator[V_co]:
        for start in range(0, len(self.codes), _BLOCK):
            yield from map(self.values.__getitem__, self.codes[start : start + _BLOCK].tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def at(self, places: NDArray[np.int64]) -> Coded[V_co]:
        """The values at these places, in their order."""
        return Coded(self.codes[places], self.values)

    def turned(self, into: Callable[[V_co], W]) -> Coded[W]:
        """A column of what each distinct value turns into; where that is equal, it has one code."""
        pool = DistinctValues[W]()
        codes = np.array([pool.code(into(value)) for value in self.values], dtype=np.int32)
        return Coded(codes[self.codes] if len(codes) else self.codes, pool.values)

    def counts(self) -> Iterator[tuple[V_co, int]]:
        """Each distinct value, and how many rows have it."""
        found = np.bincount(self.codes, minlength=len(self.values))
        return zip(self.values, found.tolist(), strict=True)

    def equal(self, value: object) -> NDArray[np.bool_]:
        """(n,) True where the value is this one."""
        return self.where(partial(eq, value))

    def where(self, holds: Callable[[V_co], bool]) -> NDArray[np.bool_]:
        """(n,) True where the value is one for which it holds."""
        found = np.array([holds(value) for value in self.values], dtype=np.bool_)
        return found[self.codes] if len(found) else np.zeros(len(self), dtype=np.bool_)


class DistinctValues(Generic[V]):
    """Distinct values, numbered as they come. `key` says which are alike; left out, equal ones of one type."""

    __slots__ = ("_codes", "_key", "values")

    def __init__(self, key: Callable[[V], Hashable] | None = None) -> None:
        self.values: list[V] = []
        self._codes: dict[Hashable, int] = {}
        self._key = _typed if key is None else key

    def code(self, value: V) -> int:
        """The number of a value, new ones the next."""
        key = self._key(value)
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = len(self.values)
            self.values.append(value)
        return code

    def coded(self, values: Iterable[V]) -> Coded[V]:
        """A column of these values."""
        return Coded(as_codes(array("i", map(self.code, values))), self.values)


class Placed(Mapping[int, V]):
    """Position -> value, for some of n positions and in their order: four bytes a position."""

    __slots__ = ("_codes", "_pool")

    def __init__(self, positions: int, key: Callable[[V], Hashable] | None = None) -> None:
        self._codes = array("i", [_NONE]) * positions
        self._pool: DistinctValues[V] = DistinctValues(key)

    def __setitem__(self, position: int, value: V) -> None:
        self._codes[position] = self._pool.code(value)

    def code(self, value: V) -> int:
        """The code of a value, for `put`."""
        return self._pool.code(value)

    def put(self, position: int, code: int) -> None:
        """Set the value at a position by its code."""
        self._codes[position] = code

    def __getitem__(self, position: int) -> V:
        if position not in self:
            raise KeyError(position)
        return self._pool.values[self._codes[position]]

    def __contains__(self, position: object) -> bool:
        return (
            isinstance(position, int)
            and 0 <= position < len(self._codes)
            and self._codes[position] != _NONE
        )

    def __iter__(self) -> Iterator[int]:
        return (position for position, code in enumerate(self._codes) if code != _NONE)

    def __len__(self) -> int:
        return int(self.there.sum())

    @property
    def there(self) -> NDArray[np.bool_]:
        """(n,) True where there is a value."""
        found: NDArray[np.bool_] = as_codes(self._codes) != _NONE
        return found

    def at(self, places: NDArray[np.int64]) -> Coded[V]:
        """The values at positions that have one."""
        return Coded(as_codes(self._codes)[places], self._pool.values)

    def fill(self, places: NDArray[np.int64], values: Iterable[V]) -> None:
        """Set the values at several positions."""
        as_codes(self._codes)[places] = [self._pool.code(value) for value in values]

    def counts(self) -> Iterator[tuple[V, int]]:
        """Each distinct value, and how many positions have it."""
        return self.at(np.flatnonzero(self.there)).counts()


def _typed(value: object) -> Hashable:
    """1, 1.0 and True are equal and yet three answers."""
    return value if type(value) is str else (type(value), value)


def coded(values: Iterable[V]) -> Coded[V]:
    """A column of any values, each distinct one held once."""
    return DistinctValues[V]().coded(values)


def as_codes(numbers: array[int]) -> NDArray[np.int32]:
    """The same memory as an array of numpy."""
    return np.frombuffer(numbers, dtype=np.int32) if numbers else np.empty(0, dtype=np.int32)


def distinct(columns: Sequence[Coded[Any]]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Rows told apart by all columns (of one length n): (n,) the number of each row's combination, and (m,) the
    place of the first row of each combination."""
    numbers = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        numbers *= len(column.values)
        numbers += column.codes
        numbers = _renumbered(numbers)
    first = np.zeros(int(numbers.max(initial=-1)) + 1, dtype=np.int64)
    first[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)  # of equal numbers the last counts
    return numbers.astype(np.int32), first


def _renumbered(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same with numbers from 0 without gaps, in their order."""
    most = int(numbers.max(initial=0)) + 1
    if most > 1 << 20:
        found: NDArray[np.int64] = np.unique(numbers, return_inverse=True)[1]
        return found
    there = np.zeros(most, dtype=np.bool_)
    there[numbers] = True
    return (np.cumsum(there) - 1)[numbers]


class Texts(Sequence[str]):
    """A sequence of strings as one block of UTF-8: a few bytes each besides their own."""

    __slots__ = ("_block", "_ends")

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._block = bytearray()
        self._ends = array("q", [0])
        for text in texts:
            self.append(text)

    def append(self, text: str) -> None:
        """Add one at the end."""
        self._block += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._block))

    def extend(self, block: bytes, ends: NDArray[np.int64]) -> None:
        """Add several at the end: their UTF-8 one behind the other, and where each ends in it."""
        self._ends.frombytes((ends.astype(np.int64) + len(self._block)).tobytes())
        self._block += block

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[p] for p in range(len(self))[place]]
        at = place if place >= 0 else range(len(self))[place]
        return self._block[self._ends[at] : self._ends[at + 1]].decode("utf-8", "surrogatepass")

    def at(self, places: NDArray[np.int64]) -> Iterator[str]:
        """The strings at these places."""
        return map(self.__getitem__, map(int, places))

    def encoded(self, place: int) -> bytes:
        """The bytes of one, whose order is that of the strings."""
        return bytes(self._block[self._ends[place] : self._ends[place + 1]])

    def order(self) -> array[int]:
        """Places of the strings, sorted."""
        before = b""
        for place in range(len(self)):
            text = self.encoded(place)
            if text < before:
                return array("i", sorted(range(len(self)), key=self.encoded))
            before = text
        return array("i", range(len(self)))
