"""The samples of a task held in columns, for what needs all of them at once."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar, cast, overload

import numpy as np
from numpy.typing import NDArray

from harness.core.sample import Value
from harness.run.columns import read_coded, unreadable
from harness.run.dictionary_encoding import Coded, DistinctValues, Texts, as_codes
from harness.run.digests import Digests, digest
from harness.run.sample_file import PlannedSample, SharedValues

V = TypeVar("V")


@dataclass(frozen=True)
class SampleColumns(Sequence[PlannedSample]):
    """Samples in order, without question and media; each is made when it is asked for."""

    ids: Texts
    clusters: NDArray[np.int32]
    """(n,) numbers from 0 in order of appearance."""
    cluster_names: Texts
    """By number."""
    asks: Coded[tuple[str, ...]]
    targets: Mapping[str, Coded[Value | None]]
    """Field -> (n,) true values, None where there is none."""
    annotations: Coded[Mapping[str, Any]]

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, place: int) -> PlannedSample: ...
    @overload
    def __getitem__(self, place: slice) -> list[PlannedSample]: ...
    def __getitem__(self, place: int | slice) -> PlannedSample | list[PlannedSample]:
        if isinstance(place, slice):
            return [self[p] for p in range(len(self))[place]]
        known = ((name, column[place]) for name, column in self.targets.items())
        return PlannedSample(
            sample=self.ids[place],
            cluster=self.cluster_names[int(self.clusters[place])],
            question=None,
            asks=self.asks[place],
            targets={name: value for name, value in known if value is not None},
            annotations=self.annotations[place],
            media=(),
        )

    def __iter__(self) -> Iterator[PlannedSample]:
        return map(self.__getitem__, range(len(self)))

    @cached_property
    def order(self) -> array[int]:
        """Places of the samples, sorted by id."""
        return self.ids.order()

    def truths(self, field: str) -> Coded[Value | None]:
        """The true values of a field, None where there is none."""
        empty: Coded[Value | None] = Coded(np.zeros(len(self), dtype=np.int32), [None])
        return self.targets.get(field, empty)

    def truths_at(self, field: str, places: Sequence[int] | NDArray[np.int64]) -> Coded[Value]:
        """The true values of samples that have one."""
        return cast("Coded[Value]", self.truths(field).at(np.asarray(places, dtype=np.int64)))

    def known(self, field: str) -> NDArray[np.bool_]:
        """(n,) True where the true value of a field is known."""
        return self.truths(field).where(lambda value: value is not None)

    def notes(self, name: str) -> Coded[Any]:
        """The values of an annotation, None where there is none."""
        return self.annotations.turned(lambda found: found.get(name))

    def asking(self, field: str) -> NDArray[np.bool_]:
        """(n,) True where a sample asks for the field."""
        return self.asks.where(lambda asks: field in asks)


def read_columns(path: Path, annotations: Collection[str]) -> SampleColumns:
    """The samples of a file with the named annotations alone, as `gather` gives those of `read_lean_samples`.

    Raises HarnessError where the file is broken.
    """
    ids, clusters, shared = Texts(), _Clusters(), SharedValues()
    asks, notes = _Column[tuple[str, ...]](), _Column[Mapping[str, Any]](DistinctValues(key=id))
    targets: dict[str, _Column[Value | None]] = {}
    names = ["cluster", "asks", "targets", *(["annotations"] if annotations else [])]
    try:
        for batch in read_coded(path, "sample", names):
            found, count = batch.coded, len(ids)
            ids.extend(*batch.texts)
            clusters.extend(*found["cluster"])
            asks.extend(map(shared.asks, found["asks"][0]), found["asks"][1])
            said = found.get("annotations", ([None], np.zeros(len(ids) - count, dtype=np.int64)))
            notes.extend((shared.annotations(text, annotations) for text in said[0]), said[1])
            truths = [shared.targets(text) for text in found["targets"][0]]
            for name in {name: None for one in truths for name in one}:
                if name not in targets:
                    targets[name] = _Column()
                    targets[name].append(None, count)
            for name, column in targets.items():
                column.extend((one.get(name) for one in truths), found["targets"][1])
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise unreadable(path, str(error)) from None
    return _columns(ids, clusters, asks, targets, notes)


def gather(rows: Iterable[PlannedSample]) -> SampleColumns:
    """Samples put into columns, one at a time."""
    ids, clusters = Texts(), _Clusters()
    asks, notes = _Column[tuple[str, ...]](), _Column[Mapping[str, Any]](DistinctValues(key=id))
    targets: dict[str, _Column[Value | None]] = {}
    for count, row in enumerate(rows):
        ids.append(row.sample)
        clusters.append(row.cluster)
        asks.append(row.asks)
        notes.append(row.annotations)
        for name in row.targets:
            if name not in targets:
                targets[name] = _Column()
                targets[name].append(None, count)
        for name, column in targets.items():
            column.append(row.targets.get(name))
    return _columns(ids, clusters, asks, targets, notes)


def _columns(
    ids: Texts,
    clusters: _Clusters,
    asks: _Column[tuple[str, ...]],
    targets: Mapping[str, _Column[Value | None]],
    notes: _Column[Mapping[str, Any]],
) -> SampleColumns:
    return SampleColumns(
        ids=ids,
        clusters=as_codes(clusters.numbers),
        cluster_names=clusters.names,
        asks=asks.coded(),
        targets={name: column.coded() for name, column in sorted(targets.items())},
        annotations=notes.coded(),
    )


class _Column(Generic[V]):
    """A coded column that grows."""

    def __init__(self, pool: DistinctValues[V] | None = None) -> None:
        self._pool: DistinctValues[V] = DistinctValues() if pool is None else pool
        self._codes = array("i")

    def append(self, value: V, times: int = 1) -> None:
        code = self._pool.code(value)
        self._codes.extend((code,) * times)

    def extend(self, values: Iterable[V], numbers: NDArray[np.int64]) -> None:
        """Add several, given as distinct values and the number of each."""
        codes = np.array([self._pool.code(value) for value in values], dtype=np.intc)
        self._codes.frombytes(codes[numbers].tobytes())

    def coded(self) -> Coded[V]:
        return Coded(as_codes(self._codes), self._pool.values)


class _Clusters:
    """Clusters numbered as they come; samples of one mostly follow each other."""

    def __init__(self) -> None:
        self.numbers, self.names = array("i"), Texts()
        self._known = Digests(0)
        self._last: tuple[str, int] | None = None

    def append(self, name: str) -> None:
        if self._last is None or self._last[0] != name:
            number = self._known.number(digest(name))
            if number == len(self.names):
                self.names.append(name)
            self._last = (name, number)
        self.numbers.append(self._last[1])

    def extend(self, names: Sequence[str], numbers: NDArray[np.int64]) -> None:
        """Add several, given as distinct names and the number of each."""
        before = len(self.numbers)
        codes = np.full(len(names), -1, dtype=np.intc)
        _, first = np.unique(numbers, return_index=True)
        for place in np.sort(first).tolist():  # in order of appearance
            self.append(names[numbers[place]])
            codes[numbers[place]] = self.numbers[-1]
        del self.numbers[before:]
        self.numbers.frombytes(codes[numbers].tobytes())
