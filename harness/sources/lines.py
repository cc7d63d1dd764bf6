"""Lines of a text file, with a limit on their length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from harness.core.errors import HarnessError
from harness.core.json_text import LONGEST


def bounded_lines(file: TextIO, path: Path) -> Iterator[str]:
    """The lines of an open file. Raises HarnessError, naming `path` and the line, for one of over LONGEST characters."""
    number = 0
    while line := file.readline(LONGEST):
        number += 1
        if len(line) == LONGEST and not line.endswith("\n"):
            raise HarnessError(
                f"{path.name}, line {number}: longer than {LONGEST >> 20} million characters",
                hint="each row must be one line; get the file again",
            )
        yield line
