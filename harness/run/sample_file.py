"""`private/samples/TASK.parquet`: the samples of a task as planned, so that scoring needs no source."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.core.sample import Value
from harness.run.columns import read_table, unreadable, write_table

COLUMNS = ("sample", "cluster", "question", "asks", "targets", "annotations", "media")


@dataclass(frozen=True, slots=True)
class PlannedSample:
    """One row of `private/samples/TASK.parquet`: a Sample without its media."""

    sample: str
    cluster: str
    question: str | None
    asks: tuple[str, ...]
    """Fields asked, of those the task has."""
    targets: Mapping[str, Value]
    annotations: Mapping[str, Any]
    media: tuple[str, ...]
    """Names of the pictures, frames in order of time."""


def write_rows(path: Path, rows: Iterable[PlannedSample]) -> None:
    """Write one row a sample, a batch at a time. Raises HarnessError when it cannot."""
    write_table(path, COLUMNS, (_row(row) for row in rows))


def _row(row: PlannedSample) -> dict[str, str | None]:
    return {
        "sample": row.sample,
        "cluster": row.cluster,
        "question": row.question,
        "asks": _asks(row.asks),
        "targets": _SORTED.encode(dict(row.targets)),
        "annotations": _PLAIN.encode(dict(row.annotations)) if row.annotations else "{}",
        "media": f"[{', '.join(map(_PLAIN.encode, row.media))}]",
    }


@lru_cache(maxsize=64)
def _asks(asks: tuple[str, ...]) -> str:
    """As JSON. Most samples ask for the same fields."""
    return json.dumps(asks)


_PLAIN = json.JSONEncoder(ensure_ascii=False, default=str)
_SORTED = json.JSONEncoder(ensure_ascii=False, sort_keys=True)


def read_samples(path: Path) -> Iterator[PlannedSample]:
    """The rows of a samples file, a batch at a time. Raises HarnessError where it is broken."""
    shared = SharedValues()
    return _made(
        path,
        COLUMNS,
        lambda row: PlannedSample(
            sample=row["sample"],
            cluster=row["cluster"],
            question=row["question"],
            asks=shared.asks(row["asks"]),
            targets=shared.targets(row["targets"]),
            annotations=json.loads(row["annotations"]),
            media=tuple(json.loads(row["media"])),
        ),
    )


def read_lean_samples(path: Path, annotations: Collection[str]) -> Iterator[PlannedSample]:
    """The rows with the named annotations alone, without question and media. Equal values are mostly one object.

    Raises HarnessError where the file is broken.
    """
    shared = SharedValues()
    names = ("sample", "cluster", "asks", "targets", *(("annotations",) if annotations else ()))
    return _made(
        path,
        names,
        lambda row: PlannedSample(
            sample=row["sample"],
            cluster=row["cluster"],
            question=None,
            asks=shared.asks(row["asks"]),
            targets=shared.targets(row["targets"]),
            annotations=shared.annotations(row.get("annotations"), annotations),
            media=(),
        ),
    )


def _made(
    path: Path, names: Sequence[str], make: Callable[[dict[str, Any]], PlannedSample]
) -> Iterator[PlannedSample]:
    """What `make` makes of each row; a cell that is no JSON of its kind is an error that names the file."""
    try:
        for row in read_table(path, names):
            yield make(row)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise unreadable(path, str(error)) from None


class SharedValues:
    """Values read from JSON text, each distinct one parsed once (as long as they are not too many)."""

    MOST = 65536

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def asks(self, text: str) -> tuple[str, ...]:
        found: tuple[str, ...] = self._once("a" + text, lambda: tuple(json.loads(text)))
        return found

    def targets(self, text: str) -> Mapping[str, Value]:
        found: Mapping[str, Value] = self._once(
            "t" + text, lambda: {k: _value(v) for k, v in json.loads(text).items()}
        )
        return found

    def annotations(self, text: str | None, names: Collection[str]) -> Mapping[str, Any]:
        wanted = {k: v for k, v in json.loads(text).items() if k in names} if text else {}
        found: Mapping[str, Any] = self._once(f"n{wanted}", lambda: wanted)
        return found

    def _once(self, key: str, make: Callable[[], Any]) -> Any:
        value = self._known.get(key)
        if value is None:
            value = make()
            if len(self._known) < self.MOST:
                self._known[key] = value
        return value


def _value(value: Any) -> Value:
    return tuple(value) if isinstance(value, list) else value
