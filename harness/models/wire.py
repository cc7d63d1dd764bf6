"""Requests and replies as bytes, for models in other processes and on other machines. JSON, and pictures as they are."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from harness.core.constraint import Constraint, Need
from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.message import Audio, Image, Message, Video
from harness.core.model import CacheCounts, Card
from harness.core.request import Request, Sampling
from harness.core.tool import Offer
from harness.models.registry import OpenOptions

_HEAD = struct.Struct("<I")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests that are sent together."""

    requests: tuple[Request, ...]
    wanted: tuple[str, ...]
    """Keys of those whose replies are wanted."""


@dataclass(frozen=True, slots=True)
class Order:
    """Which model a replica is to open, and how."""

    spec: str
    called: str
    options: OpenOptions
    needs: frozenset[Need] = frozenset()
    """What it is to find out of its model (`harness.core.model.Probing`)."""
    details: tuple[str, ...] = ()
    """Words for the image detail that it is to try."""
    apart: bool = False
    """Whether it is to find out that pictures are kept apart."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a replica is."""

    host: str
    process: int
    devices: str = ""
    """The GPUs that it sees, as CUDA_VISIBLE_DEVICES has them."""

    def __str__(self) -> str:
        seen = f", GPU {self.devices}" if self.devices else ""
        return f"{self.host}, process {self.process}{seen}"


@dataclass(frozen=True, slots=True)
class Told:
    """What a replica says of itself."""

    place: Place
    card: Card
    note: str = ""
    """What it found of the image detail."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the caches of a replica's server did."""

    counts: CacheCounts | None


@dataclass(frozen=True, slots=True)
class _Sent:
    key: str
    messages: tuple[Message, ...]
    sampling: Sampling
    constraint: Constraint | None
    candidates: tuple[str, ...]
    thinking: str
    detail: str
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class _Head:
    requests: tuple[_Sent, ...]
    wanted: tuple[str, ...]
    pictures: tuple[tuple[str, int], ...]
    """Digest and bytes of each picture, in the order in which they follow."""


def pack_asked(requests: Sequence[Request], wanted: Collection[str]) -> bytes:
    """Requests as bytes; a picture that several of them hold is in there once.

    Raises ValueError for a request that lends tools, which live in one process.
    """
    pictures: dict[str, bytes] = {}

    def without(image: Image | Audio) -> Image | Audio:
        pictures[image.digest] = image.data
        return replace(image, data=b"")

    sent = []
    for one in requests:
        if one.lent is not None:
            raise ValueError("tools that are lent cannot be sent to another process")
        sent.append(
            _Sent(
                one.key, _with_images(one.messages, without), one.sampling, one.constraint, one.candidates,
                one.thinking, one.detail, one.offer,
            )
        )  # fmt: skip
    sizes = tuple((name, len(data)) for name, data in pictures.items())
    head = pack(_Head, _Head(tuple(sent), tuple(wanted), sizes))
    return b"".join((_HEAD.pack(len(head)), head, *pictures.values()))


def unpack_asked(data: bytes) -> Asked:
    """What `pack_asked` wrote."""
    (length,) = _HEAD.unpack_from(data)
    head = unpack(_Head, data[_HEAD.size : _HEAD.size + length])
    pictures, start = {}, _HEAD.size + length
    for name, size in head.pictures:
        pictures[name] = data[start : start + size]
        start += size
    requests = (
        Request(
            one.key,
            _with_images(one.messages, lambda image: replace(image, data=pictures[image.digest])),
            one.sampling, one.constraint, one.candidates, one.thinking, one.detail, one.offer,
        )
        for one in head.requests
    )  # fmt: skip
    return Asked(tuple(requests), head.wanted)


def pack(kind: type[T], value: T) -> bytes:
    """A frozen dataclass of this package as JSON."""
    return _adapter(kind).dump_json(value)


def unpack(kind: type[T], data: bytes) -> T:
    """What `pack` wrote. Raises HarnessError where it is something else."""
    try:
        found: T = _adapter(kind).validate_json(data)
    except ValidationError as error:
        raise HarnessError(
            f"a replica sent what is no {kind.__name__}",
            hint="use the same version of affect-harness on all machines",
        ) from error
    return found


def pack_error(error: HarnessError) -> bytes:
    """An error as JSON."""
    return json.dumps([error.message, error.hint]).encode()


def unpack_error(data: bytes) -> HarnessError:
    """What `pack_error` wrote."""
    message, hint = json.loads(data)
    return HarnessError(str(message), hint=str(hint))


def pack_generation(generation: Generation) -> bytes:
    """A reply as JSON."""
    return pack(Generation, generation)


def unpack_generation(data: bytes) -> Generation:
    """What `pack_generation` wrote."""
    return unpack(Generation, data)


def _adapter(kind: Any) -> TypeAdapter[Any]:
    return _made(kind)


@cache
def _made(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _with_images(messages: Sequence[Message], change: Callable[[Any], Any]) -> tuple[Message, ...]:
    def changed(part: Any) -> Any:
        if isinstance(part, Image | Audio):
            return change(part)
        if isinstance(part, Video):
            return replace(part, frames=tuple(map(change, part.frames)))
        return part

    return tuple(replace(m, parts=tuple(map(changed, m.parts))) for m in messages)
