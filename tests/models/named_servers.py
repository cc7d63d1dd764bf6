"""Imitations of servers that people run and rent: where they listen, whom they let in, what they refuse, how they reply.

with running_servers() as url:
    ...  # openai:m@{url}/tgi/v1, openai:m@{url}/azure/openai/deployments/m
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.models.stub import WORDS, contents, end

KEY = "key-of-this-very-server"
Body = dict[str, Any]


def _openai_error(message: str, code: str | None = None) -> Body:
    return {
        "error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    }


def _object_error(message: str) -> Body:
    return {"object": "error", "message": message, "type": "BadRequestError", "code": 400}


@dataclass(frozen=True)
class Server:
    """One of them."""

    refuse: Callable[[Body, Mapping[str, str]], tuple[int, Body] | None] = lambda body, query: None
    """(status, body) of a refusal."""
    reply: Body = field(default_factory=dict)
    """What its message holds besides the content."""
    beside: Body = field(default_factory=dict)
    """What its completions hold besides the usual."""
    listed: tuple[str, ...] | None = ("m",)
    """The models of its list; None: there is no list."""
    list_key: str = ""
    """The header that the list wants."""
    key: str = ""
    """The header that conversations want, with the key in it."""


def _azure(body: Body, query: Mapping[str, str]) -> tuple[int, Body] | None:
    if "api-version" not in query:
        return 404, {"error": {"code": "404", "message": "Resource not found"}}
    strange = [name for name in ("top_k", "repetition_penalty") if name in body]
    if strange:
        return 400, _openai_error(f"Unrecognized request argument supplied: {strange[0]}")
    if contents(body)[1] and sum(contents(body)[1][0]) % 3 == 0:
        said = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
        return 400, _openai_error(said, "content_filter")
    return None


def _only_if(refused: Callable[[Body], str], form: Callable[[str], Body], status: int = 400) -> Any:
    def refuse(body: Body, query: Mapping[str, str]) -> tuple[int, Body] | None:
        said = refused(body)
        return (status, form(said)) if said else None

    return refuse


def _has_system(body: Body) -> bool:
    return any(message["role"] == "system" for message in body["messages"])


SERVERS: Mapping[str, Server] = {
    "azure": Server(_azure, listed=None, key="api-key"),
    "anthropic": Server(
        _only_if(
            lambda b: "`temperature` and `top_p` cannot both be specified for this model." * ({"temperature", "top_p"} <= set(b)),
            _openai_error,
        ),
        list_key="x-api-key", key="Authorization", listed=("dated-1",),
    ),
    "openrouter": Server(
        reply={"reasoning": "The mouth is wide.", "reasoning_details": [{"type": "reasoning.text", "text": "The mouth"}]},
        beside={"provider": "Somebody", "system_fingerprint": "fp_1"},
        listed=("vendor/other", "vendor/m"), key="Authorization",
    ),
    "ollama": Server(reply={"reasoning": "It smiles."}, listed=("m:latest", "llava:7b")),
    "lmstudio": Server(
        _only_if(
            lambda b: "'response_format.type' must be 'json_schema' or 'text'" * ("response_format" in b and b["response_format"]["type"] == "json_object"),
            lambda said: {"error": said},
        ),
        beside={"stats": {}, "system_fingerprint": "m"},
    ),
    "lmdeploy": Server(
        _only_if(lambda b: "The top_k `-1` cannot be a negative integer." * (b.get("top_k", 0) < 0), _object_error)
    ),
    "sglang": Server(reply={"reasoning_content": "Brows up.", "tool_calls": None}, beside={"metadata": {"weight_version": "default"}}),
    "llamacpp": Server(
        _only_if(
            lambda b: "Jinja Exception: System role not supported" * _has_system(b),
            lambda said: {"error": {"code": 500, "message": said, "type": "server_error"}}, status=500,
        ),
        beside={"timings": {"prompt_n": 1}}, listed=("/models/m.gguf",),
    ),
    "tgi": Server(
        _only_if(
            lambda b: "Input validation error: `top_p` must be > 0.0 and < 1.0" * (not 0 < b.get("top_p", 0.5) < 1),
            lambda said: {"error": said, "error_type": "validation"}, status=422,
        ),
        listed=None,
    ),
    "nim": Server(
        _only_if(
            lambda b: "Validation: `top_p` is immutable for this model and must be 0.95" * (b.get("top_p", 0.95) != 0.95),
            lambda said: {"message": said, "type": "Bad Request", "code": 400},
        )
    ),
}  # fmt: skip
"""Servers by name."""


def _word(body: Body) -> str:
    """One of the labels that the conversation names, by its picture."""
    text, pictures = contents(body)
    named = [label for label in WORDS if label in text.lower()] or ["neutral"]
    return named[sum(b"".join(pictures)) % len(named)]


async def _chat(request: web.Request) -> web.Response:
    server = SERVERS[request.match_info["name"]]
    given = request.headers.get(server.key, "") if server.key else KEY
    if given.removeprefix("Bearer ") != KEY:
        return web.json_response(_openai_error("Access denied"), status=401)
    body = await request.json()
    refused = server.refuse(body, request.query)
    if refused is not None:
        return web.json_response(refused[1], status=refused[0])
    message = {"role": "assistant", "content": _word(body), **server.reply}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    return web.json_response({"model": "m", "choices": [choice], "usage": usage, **server.beside})


async def _models(request: web.Request) -> web.Response:
    server = SERVERS[request.match_info["name"]]
    if server.listed is None:
        return web.Response(status=404)
    if server.list_key and request.headers.get(server.list_key) != KEY:
        return web.json_response(_openai_error("x-api-key header is required"), status=401)
    return web.json_response({"object": "list", "data": [{"id": name} for name in server.listed]})


@contextmanager
def running_servers() -> Iterator[str]:
    """The address under which each listens at `/NAME/v1`, Azure at `/azure/openai/deployments/m`."""
    loop, ready, found = asyncio.new_event_loop(), threading.Event(), []

    async def serve() -> web.AppRunner:
        app = web.Application(client_max_size=1 << 28)
        for base in ("/{name}/v1", "/{name}/openai/deployments/m"):
            app.router.add_post(f"{base}/chat/completions", _chat)
            app.router.add_get(f"{base}/models", _models)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        return runner

    def run() -> None:
        runner = loop.run_until_complete(serve())
        ready.set()
        loop.run_forever()
        end(loop, runner)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
