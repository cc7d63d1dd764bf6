"""What a service of batches offers, whatever the form that it speaks: that of OpenAI, Anthropic or Gemini."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.core.errors import HarnessError
from harness.models.http.batch_ledger import Submission

MARK = "affect_harness_batch"
"""The key of the metadata by which a batch is found whose id never came back."""
OVER = frozenset({"completed", "failed", "expired", "cancelled"})
"""How a batch ends; services have other words for the same."""
UNLIKE = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError)
"""What reading an answer of another shape than the service's form has may raise."""


class Refused(HarnessError):
    """The service plainly does not take what it was sent: nothing was submitted."""


class Gone(HarnessError):
    """The service does not know a batch, or a file of its results, any more."""


@dataclass(frozen=True, slots=True)
class BatchState:
    """How a batch stands."""

    id: str
    status: str
    files: tuple[str, ...] = ()
    """Those that hold its results."""
    input: str = ""
    """The file of its requests, where it was uploaded."""
    errors: str = ""
    """Why it was refused as a whole."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.status in OVER


@dataclass(frozen=True, slots=True)
class LineResult:
    """The answer to one line."""

    status: int
    """Of HTTP; 0 where the line was not asked."""
    body: bytes


class BatchApi(Protocol):
    """One service, asked about one model."""

    most_requests: int
    most_bytes: int

    def write(self, lines: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
        """The file of a batch, piece by piece, from the names and bodies of chat completions. Raises HarnessError for a
        body that holds what the service's batches do not take."""
        ...

    async def submit(self, file: Path, one: Submission, *, known: Collection[str] = ()) -> str:
        """Submit a file once, and return the id. Raises Refused where it is not taken. A request whose answer was lost is
        looked up before it is repeated (`find`). This, `find`, `state` and `results` raise one of UNLIKE for an answer of
        another shape."""
        ...

    async def find(self, one: Submission, *, known: Collection[str] = ()) -> str:
        """The id of the batch that was submitted before; empty where there is none. `known` are the ids of others."""
        ...

    async def state(self, id_: str) -> BatchState:
        """How a batch stands. Raises Gone where there is none."""
        ...

    async def results(self, state: BatchState) -> bytes:
        """The lines of its results, of those that failed too. Raises Gone."""
        ...

    def read(self, line: bytes) -> tuple[str, LineResult]:
        """The name and the answer of a line of the results. Raises one of UNLIKE for one of another
        shape."""
        ...

    async def forget(self, state: BatchState) -> None:
        """Delete what was uploaded; that it fails is no error."""
        ...

    async def close(self) -> None: ...
