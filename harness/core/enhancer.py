"""What enhances pictures outside this package: one call for each picture."""

from __future__ import annotations

from typing import Protocol

from harness.core.errors import MediaError
from harness.core.generation import Failure


class Enhancer(Protocol):
    """An endpoint that a run may ask."""

    def enhanced(self, png: bytes, *, name: str) -> bytes:
        """The picture as it comes back: a PNG of the same size. Raises EnhancerError where none comes.

        `name` is what the picture is called in errors.
        """
        ...


class EnhancerError(MediaError):
    """A picture was not enhanced; `failure` is what its trials record."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail, kind="unenhanced")
        self.failure = failure
