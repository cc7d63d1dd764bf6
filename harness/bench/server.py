"""A cheap chat-completions server for measuring clients, with configurable latency and faults. It counts requests.

The reply is a word drawn from the digest of the picture, so every client that sends the same picture is told
the same. Faults too are chosen by picture, never by time, so that two runs meet the same ones.

`python -m harness.bench.server` prints its address and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from typing import Any

HELLO = b"Say hello in one word."
"""In the request by which our client finds out how a server wants to be asked; counted apart from those of a run."""
APART = b"Which colour fills this picture?"
"""In requests by which our client finds out whether pictures are kept apart; counted apart too."""
WORDS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
FAULTS = ("500", "429", "garbage", "empty", "hang")
MODEL = "stub"


@dataclass(slots=True)
class Orders:
    """How it behaves from now on."""

    latency: float = 0.0
    """Seconds before each reply."""
    faults: dict[str, float] = field(default_factory=dict)
    """Fault (see `FAULTS`) -> share of the pictures that meet it."""
    lasting: bool = False
    """Every attempt of such a picture meets the fault; otherwise only the first."""
    retry_after: float = 0.1
    """Seconds named in a 429."""


@dataclass(slots=True)
class Seen:
    """What it saw since the last reset."""

    requests: int = 0
    faulted: Counter[str] = field(default_factory=Counter)
    """Fault -> replies that were one."""
    most_in_flight: int = 0
    first: float = 0.0
    last: float = 0.0
    """When the first request came and the last was answered, by the monotonic clock, in seconds."""
    attempts: Counter[bytes] = field(default_factory=Counter)
    """Digest of the request -> times asked."""

    def summary(self) -> dict[str, Any]:
        """Counts; `distinct` and `repeated` add up to `requests`."""
        return {
            "requests": self.requests,
            "distinct": len(self.attempts),
            "repeated": self.requests - len(self.attempts),
            "faulted": dict(self.faulted),
            "most_in_flight": self.most_in_flight,
            "seconds": self.last - self.first,
            "first": self.first,
        }


class Server:
    """The state that all connections share."""

    def __init__(self) -> None:
        self.orders = Orders()
        self.seen = Seen()
        self._flying = 0

    def arrive(self, body: bytes) -> None:
        """A chat request is complete."""
        self._flying += 1
        if _is_hello(body):
            return
        self.seen.first = self.seen.first or time.monotonic()
        self.seen.requests += 1
        self.seen.most_in_flight = max(self.seen.most_in_flight, self._flying)

    def reply(self, body: bytes) -> bytes | None:
        """The whole response to a chat request; None where none will ever come."""
        self._flying -= 1
        if _is_hello(body):
            message = {"role": "assistant", "content": "hello"}
            return response(200, {"choices": [{"message": message, "finish_reason": "stop"}]})
        self.seen.last = time.monotonic()
        digest, request = _digest(body), hashlib.blake2b(body, digest_size=8).digest()
        self.seen.attempts[request] += 1
        fault = self._fault(digest, again=self.seen.attempts[request] > 1)
        if fault:
            self.seen.faulted[fault] += 1
        if fault == "hang":
            return None
        if fault == "500":
            return response(500, {"error": {"message": "stub fault 500"}})
        if fault == "429":
            wait = f"Retry-After: {self.orders.retry_after:g}\r\n"
            return response(429, {"error": {"message": "stub fault 429"}}, more=wait)
        if fault == "garbage":
            return _whole(200, b'{"id": "broken", "choices": [{"mess')
        word = "" if fault == "empty" else WORDS[digest[0] % len(WORDS)]
        return response(
            200,
            {
                "id": "chatcmpl-" + digest.hex(), "object": "chat.completion", "model": MODEL,
                "choices": [
                    {
                        "index": 0, "finish_reason": "stop",
                        "message": {"role": "assistant", "content": word},
                    }
                ],
                "usage": {"prompt_tokens": 280, "completion_tokens": 2, "total_tokens": 282},
            },
        )  # fmt: skip

    def control(self, method: bytes, path: bytes, body: bytes) -> bytes:
        """Whatever is no chat request: what is served, the counts, a reset, new orders."""
        if path == b"/v1/models":
            return response(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        if path == b"/seen":
            return response(200, self.seen.summary())
        if (method, path) == (b"POST", b"/reset"):
            self.seen = Seen()
            known = {one.name for one in fields(Orders)}
            orders = {k: v for k, v in json.loads(body or b"{}").items() if k in known}
            self.orders = Orders(**orders)
            return response(200, asdict(self.orders))
        return response(404, {"error": {"message": "no such path"}})

    def _fault(self, digest: bytes, *, again: bool) -> str:
        orders = self.orders
        if not orders.faults or (again and not orders.lasting):
            return ""
        place, edge = int.from_bytes(digest[4:8], "big") / 2**32, 0.0
        for name, share in orders.faults.items():
            edge += share
            if place < edge:
                return name
        return ""


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with a Content-Length, one request after the other; no more is needed here."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._held = bytearray()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._held += data
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._held[:end])
        at = head.lower().find(b"content-length:")
        size = 0 if at < 0 else int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(self._held) < end + 4 + size:
            return
        body = bytes(self._held[end + 4 : end + 4 + size])
        del self._held[: end + 4 + size]
        method, path = head.split(b" ", 2)[:2]
        if not path.endswith(b"/chat/completions"):
            self._send(self._server.control(method, path, body))
            return
        self._server.arrive(body)
        if self._server.orders.latency > 0:
            self._loop.call_later(self._server.orders.latency, self._chat, body)
        else:
            self._chat(body)

    def _chat(self, body: bytes) -> None:
        data = self._server.reply(body)
        if data is not None:
            self._send(data)

    def _send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


def _is_hello(body: bytes) -> bool:
    """Whether a request only finds out what the server accepts: it is neither counted nor timed."""
    return HELLO in body[-400:] or APART in body[-1000:]


def _digest(body: bytes) -> bytes:
    """Of the first picture's base64, or of the whole body where there is none."""
    start = body.find(b";base64,")
    part = body if start < 0 else body[start : body.find(b'"', start)]
    return hashlib.blake2b(part, digest_size=8).digest()


def response(status: int, body: Any, *, more: str = "") -> bytes:
    """A response with a JSON body and further header lines."""
    return _whole(status, json.dumps(body).encode(), more=more)


def _whole(status: int, body: bytes, *, more: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{more}\r\n"
    )
    return head.encode() + body


async def serve(server: Server) -> None:
    """Serve on a free port of 127.0.0.1, print the address, and go on for ever."""
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: _Connection(server), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Server()))
