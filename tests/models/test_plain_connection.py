"""HTTP/1.1 without TLS: what a server may send, and when a connection is used again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from harness.models.http.connection import Http
from harness.models.http.key_mask import Mask
from harness.models.http.plain_connection import MOST_HEAD
from harness.models.http.response_body import SHARED, NoAnswer

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfear"
Respond = Callable[[bytes, bytes, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """What it saw: the head of each request, and how many connections were opened."""

    def __init__(self) -> None:
        self.url = ""
        self.heads: list[bytes] = []
        self.opened = 0


@asynccontextmanager
async def serving(
    respond: Respond, *, host: str = "127.0.0.1"
) -> AsyncIterator[tuple[Server, Http]]:
    """A server that keeps its connections, and a client of it. `respond(head, body, writer)` answers a request."""
    seen = Server()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.opened += 1
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                seen.heads.append(head)
                length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
                await respond(head, await reader.readexactly(int(length or 0)), writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, host, 0)
    shown = f"[{host}]" if ":" in host else host
    seen.url = f"http://{shown}:{server.sockets[0].getsockname()[1]}/v1/ä b"
    http = Http({"X-Kind": "face"}, proxy=None, timeout=2, window=8, mask=Mask([]))
    try:
        yield seen, http
    finally:
        await http.close()
        server.close()


def saying(*pieces: bytes, close: bool = False) -> Respond:
    """Answers every request with these pieces, a moment apart."""

    async def respond(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.005)
        if close:
            writer.close()

    return respond


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nfe\r\n2\r\nar\r\n0\r\nX-End: 1\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "opened"),
    [
        pytest.param([FINE], 1, id="length"),
        pytest.param([FINE[k : k + 1] for k in range(len(FINE))], 1, id="byte by byte"),
        pytest.param([CHUNKED], 1, id="chunked"),
        pytest.param([CHUNKED[:55], CHUNKED[55:]], 1, id="chunked in two"),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n", FINE], 1, id="continue"),
        pytest.param([b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + FINE], 1, id="hints"),
        pytest.param([FINE.replace(b"OK", b"OK\r\nConnection: close")], 2, id="told to close"),
        pytest.param([FINE.replace(b"1.1", b"1.0")], 2, id="HTTP/1.0"),
        pytest.param([FINE, FINE.replace(b"fear", b"hate")], 2, id="two responses"),
        pytest.param([FINE + FINE.replace(b"fear", b"hate")], 2, id="two responses at once"),
    ],
)  # fmt: skip
async def test_a_reply_is_read_however_it_comes(pieces: list[bytes], opened: int) -> None:
    async with serving(saying(*pieces)) as (seen, http):
        for _ in range(2):
            got = await http.post(seen.url, b"{}")
            assert (got.status, got.data) == (200, b"fear")
            await asyncio.sleep(0.02)
    assert seen.opened == opened
    first, *lines = seen.heads[0].decode().split("\r\n")
    assert first == "POST /v1/%C3%A4%20b HTTP/1.1"
    assert {"X-Kind: face", "Content-Length: 2", "Accept-Encoding: identity"} <= set(lines)


async def test_a_body_without_a_length_ends_with_the_connection() -> None:
    async with serving(saying(b"HTTP/1.1 200 OK\r\n\r\nfe", b"ar", close=True)) as (seen, http):
        assert (await http.get(seen.url, {"Accept": "text/plain"})).data == b"fear"
    assert seen.heads[0].startswith(b"GET ") and b"Accept: text/plain\r\n" in seen.heads[0]
    assert b"Content-Length" not in seen.heads[0]


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([FINE[:-2]], "before its reply ended"),
        ([], "before its reply ended"),
        ([CHUNKED[:-8]], "before its reply ended"),
        ([b"SSH-2.0-OpenSSH\r\n"], "does not speak HTTP"),
        ([b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"], "does not speak HTTP"),
        ([b"HTTP/1.1 200 OK\r\n", b"X: " + b"a" * (MOST_HEAD + 1)], "64 kB of headers"),
        ([CHUNKED[:-4] + b"X: ", b"a" * (MOST_HEAD + 1)], "64 kB of headers"),
    ],
)  # fmt: skip
async def test_what_is_no_whole_reply_is_an_error(pieces: list[bytes], said: str) -> None:
    async with serving(saying(*pieces, close=True)) as (seen, http):
        with pytest.raises(NoAnswer, match=said):
            await http.post(seen.url, b"{}")


async def test_a_large_body_is_sent_whole_and_no_further_than_the_server_answers() -> None:
    sizes = []

    async def count(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        sizes.append(len(body))
        writer.write(FINE)

    async with serving(count) as (seen, http):
        assert (await http.post(seen.url, b"a" * (5 << 20))).data == b"fear"
    assert sizes == [5 << 20]

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.3)
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    http = Http({}, proxy=None, timeout=2, window=1, mask=Mask([]))
    port = server.sockets[0].getsockname()[1]
    got = await http.post(f"http://127.0.0.1:{port}/", b"a" * (50 << 20))
    await http.close()
    server.close()
    assert (got.status, got.headers["retry-after"]) == (413, "7")


async def test_large_replies_are_read_piece_by_piece() -> None:
    body = b"ab" * SHARED
    large = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with serving(saying(large)) as (seen, http):
        found = await asyncio.gather(*(http.post(seen.url, b"{}") for _ in range(4)))
        again = await http.post(seen.url, b"{}")
    assert all(got.data == body for got in (*found, again))
    assert seen.opened == 4


async def test_a_request_that_was_given_up_leaves_no_reply_for_the_next() -> None:
    turn = iter([0.3, 0, 0])

    async def late(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(next(turn))
        writer.write(FINE.replace(b"fear", body))

    async with serving(late) as (seen, http):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await http.post(seen.url, b"one1")
        assert (await http.post(seen.url, b"two2")).data == b"two2"
        assert (await http.post(seen.url, b"tri3")).data == b"tri3"
    assert seen.opened == 2


async def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    async with serving(saying(FINE, close=True)) as (seen, http):
        for _ in range(3):
            assert (await http.post(seen.url, b"{}")).data == b"fear"
            await asyncio.sleep(0.02)
    assert seen.opened == 3


async def test_what_cannot_be_asked() -> None:
    http = Http({"X-Key": "a\r\nX: b"}, proxy=None, timeout=2, window=1, mask=Mask([]))
    with pytest.raises(ValueError, match="line break"):
        await http.post("http://127.0.0.1:9/", b"")
    http = Http({}, proxy=None, timeout=2, window=1, mask=Mask([]))
    with pytest.raises(NoAnswer, match=r"Cannot connect to host 127\.0\.0\.1:9 "):
        await http.post("http://127.0.0.1:9/", b"")


async def test_ipv6() -> None:
    try:
        async with serving(saying(FINE), host="::1") as (seen, http):
            assert (await http.post(seen.url, b"{}")).data == b"fear"
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    assert b"\r\nHost: [::1]:" in seen.heads[0]
