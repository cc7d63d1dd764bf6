"""How servers want to be asked, found out by what they refuse, in whatever words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.core.request import Request, Sampling
from harness.models.http.request_body import encode
from harness.models.http.request_dialect import Manners, find_manners
from harness.models.http.server_messages import ServerMessage

Server = Callable[[dict[str, Any]], str | None]
"""The words of a refusal of a body, or None."""


def has_system(body: dict[str, Any]) -> bool:
    return any(message["role"] == "system" for message in body["messages"])


def has_picture(body: dict[str, Any]) -> bool:
    return any(isinstance(message["content"], list) for message in body["messages"])


def unlike(body: dict[str, Any], **values: float) -> str | None:
    return next((name for name, value in values.items() if body.get(name, value) != value), None)


def among(body: dict[str, Any], *names: str) -> str | None:
    return next((name for name in names if name in body), None)


def tgi(body: dict[str, Any]) -> str | None:
    fits = 0 < body.get("top_p", 0.5) < 1
    return None if fits else "Input validation error: `top_p` must be > 0.0 and < 1.0"


def nim(body: dict[str, Any]) -> str | None:
    said = "Validation: `top_p` is immutable for this model and must be 0.95, got 1.0"
    return said if unlike(body, top_p=0.95) else None


def claude(body: dict[str, Any]) -> str | None:
    both = "temperature" in body and "top_p" in body
    return "`temperature` and `top_p` cannot both be specified for this model." if both else None


def lmdeploy(body: dict[str, Any]) -> str | None:
    return "The top_k `-1` cannot be a negative integer." if body.get("top_k", 0) < 0 else None


def openai(body: dict[str, Any]) -> str | None:
    name = among(body, "top_k", "repetition_penalty")
    return f"Unrecognized request argument supplied: {name}" if name else None


def gpt5(body: dict[str, Any]) -> str | None:
    if "max_tokens" in body:
        return "Unsupported parameter: 'max_tokens' is not supported with this model."
    if unlike(body, temperature=1):
        return "Unsupported value: 'temperature' does not support 0 with this model."
    return openai(body)


def gemini(body: dict[str, Any]) -> str | None:
    name = among(body, "seed", "top_k", "repetition_penalty")
    return (
        f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
        if name
        else None
    )


def bedrock(body: dict[str, Any]) -> str | None:
    name = among(body, "seed", "repetition_penalty")
    return f"Argument not supported on this model: {name}" if name else None


def mute(body: dict[str, Any]) -> str | None:
    """Says nothing that helps."""
    return "Bad Request" if among(body, "repetition_penalty", "seed") else None


def foreign(body: dict[str, Any]) -> str | None:
    return "\u8bf7\u6c42\u53c2\u6570\u9519\u8bef" if unlike(body, top_p=0.9) else None


def no_system(body: dict[str, Any]) -> str | None:
    return "System role not supported" if has_system(body) else None


def mllama(body: dict[str, Any]) -> str | None:
    both = has_system(body) and has_picture(body)
    return "Prompting with images is incompatible with system messages." if both else None


def jinja(body: dict[str, Any]) -> str | None:
    said = "Conversation roles must alternate user/assistant/user/assistant/..."
    return said if has_system(body) else None


def wordless_system(body: dict[str, Any]) -> str | None:
    return "Unprocessable" if has_system(body) else None


def streams(body: dict[str, Any]) -> str | None:
    said = "This model only support stream mode, please enable the stream parameter"
    return None if body.get("stream") else said


def text_only(body: dict[str, Any]) -> str | None:
    return "invalid content" if has_picture(body) else None


async def found(server: Server, **sampling: float) -> tuple[Manners | None, int]:
    asked = 0

    async def put(request: Request, manners: Manners) -> ServerMessage | None:
        nonlocal asked
        asked += 1
        extra = {"stream": True} if manners.stream else {}
        body = json.loads(encode(request, model="m", dropped=manners.dropped, extra=extra))
        said = server(body)
        return None if said is None else ServerMessage(said, whole=said)

    return await find_manners(put, Sampling(**sampling)), asked


@pytest.mark.parametrize(
    ("server", "dropped", "most"),
    [
        (lambda body: None, set(), 1),
        (tgi, {"top_p"}, 2),
        (nim, {"top_p"}, 2),
        (claude, {"top_p"}, 2),
        (lmdeploy, {"top_k"}, 2),
        (openai, {"top_k", "repetition_penalty"}, 3),
        (gemini, {"seed", "top_k", "repetition_penalty"}, 4),
        (bedrock, {"seed", "repetition_penalty"}, 3),
        (mute, {"seed", "repetition_penalty"}, 8),
        (foreign, {"top_p"}, 8),
        (text_only, set(), 12),
    ],
)
async def test_what_a_server_refuses_is_left_out_and_no_more(
    server: Server, dropped: set[str], most: int
) -> None:
    manners, asked = await found(server)
    assert manners is not None and manners.dropped == dropped
    assert manners.system_role and not manners.stream
    assert asked <= most


@pytest.mark.parametrize("server", [no_system, mllama, jinja, wordless_system])
async def test_a_system_turn_that_is_refused_is_known_at_the_start(server: Server) -> None:
    manners, _ = await found(server)
    assert manners == Manners(system_role=False)


async def test_a_server_that_only_streams_is_asked_to() -> None:
    manners, _ = await found(streams)
    assert manners == Manners(stream=True)


async def test_a_renamed_limit_and_a_temperature_that_must_be_one() -> None:
    manners, _ = await found(gpt5, temperature=1.0)
    assert manners is not None
    assert manners.dropped - {"temperature"} == {"max_tokens", "top_k", "repetition_penalty"}
    cold, _ = await found(gpt5)
    assert cold is not None and "temperature" in cold.left_out


async def test_several_refusals_at_once() -> None:
    manners, _ = await found(lambda body: mllama(body) or claude(body) or gpt5(body), temperature=1)
    assert manners is not None and not manners.system_role
    assert {"max_tokens", "top_k", "repetition_penalty"} <= manners.dropped


async def test_a_server_that_refuses_everything_is_left_to_the_run() -> None:
    manners, asked = await found(lambda body: "no")
    assert manners is None and asked < 20
