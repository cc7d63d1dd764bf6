"""Probe which request parameters a server accepts, before any other request.

Every sampling parameter is sent, so that no default of a server applies unseen; but some servers refuse parameters even
at the values that change nothing, each in words of its own. So a small request is put with everything in it: a system
turn, a picture, all parameters. Where it is refused, what the words name is left out; where they name nothing that is
known, one thing after the other, until a request passes. That one passes is the proof.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from struct import pack
from typing import TypeAlias
from zlib import compress, crc32

from harness.core.message import Image, Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.http.request_body import NEUTRAL, PARAMETERS, parameters
from harness.models.http.server_messages import ServerMessage, refused_parameter

LIMIT = "max_tokens"
"""The one parameter that is not left out but renamed, to `max_completion_tokens`."""
TOKENS = 16
"""Limit of the replies to these requests: what is generated is not read."""
_MOST_TRIES = 8
_SIDE = 64
"""Pixels."""
_RESTORED = ("temperature", "seed", "top_p", "repetition_penalty", "top_k")
"""The order in which parameters that were left out together are tried again."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a server is asked."""

    dropped: frozenset[str] = frozenset()
    """Parameters of `PARAMETERS` that are left out; `max_tokens` is renamed instead."""
    stream: bool = False
    """Whether it replies only in streams."""
    system_role: bool = True
    """Whether it takes a system turn beside a picture."""
    picture: bool = field(default=True, compare=False)
    """Whether the request that passed held a picture; not told of the server, which may have disliked this one."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """Parameters whose value the server chooses, in alphabetical order."""
        return tuple(sorted(self.dropped - {LIMIT}))


Try: TypeAlias = Callable[[Request, Manners], Awaitable[ServerMessage | None]]
"""Puts one request; None where it was taken, else what the refusal says. Raises where no request can succeed."""


async def find_manners(put: Try, sampling: Sampling) -> Manners | None:
    """How a server is asked for replies with this sampling; None where it refuses all that was tried.

    The result may leave out a parameter that is not at its neutral value: that is for the caller to judge.
    """
    sampling = replace(sampling, max_tokens=TOKENS)
    manners = Manners()
    for _ in range(_MOST_TRIES):
        told = await put(_hello(manners, sampling), manners)
        if told is None:
            return manners
        changed = by_words(manners, told, sampling)
        if changed is None:
            break
        manners = changed
    for other in _alternatives(sampling):
        if await put(_hello(other, sampling), other) is None:
            return await _restored(put, other, sampling)
    return None


def by_words(manners: Manners, told: ServerMessage, sampling: Sampling) -> Manners | None:
    """The manners without what a refusal names; None where it names nothing that may be left out.

    Where several parameters are named, those at a neutral value go first: leaving them out changes the least.
    """
    if told.wants_stream and not manners.stream:
        return replace(manners, stream=True)
    sent = [name for name in PARAMETERS if name not in manners.dropped]
    name = refused_parameter(told.whole or told.message)
    neutral = neutral_names(sampling)
    if name not in sent or (name != LIMIT and name not in neutral):
        named = [n for n in reversed(_RESTORED) if n in sent and _mentions(told, n)]
        harmless = [n for n in named if n in neutral]
        name = harmless[0] if harmless else name if name in sent else None
    if name is not None:
        return replace(manners, dropped=manners.dropped | {name})
    if told.no_system_turn and manners.system_role:
        return replace(manners, system_role=False)
    return None


def neutral_names(sampling: Sampling) -> frozenset[str]:
    """The parameters that are at a value which changes nothing. A seed changes no reply's distribution."""
    values = parameters(sampling)
    return frozenset({n for n, value in NEUTRAL.items() if values[n] == value} | {"seed"})


def _mentions(told: ServerMessage, name: str) -> bool:
    return bool(re.search(rf"\b{name}\b", told.whole or told.message))


def _alternatives(sampling: Sampling) -> Iterator[Manners]:
    """Requests with less and less in them, where words did not help."""
    bare = neutral_names(sampling)
    renamed = bare | {LIMIT}
    yield Manners(bare)
    yield Manners(system_role=False)
    yield Manners(frozenset({LIMIT}))
    yield Manners(stream=True)
    yield Manners(picture=False)
    yield Manners(renamed)
    yield Manners(bare, system_role=False)
    yield Manners(renamed | {"temperature"})
    yield Manners(renamed | {"temperature"}, stream=True, system_role=False)
    yield Manners(renamed | {"temperature"}, stream=True, system_role=False, picture=False)


async def _restored(put: Try, passed: Manners, sampling: Sampling) -> Manners:
    """What passed, with all put back that the server takes."""
    if passed.stream:
        passed = await _if_taken(put, passed, replace(passed, stream=False), sampling)
    if not passed.system_role:
        passed = await _if_taken(put, passed, replace(passed, system_role=True), sampling)
    for name in (*_RESTORED, LIMIT):
        if name in passed.dropped:
            more = replace(passed, dropped=passed.dropped - {name})
            passed = await _if_taken(put, passed, more, sampling)
    return passed


async def _if_taken(put: Try, passed: Manners, more: Manners, sampling: Sampling) -> Manners:
    return more if await put(_hello(more, sampling), more) is None else passed


def _hello(manners: Manners, sampling: Sampling) -> Request:
    user = (Text("Say hello in one word."),)
    messages = [Message("user", (grey_picture(_SIDE), *user) if manners.picture else user)]
    if manners.system_role:
        messages.insert(0, Message("system", (Text("You answer in one word."),)))
    return make_request(tuple(messages), sampling, model="probe")


def grey_picture(side: int) -> Image:
    """A grey picture of `side` by `side` pixels."""
    return plain_picture(side, b"\x80\x80\x80")


def plain_picture(side: int, colour: bytes) -> Image:
    """A picture of `side` by `side` pixels of one colour (red, green, blue), written by hand: a library for pictures takes
    long to load."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data))

    head = pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    lines = compress((b"\0" + colour * side) * side)
    whole = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")
    )
    return Image("plain.png", whole)
