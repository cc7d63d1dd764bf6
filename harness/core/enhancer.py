"""What enhances pictures: the names of methods, and endpoints outside this package, one call for each picture."""

from __future__ import annotations

import re
from typing import Protocol

from harness.core.errors import MediaError
from harness.core.generation import Failure

PREFIX = "enhance:"
"""What conditions begin with that enhance pictures."""
METHODS = ("lanczos", "clahe", "unsharp", "wiener")
"""The methods of this package. Every other name is that of an endpoint."""
ENDPOINT_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
"""How an endpoint may be called."""


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
