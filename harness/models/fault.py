"""What a server's refusals and silences mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.core.generation import ErrorKind
from harness.models.endpoint import KEY_MEND

AGAIN: Mapping[int, ErrorKind] = {
    408: "timeout",
    409: "server",
    425: "server",
    429: "rate-limit",
}
"""Statuses below 500 after which waiting may help."""

HOPELESS: Mapping[int, str] = {
    401: KEY_MEND,
    403: "use a key that may use this model",
    404: "check the model's name and the URL; the URL is the part before /chat/completions",
}
"""Statuses after which no request can succeed -> the hint."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One attempt that brought no reply."""

    kind: ErrorKind
    detail: str
    again: bool = True
    told: float | None = None
    """Seconds of the server's Retry-After."""
    busy: bool = False
    """A sign that the server has too much to do."""
    free: bool = False
    """The request itself was mended: ask again at once, and do not count the attempt."""
