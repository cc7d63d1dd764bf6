"""Classify errors and timeouts of a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.core.errors import HarnessError
from harness.core.generation import ErrorKind, Generation, Refusal
from harness.models.http.endpoint import KEY_MEND
from harness.models.http.server_messages import BLOCKED, ServerMessage, delay_of, refused_parameter

AGAIN: Mapping[int, ErrorKind] = {
    408: "timeout",
    409: "server",
    425: "server",
    504: "timeout",
    524: "timeout",
}
"""Statuses after which waiting may help, besides 429 and the others from 500 on."""

BUSY = frozenset({429, 503, 529})
"""Statuses that say that the server has too much to do."""

HOPELESS: Mapping[int, str] = {
    401: KEY_MEND,
    402: "check your account at the provider",
    403: "use a key with access to this model",
    404: "check the model name and the URL; give the URL without /chat/completions",
}
"""Statuses after which no request can succeed, where none ever has -> the hint."""

_FILTERS = frozenset({200, 400, 403, 422, 451})
"""Statuses that a platform's filter answers with."""


@dataclass(frozen=True, slots=True)
class HttpFault:
    """One attempt that brought no reply."""

    kind: ErrorKind
    detail: str
    again: bool = True
    told: float | None = None
    """Seconds that the server asks to wait."""
    busy: bool = False
    """A sign that the server has too much to do."""
    limited: bool = False
    """A rate was exceeded: it is waited out, and counts no attempt."""
    words: ServerMessage | None = None
    """What the server said with a refusal."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """A platform's filter did not let the request through: a reply of its own kind, not a failure."""

    said: str
    word: str

    def generation(self, key: str, latency: float = 0.0) -> Generation:
        """The reply to the request named `key`."""
        return Generation(
            key,
            "",
            "filtered",
            latency=latency,
            word=self.word,
            refusal=Refusal("platform", self.said),
        )


def judge(
    status: int, told: ServerMessage, headers: Mapping[str, str], *, place: str, succeeded: bool
) -> HttpFault | Blocked:
    """What a status and the words that came with it mean for one request.

    `place` is where it was sent; `succeeded` says that another request was answered before. Raises HarnessError
    where no request can succeed.
    """
    status = (told.status or status) if status == 200 else status
    said = f"HTTP {status}: {told.message}"
    if told.blocked and status in _FILTERS:
        return Blocked(told.message, told.code or BLOCKED)
    delay = max((d for d in (delay_of(headers), told.delay) if d), default=None)
    if told.unpaid and delay is None and status in {200, 400, 402, 403, 429}:
        raise HarnessError(f"{place} answered {said}", hint=HOPELESS[402])
    if status == 429 or told.code in {"rate_limit_exceeded", "RESOURCE_EXHAUSTED"}:
        return HttpFault("rate-limit", said, told=delay, busy=delay is None, limited=True)
    if status >= 500 and (told.no_system_turn or refused_parameter(told.whole)):
        return HttpFault("rejected", said, again=False, words=told)  # a chat template that raises
    if status in AGAIN or status >= 500 or status == 200:
        kind = AGAIN.get(status, "server")
        return HttpFault(kind, said, told=delay, busy=status in BUSY)
    if 200 < status < 400:
        target = headers.get("Location", "")
        where = f"HTTP {status}, a redirect to {target[:200]}" if target else said
        raise HarnessError(
            f"{place} answered {where}", hint="use the address that the server itself answers at"
        )
    if status == 402 or (status in HOPELESS and not succeeded):
        raise HarnessError(f"{place} answered {said}", hint=HOPELESS[status])
    return HttpFault("rejected", said, again=False, words=told)
