"""The body of a response, decompressed as it comes, with limits on its size."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

MOST_BYTES = 64 << 20
"""Bytes of an answer, decompressed, beyond which it is given up."""
MOST_RESULTS = 1 << 30
"""Bytes of the results of a batch beyond which they are given up."""
SHARED = 1 << 20
"""Bytes of an answer beyond which answers are read one at a time, so that several large ones do not add up."""


class TooLarge(ValueError):
    """An answer of more than the limit."""


class Unreadable(ValueError):
    """An answer in an encoding that was not asked for, or that is broken."""


class NoAnswer(OSError):
    """No connection, one that ended before the answer did, or something that is not HTTP."""


class Arriving(Protocol):
    """A response whose head is there and whose body may still be on its way."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By their names in any case."""
        ...

    @property
    def length(self) -> int | None:
        """Bytes of the body as they are sent, where the head tells."""
        ...

    async def whole(self) -> bytes:
        """The body as it was sent."""
        ...

    def pieces(self) -> AsyncIterator[bytes]:
        """The body as it was sent, as it comes."""
        ...


async def read_body(arriving: Arriving, *, limit: int, large: asyncio.Lock) -> bytes:
    """The body, decompressed; `large` is held while more than `SHARED` bytes are. Raises TooLarge and Unreadable."""
    encoding = arriving.headers.get("Content-Encoding", "identity").strip().lower()
    length = arriving.length
    if length is not None and length <= SHARED and encoding in {"", "identity"}:
        return await arriving.whole()
    if length is not None and length > limit:
        raise TooLarge
    body = _Body(encoding, limit)
    pieces = arriving.pieces()
    async for piece in pieces:
        body.add(piece, most=SHARED)
        if body.size > SHARED:
            break
    else:
        return body.end()
    async with large:
        body.add(b"", most=limit)
        async for piece in pieces:
            body.add(piece, most=limit)
    return body.end()


class _Body:
    """A body that grows, decompressed as it comes; never larger than the limit."""

    def __init__(self, encoding: str, limit: int) -> None:
        self.size = 0
        self._limit = limit
        self._pieces: list[bytes] = []
        self._tail = b""
        self._zip: Any = None
        if encoding in {"gzip", "x-gzip", "deflate"}:
            self._zip = zlib.decompressobj(zlib.MAX_WBITS | 32)  # either header
        elif encoding not in {"", "identity"}:
            raise Unreadable(
                f"the response uses the encoding {encoding[:40]!r}, which was not requested"
            )

    def add(self, chunk: bytes, *, most: int) -> None:
        """Add what came. Of what is compressed no more than `most` bytes and one are made; the rest waits."""
        if self._zip is not None:
            try:
                chunk = self._zip.decompress(self._tail + chunk, max(1, most + 1 - self.size))
            except zlib.error as error:
                raise Unreadable(f"the response cannot be decompressed: {error}") from error
            self._tail = self._zip.unconsumed_tail
        self.size += len(chunk)
        if self.size > self._limit:
            raise TooLarge
        self._pieces.append(chunk)

    def end(self) -> bytes:
        return b"".join(self._pieces)
