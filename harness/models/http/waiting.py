"""Progress note while a server is probed before a run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SILENCE = 5.0
"""Seconds without a word."""


def to_terminal(line: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@contextmanager
def waiting_for(
    place: str, *, most: float, silence: float = SILENCE, say: Callable[[str], None] = to_terminal
) -> Iterator[None]:
    """Say after `silence` seconds that `place` is waited for, for `most` seconds at the most for a reply; in a running
    loop."""
    told = asyncio.get_running_loop().call_later(
        silence, say, f"waiting for {place} (up to {most:g} s for one reply)"
    )
    try:
        yield
    finally:
        told.cancel()
