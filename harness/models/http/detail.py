"""Probe whether a server accepts `detail` of a picture, and whether its token counts change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.message import Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.http.completion import Completion
from harness.models.http.probe import Put, check_silence
from harness.models.http.request_dialect import TOKENS, grey_picture

SIDE = 1024
"""Pixels a side of the picture it is tried with: large enough that a low detail takes fewer tokens."""

TRIED = ("low", "high")
"""Between these a server that heeds the field counts otherwise."""


@dataclass(frozen=True, slots=True)
class DetailFound:
    """What was found."""

    tokens: tuple[tuple[str, int], ...]
    """(detail, prompt tokens of the same request); 0 where the server does not count."""

    @property
    def told(self) -> str:
        """`low 85, high 765`: for the manifest."""
        return ", ".join(f"{detail} {tokens or 'not told'}" for detail, tokens in self.tokens)

    @property
    def note(self) -> str:
        """What a person should know; empty where the server plainly heeds the field."""
        counts = dict(self.tokens)
        low, high = (counts[detail] for detail in TRIED)
        if not low or not high:
            return "accepts `detail`, but reports no token counts, so its effect cannot be verified"
        if low == high:
            return (
                f"takes `detail`, but counts {low:,} prompt tokens with low and with high for a picture of "
                f"{SIDE} by {SIDE} pixels: it seems to have no effect"
            )
        return ""


async def try_detail(put: Put, wanted: Sequence[str], *, name: str) -> DetailFound:
    """Put a small request with each detail wanted, and with low and high.

    Raises HarnessError where the server refuses one that it would take without, or does not answer.
    """
    counted = []
    for detail in dict.fromkeys((*TRIED, *wanted)):
        found = await put(_request(detail), {})
        if isinstance(found, Completion):
            counted.append((detail, found.usage.prompt_tokens))
            continue
        if detail not in wanted:
            check_silence(found)
            counted.append((detail, 0))
            continue
        await _refuse(found, put, detail, name=name)
    return DetailFound(tuple(counted))


async def _refuse(found: Generation, put: Put, detail: str, *, name: str) -> None:
    check_silence(found)
    said = "" if found.failure is None else f" ({found.failure.detail})"
    plain = await put(_request(""), {})
    if isinstance(plain, Completion):
        raise HarnessError(
            f"{name} does not accept image detail {detail!r}{said}",
            hint="leave it out; use --pixels to make pictures smaller before they are sent",
        )
    raise HarnessError(
        f"{name} refused a picture of {SIDE} by {SIDE} pixels, so it is not known whether it accepts `detail`{said}",
        hint="leave detail out, or check the server",
    )


def _request(detail: str) -> Request:
    asked = Message("user", (grey_picture(SIDE), Text("Say hello in one word.")))
    return make_request((asked,), Sampling(max_tokens=TOKENS), model="probe", detail=detail)
