"""An OpenAI-compatible server for tests: latency and faults to order, and everything it saw.

    with running_stub(faults={"picture one": ["500", "429"]}) as stub:
        ...  # stub.url, stub.count, stub.requests

It runs in its own thread, so it serves synchronous and asynchronous callers alike. By hand:
`python -m tests.models.stub --port 8765`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

from aiohttp import web

HELLO = "Say hello in one word."
APART = "Which colour fills this picture? Answer with one word."
"""How a request ends by which it is found out whether pictures are kept apart."""
WORDS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


@dataclass
class Stub:
    """What a stub does, and what it saw.

    A fault is one of: an HTTP status ("500", "429", "401", ...), "garbage" (not JSON), "missing" (JSON
    without choices), "empty", "null", "length", "filter", "refuse", "drop" (connection closed), "hang",
    "context" (400, too long), "images:N" (400 for more than N pictures), "unknown:NAME" (400 whenever that parameter is present),
    "redirect" (307 to another host), "blank" (200 without a body), "truncated" (closed before the end),
    "400:WORDS" (400 with these words), "echo" (500 that repeats the Authorization header), "echo-reply" (a reply that does), or "ok".
    """

    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Marker to faults: a request whose text holds the marker meets them one an attempt, then succeeds."""
    always: Mapping[str, str] = field(default_factory=dict)
    """Marker to the fault that every attempt meets. The marker "" is in every request."""
    choose: Callable[[dict[str, Any]], str] | None = None
    """The fault, or "ok", of every attempt of a request, from its parsed body."""
    answer: Callable[[dict[str, Any]], str] | None = None
    """Reply from the parsed body; otherwise one of WORDS by the hash of pictures (text if none)."""
    extend: Callable[[dict[str, Any], dict[str, Any]], None] | None = None
    """Changes a completion in place, from the parsed body: constraints obeyed, log-probabilities."""
    tokenize: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """What `/tokenize` says of a parsed body; without it there is no such page."""
    metrics: Callable[[Stub], str] | None = None
    """What `/metrics` shows; without it there is no such page."""
    latency: float = 0.0
    together: int = 0
    """No chat request is answered before so many are in flight at once; those of `hellos` are, and do not count."""
    held: int = 0
    """Chat requests that have waited for that."""
    retry_after: str = "0"
    model: str = "stub"
    adapters: Sequence[str] = ()
    """Further models that it serves."""
    version: str = "0.0.stub"
    key: str = ""
    """Where set, the bearer token that is asked for."""
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Parsed bodies of chat requests, in the order of arrival, without those of `hellos`."""
    hellos: list[dict[str, Any]] = field(default_factory=list)
    """Parsed bodies of requests by which it is found out how a server wants to be asked."""
    raw: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    every: list[dict[str, str]] = field(default_factory=list)
    """Headers of all requests, those for lists and versions too."""
    times: list[float] = field(default_factory=list)
    """`time.monotonic` at each arrival."""
    in_flight: int = 0
    peak: int = 0
    """Most chat requests in flight at once."""
    attempts: Counter[bytes] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """Chat requests received."""
        return len(self.requests)

    def catch_up(self) -> None:
        """Wait until all that was sent has arrived: requests of a client that was killed may still be on their way.

        What was sent before a connection was opened is read before what comes over it.
        """
        for _ in range(3):
            connection = HTTPConnection(self.url.removeprefix("http://"), timeout=60)
            connection.request("GET", "/health")
            connection.getresponse().read()
            connection.close()

    def reset(self) -> None:
        """Forget what was seen."""
        for seen in (self.hellos, self.requests, self.raw, self.headers, self.times, self.attempts):
            seen.clear()
        self.peak = 0

    async def models(self, request: web.Request) -> web.Response:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return _error(401, "Unauthorized")
        row = {"id": self.model, "object": "model", "root": "/weights/stub", "max_model_len": 4096}
        rows = [row, *(row | {"id": name} for name in self.adapters)]
        return web.json_response({"object": "list", "data": rows})

    async def about(self, request: web.Request) -> web.Response:
        return web.json_response({"version": self.version})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        body = json.loads(data)
        hello = contents(body)[0].endswith((HELLO, APART))
        if hello:
            self.hellos.append(body)
        else:
            self.requests.append(body)
            self.raw.append(data)
            self.headers.append(dict(request.headers))
            self.times.append(time.monotonic())
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            self.held += bool(self.together and not hello)
            while self.held < self.together and not hello:
                await asyncio.sleep(0.005)
            if self.latency:
                await asyncio.sleep(self.latency)
            return await self._respond(request, body)
        finally:
            self.in_flight -= 1

    async def _respond(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return _error(401, "Incorrect API key provided")
        if body["model"] not in {self.model, *self.adapters}:
            return _error(404, f"The model `{body['model']}` does not exist.")
        fault = self._fault(body)
        if fault.startswith("unknown:"):
            name = fault.partition(":")[2]
            if name in body:
                return _error(400, f"Unrecognized request argument supplied: {name}")
        if fault == "drop":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault == "hang":
            await asyncio.sleep(30)
        if fault.startswith("400:"):
            return _error(400, fault.removeprefix("400:"))
        if fault.isdigit():
            headers = {"Retry-After": self.retry_after} if fault in ("429", "503") else {}
            return _error(int(fault), f"stub fault {fault}", headers)
        if fault == "echo":
            return _error(500, f"bad header {request.headers.get('Authorization')}")
        if fault == "echo-reply":
            return web.json_response(
                self._completion(body, f"say:{request.headers.get('Authorization')}")
            )
        if fault == "blank":
            return web.Response(body=b"", content_type="application/json")
        if fault == "truncated":
            whole = json.dumps(self._completion(body, "ok")).encode()
            response = web.StreamResponse(headers={"Content-Length": str(len(whole))})
            await response.prepare(request)
            await response.write(whole[: len(whole) // 2])
            assert request.transport is not None
            request.transport.abort()
            return response
        if fault == "redirect":
            raise web.HTTPTemporaryRedirect("http://elsewhere.invalid/v1/chat/completions")
        if fault.startswith("images:"):
            most = int(fault.partition(":")[2])
            if len(contents(body)[1]) > most:
                return _error(400, f"At most {most} image(s) may be provided in one prompt.")
        if fault == "context":
            return _error(400, "This model's maximum context length is 4096 tokens")
        if fault == "garbage":
            return web.Response(body=b'{"choices": [{"mess', content_type="application/json")
        if fault == "missing":
            return web.json_response({"id": "x", "choices": []})
        completion = self._completion(body, fault)
        if self.extend is not None:
            self.extend(body, completion)
        return web.json_response(completion)

    async def tokens(self, request: web.Request) -> web.Response:
        if self.tokenize is None:
            raise web.HTTPNotFound
        return web.json_response(self.tokenize(await request.json()))

    async def counters(self, request: web.Request) -> web.Response:
        if self.metrics is None:
            raise web.HTTPNotFound
        return web.Response(text=self.metrics(self), content_type="text/plain")

    def _fault(self, body: dict[str, Any]) -> str:
        if self.choose is not None and (fault := self.choose(body)) != "ok":
            return fault
        text, _ = contents(body)
        for marker, fault in self.always.items():
            if marker in text:
                return fault
        for marker, script in self.faults.items():
            if marker in text:
                digest = hashlib.sha256(text.encode()).digest()
                self.attempts[digest] += 1
                nth = self.attempts[digest]
                return script[nth - 1] if nth <= len(script) else "ok"
        return "ok"

    def _completion(self, body: dict[str, Any], fault: str) -> dict[str, Any]:
        text: str | None = self.answer(body) if self.answer else _word(body)
        text = {"empty": "", "null": None, "refuse": "I can't help with identifying people."}.get(
            fault, text
        )
        if fault.startswith("say:"):
            text = fault.removeprefix("say:")
        finish = {"length": "length", "filter": "content_filter"}.get(fault, "stop")
        message = {"role": "assistant", "content": text}
        return {
            "id": "chatcmpl-stub",
            "object": "chat.completion",
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 2, "total_tokens": 13},
        }


def contents(body: dict[str, Any]) -> tuple[str, list[bytes]]:
    """(all texts joined by line breaks, all pictures decoded), in order."""
    texts, pictures = [], []
    for message in body["messages"]:
        parts = message["content"] or ""
        for part in [{"type": "text", "text": parts}] if isinstance(parts, str) else parts:
            if part["type"] == "text":
                texts.append(part["text"])
            elif part["type"] == "image_url":
                pictures.append(base64.b64decode(part["image_url"]["url"].partition(",")[2]))
    return "\n".join(texts), pictures


def _word(body: dict[str, Any]) -> str:
    text, pictures = contents(body)
    seed = hashlib.sha256(b"".join(pictures) or text.encode()).digest()[0]
    return WORDS[seed % len(WORDS)]


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    body = {"error": {"message": message, "type": "stub", "param": None, "code": None}}
    return web.json_response(body, status=status, headers=headers)


async def serve(stub: Stub, *, port: int = 0) -> web.AppRunner:
    """Start a stub on 127.0.0.1 in the running loop; a free port where none is named."""

    @web.middleware
    async def note(request: web.Request, handler: Any) -> web.StreamResponse:
        stub.every.append({"path": request.path_qs, **request.headers})
        response: web.StreamResponse = await handler(request)
        return response

    app = web.Application(client_max_size=1 << 28, middlewares=[note])
    app.router.add_post("/v1/chat/completions", stub.chat)
    app.router.add_post("/tokenize", stub.tokens)
    app.router.add_get("/v1/models", stub.models)
    app.router.add_get("/version", stub.about)
    app.router.add_get("/metrics", stub.counters)
    app.router.add_get("/health", stub.about)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
    await site.start()
    stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    return runner


@contextmanager
def running_stub(*, port: int = 0, **options: Any) -> Iterator[Stub]:
    """A Stub serving from its own thread until the block ends. `options` are the Stub's fields."""
    stub, loop, ready = Stub(**options), asyncio.new_event_loop(), threading.Event()
    runners: list[web.AppRunner] = []

    def run() -> None:
        asyncio.set_event_loop(loop)
        runners.append(loop.run_until_complete(serve(stub, port=port)))
        ready.set()
        loop.run_forever()
        end(loop, runners[0])

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    if not ready.wait(10):
        raise RuntimeError("the stub did not start")
    try:
        yield stub
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def end(loop: asyncio.AbstractEventLoop, runner: web.AppRunner) -> None:
    """Stop a server and close its loop, with what still answers a request that nobody waits for."""

    async def ended() -> None:
        await runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    loop.run_until_complete(ended())
    loop.close()


async def _main(port: int, latency: float) -> None:
    stub = Stub(latency=latency)
    await serve(stub, port=port)
    print(stub.url, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds a reply")
    chosen = parser.parse_args()
    asyncio.run(_main(chosen.port, chosen.latency))
