"""A handle on the sound of a sample, which is read on demand."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Sound(Protocol):
    """What is heard with a picture or clip, wherever it lies."""

    @property
    def name(self) -> str:
        """What people call it: a path, `faces/test-7-0000012.wav`."""
        ...

    def read(self) -> bytes:
        """A WAV file. Raises MediaError."""
        ...
