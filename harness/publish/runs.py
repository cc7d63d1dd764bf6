"""Open the run folders and exports of a table, figure or board together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.compare.candidates import Side, open_sides
from harness.core.errors import HarnessError, refuse_unused


@contextmanager
def opened(paths: Sequence[Path], *, secret: str | None = None) -> Iterator[list[Side]]:
    """Run folders and exports (folders or .zip) as sides of a comparison, while the block lasts.

    `secret` is what a key file of exports holds. Raises HarnessError for what is neither.
    """
    if len({path.resolve() for path in paths}) < len(paths):
        raise HarnessError("a run is named twice", hint="name each run once")
    with TemporaryDirectory(prefix="harness-") as scratch:
        sides = open_sides(paths, scratch=Path(scratch), secret=secret)
        if not any(side.exported for side in sides):
            refuse_unused("without an export", {"--id-key": secret})
        yield sides
