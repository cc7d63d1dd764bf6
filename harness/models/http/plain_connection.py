"""HTTP/1.1 to servers without TLS and without a proxy, such as one on this machine.

llhttp (the parser of Node.js, through httptools) reads the responses. A request costs a third of what it costs with
aiohttp, which would bring its own parser, URLs, cookies, traces and TLS along; aiohttp is used for all else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TypeAlias, TypeVar, cast
from urllib.parse import quote, urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from multidict import CIMultiDict

from harness.models.http.response_body import SHARED, NoAnswer

T = TypeVar("T")
_Place: TypeAlias = tuple[str, int]
"""Host and port."""

MOST_HEAD = 1 << 16
"""Bytes without any of the body (headers, sizes of chunks, trailers) after which a response is given up."""
IDLE = 15.0
"""Seconds after which a connection is not used again; many servers close it after some time."""
_PIECE = 1 << 18
"""Bytes of a body that are handed to the socket at a time."""


class Connection(asyncio.Protocol):
    """One connection, and the response that comes on it (an `Arriving`)."""

    def __init__(self, ended: Callable[[Connection], None]) -> None:
        """`ended` is called once, when the connection is closed."""
        self._ended = ended
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        self.closed = asyncio.get_running_loop().create_future()
        self.since = 0.0
        """When its last exchange ended, by the clock of the loop."""
        self._waiter: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        """Set once the socket takes more, while it takes none."""
        self._asking = False
        self._begin()

    def _begin(self) -> None:
        self._fault: NoAnswer | None = None
        self._fields: list[tuple[str, str]] = []
        self._pieces: list[bytes] = []
        self._held, self._silent, self._most = 0, 0, SHARED
        self.status = 0
        self.length: int | None = None
        self.headers: Mapping[str, str] = {}
        self._to_the_end = False  # the body ends with the connection
        self._complete = self._lasts = self._surplus = False

    async def ask(self, head: bytes, body: bytes) -> None:
        """Send a request, and wait for the response: for all of it, or `SHARED` bytes. Raises NoAnswer."""
        self._begin()
        self._asking = True
        assert self._transport is not None
        if len(body) <= _PIECE:
            self._transport.write(head + body)
        else:
            await self._send(head, body)
        if not self._complete and self._fault is None:
            await self._wait()
        if self._fault is not None:
            raise self._fault

    async def _send(self, head: bytes, body: bytes) -> None:
        """Send a large body as the socket takes it, no further than the server answers."""
        assert self._transport is not None
        self._transport.write(head)
        for start in range(0, len(body), _PIECE):
            if self._room is not None:
                await self._room
            if self._complete or self._fault is not None:
                self._lasts = False
                return
            self._transport.write(body[start : start + _PIECE])

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def whole(self) -> bytes:
        """See `Arriving`."""
        if self._complete:  # as small ones are
            return b"".join(self._pieces)
        return b"".join([piece async for piece in self.pieces()])

    async def pieces(self) -> AsyncIterator[bytes]:
        """See `Arriving`. Raises NoAnswer."""
        self._most = 0
        while True:
            if not self._pieces and not self._complete and self._fault is None:
                assert self._transport is not None
                self._transport.resume_reading()
                await self._wait()
            if self._fault is not None:
                raise self._fault
            if not self._pieces:
                return
            piece = b"".join(self._pieces)
            self._pieces.clear()
            self._held = 0
            yield piece

    @property
    def reusable(self) -> bool:
        """Whether another request may follow: the response is whole, and nothing came behind it."""
        return self._complete and self._lasts and not self._surplus and not self.closed.done()

    def rest(self, now: float) -> None:
        """The exchange is over."""
        self._asking, self.since = False, now
        self._pieces.clear()

    def close(self) -> None:
        """Close it at once."""
        self._asking = False
        if self._transport is not None:
            self._transport.abort()

    def _over(self) -> bool:
        return self._complete or not self._asking

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def pause_writing(self) -> None:
        self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._over():  # never the answer to the next request
            self._surplus = True
            self.close()
            return
        self._silent += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._fail(f"the server does not speak HTTP/1.1: {error}")
            return
        if self._complete:
            self._wake()
        elif self._silent > MOST_HEAD:
            self._fail(f"the server sent {MOST_HEAD >> 10} kB of headers")
        elif self._held > self._most:
            assert self._transport is not None
            self._transport.pause_reading()
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(None)
        self._ended(self)
        if self._asking and not self._complete:
            if self._to_the_end and exc is None:
                self._complete = True
                self._wake()
            else:
                said = "the server closed the connection before its reply ended"
                self._fail(f"{said} ({exc})" if exc else said)
        self.resume_writing()

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._complete:
            self._surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._complete:
            self._fields.append((_text(name), _text(value)))

    def on_headers_complete(self) -> None:
        if self._complete:
            return
        self.status = self._parser.get_status_code()
        self.headers = CIMultiDict(self._fields)
        told = self.headers.get("Content-Length", "")
        self.length = int(told) if told.isdecimal() else None
        self._to_the_end = self.length is None and "Transfer-Encoding" not in self.headers

    def on_body(self, body: bytes) -> None:
        if self._complete:
            return
        self._silent = 0
        self._held += len(body)
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        if 100 <= self.status < 200:  # not yet the response
            self._fields = []
            return
        if not self._complete:
            self._complete = True
            self._lasts = self._parser.should_keep_alive()

    def _fail(self, said: str) -> None:
        self._fault = NoAnswer(said)
        self.close()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        self.resume_writing()


class Connections:
    """The open connections to servers, for one event loop."""

    def __init__(self, headers: Mapping[str, str], *, most: int) -> None:
        """`headers` go with every request; at most so many exchanges take place at a time."""
        self._headers = {"User-Agent": "affect-harness", **headers}
        self._free: dict[_Place, list[Connection]] = {}
        self._open: set[Connection] = set()
        self._posts: dict[str, tuple[_Place, bytes]] = {}
        self._room = asyncio.Semaphore(most)

    async def post(self, url: str, body: bytes, read: Callable[[Connection], Awaitable[T]]) -> T:
        """What `read` makes of the response to a body. Raises NoAnswer; ValueError for an address that is none."""
        if url not in self._posts:
            place, head = _head("POST", url, self._headers)
            self._posts[url] = place, head + b"Content-Length: "
        place, head = self._posts[url]
        return await self._exchange(place, head + b"%d\r\n\r\n" % len(body), body, read)

    async def get(
        self, url: str, more: Mapping[str, str], read: Callable[[Connection], Awaitable[T]]
    ) -> T:
        """What `read` makes of a page, asked for with `more` headers. Raises as `post` does."""
        place, head = _head("GET", url, {**self._headers, **more})
        return await self._exchange(place, head + b"\r\n", b"", read)

    async def close(self) -> None:
        """Close all."""
        ending = [connection.closed for connection in self._open]
        for connection in tuple(self._open):
            connection.close()
        if ending:
            await asyncio.wait(ending)

    async def _exchange(
        self,
        place: _Place,
        head: bytes,
        body: bytes,
        read: Callable[[Connection], Awaitable[T]],
    ) -> T:
        async with self._room:
            connection = self._resting(place) or await self._connect(place)
            try:
                await connection.ask(head, body)
                found = await read(connection)
            except BaseException:
                connection.close()
                raise
            if connection.reusable:
                connection.rest(asyncio.get_running_loop().time())
                self._free.setdefault(place, []).append(connection)
            else:
                connection.close()
            return found

    def _resting(self, place: _Place) -> Connection | None:
        """The connection that was used last, if any can still be."""
        free = self._free.get(place, [])
        now = asyncio.get_running_loop().time()
        while free:
            connection = free.pop()
            if not connection.closed.done() and now - connection.since < IDLE:
                return connection
            connection.close()
        return None

    async def _connect(self, place: _Place) -> Connection:
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(self._open.discard), *place, happy_eyeballs_delay=0.25
            )
        except OSError as error:
            said = error.strerror or str(error) or type(error).__name__
            raise NoAnswer(f"Cannot connect to host {place[0]}:{place[1]} [{said}]") from error
        self._open.add(connection)
        return connection


def _head(method: str, url: str, headers: Mapping[str, str]) -> tuple[_Place, bytes]:
    """Where a request goes, and its first line and headers. Raises ValueError for what cannot be written."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("not an http URL")
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    if parts.query:
        target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    host = parts.netloc.encode("ascii" if parts.netloc.isascii() else "idna")
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if any({"\r", "\n", "\0"} & set(line) for line in lines):
        raise ValueError("a header holds a line break")
    first = f"{method} {target} HTTP/1.1\r\nHost: ".encode()
    rest = "".join(f"\r\n{line}" for line in lines).encode()
    return (parts.hostname, parts.port or 80), first + host + rest + b"\r\n"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
