"""The body of a chat completion as other services' batches take it, taken apart."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.core.errors import HarnessError

_DATA = re.compile(r"data:(?P<mime>[\w.+-]+/[\w.+-]+);base64,")
_KNOWN = frozenset(
    {
        "model", "messages", "temperature", "top_p", "top_k", "repetition_penalty", "seed", "max_tokens",
        "max_completion_tokens",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a turn: a text, or a medium as base64."""

    text: str = ""
    mime: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation and how it is to be answered."""

    system: str
    turns: Sequence[tuple[str, Sequence[Piece]]]
    """`user` or `assistant`, and what is said."""
    most: int
    """Tokens of the reply."""
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    """0: no limit."""
    seed: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    """Fields that are passed on as they are."""


def read_chat(body: bytes, *, service: str, passed: Collection[str]) -> Chat:
    """A body as `request_body.encode` writes it; fields in `passed` are passed on.

    Raises HarnessError for one that holds what batches of the service do not take: tools, constraints, videos,
    log-probabilities, a penalty on repetition.
    """
    told = json.loads(body)
    more = {name: value for name, value in told.items() if name not in _KNOWN}
    refused = sorted(more.keys() - set(passed))
    refused += [] if told.get("repetition_penalty", 1.0) == 1.0 else ["repetition_penalty"]
    refused += ["tool_calls"] if any("tool_call" in " ".join(m) for m in told["messages"]) else []
    if refused:
        raise HarnessError(
            f"the batch API of {service} takes no {', '.join(refused)}, which this run asks for",
            hint="leave out --batch, or ask without that (channel free, no tools, usual decoding)",
        )
    system = [m for m in told["messages"] if m["role"] == "system"]
    return Chat(
        "\n\n".join(piece.text for m in system for piece in _pieces(m["content"], service)),
        tuple(
            (m["role"], tuple(_pieces(m["content"], service)))
            for m in told["messages"]
            if m["role"] != "system"
        ),
        told.get("max_tokens") or told["max_completion_tokens"],
        told.get("temperature", 1.0),
        told.get("top_p", 1.0),
        max(0, told.get("top_k", 0)),
        told.get("seed"),
        more,
    )


def _pieces(content: Any, service: str) -> Iterator[Piece]:
    parts: Any = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for part in parts or ():
        kind = part["type"]
        if kind == "text":
            yield Piece(text=part["text"])
        elif kind == "input_audio":
            yield Piece(mime="audio/wav", data=part["input_audio"]["data"])
        elif kind == "image_url" and (found := _DATA.match(url := part["image_url"]["url"])):
            yield Piece(mime=found["mime"], data=url[found.end() :])
        else:
            raise HarnessError(
                f"the batch API of {service} takes no {kind}",
                hint="leave out --batch to ask directly",
            )


def completion(
    *,
    model: object,
    content: list[dict[str, Any]],
    finish: object,
    usage: Mapping[str, int],
    **more: Any,
) -> bytes:
    """A reply as a chat completion, which is read as every other. `usage`: tokens of prompt, cached, image, completion
    and reasoning."""
    whole: dict[str, Any] = {
        "model": model,
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
        ],
        "usage": {
            "prompt_tokens": usage.get("prompt", 0),
            "completion_tokens": usage.get("completion", 0),
            "prompt_tokens_details": {
                "cached_tokens": usage.get("cached", 0), "image_tokens": usage.get("image", 0)
            },
            "completion_tokens_details": {"reasoning_tokens": usage.get("reasoning", 0)},
        },
        **more,
    }  # fmt: skip
    return json.dumps(whole).encode()


def count(value: object) -> int:
    """Tokens as a service counted them, a number or its digits; 0 for anything else."""
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (OverflowError, TypeError, ValueError):
        return 0


def error_body(message: object, kind: object = None) -> bytes:
    """An error in the form of OpenAI."""
    return json.dumps({"error": {"message": str(message), "type": kind, "code": None}}).encode()
