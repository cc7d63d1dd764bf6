"""A reader for one family of data sets as it lies on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from harness.core.sample import Sample


@dataclass(frozen=True, slots=True)
class Skipped:
    """Rows left out on purpose, and why."""

    reason: str
    count: int


class Source(Protocol):
    """Yields Samples lazily; may be iterated more than once, each time in the same order."""

    def __iter__(self) -> Iterator[Sample]: ...

    def digest(self) -> str:
        """Hex digest of the annotations as read (table bytes, options), not of the media."""
        ...

    def skipped(self) -> tuple[Skipped, ...]:
        """What the last complete iteration left out."""
        ...
