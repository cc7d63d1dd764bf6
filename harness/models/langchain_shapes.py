"""What LangChain's chat models have in common, read by shape: no provider's package is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.generation import ErrorKind, Finish, Usage
from harness.core.message import Image, Message, Text, Video
from harness.core.request import Sampling
from harness.models.patience import retry_after

SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "top_k": ("top_k",),
    "repetition_penalty": ("repetition_penalty", "repeat_penalty"),
    "seed": ("seed",),
    "max_tokens": ("max_tokens", "max_output_tokens", "max_completion_tokens", "num_predict"),
}
"""Each parameter of Sampling under the names that chat model classes give it."""

BODY = "extra_body"
"""The setting of classes that speak to OpenAI-compatible servers for whatever those take besides."""

_LENGTH = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
_FILTERED = frozenset(
    {"content_filter", "content_filtered", "safety", "refusal", "recitation", "blocklist"}
    | {"prohibited_content", "spii", "image_safety", "guardrail_intervened"}
)
_FINISH_NAMES = ("finish_reason", "stop_reason", "done_reason", "finishReason", "stopReason")
_AGAIN: Mapping[int, ErrorKind] = {
    408: "timeout", 409: "server", 425: "server", 429: "rate-limit", 504: "timeout",
}  # fmt: skip
_NAMED: tuple[tuple[str, ErrorKind], ...] = (
    ("contextoverflow", "rejected"),
    ("timeout", "timeout"),
    ("deadlineexceeded", "timeout"),
    ("ratelimit", "rate-limit"),
    ("resourceexhausted", "rate-limit"),
    ("throttl", "rate-limit"),
    ("connect", "unreachable"),
    ("transporterror", "unreachable"),
)
"""Pieces of the class names of errors, lower case, where there is no status."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One attempt that brought no reply."""

    kind: ErrorKind
    detail: str
    again: bool = True
    status: int | None = None
    told: float | None = None
    """Seconds of the server's Retry-After."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Sampling as one class of chat models takes it."""

    values: Mapping[str, Any]
    """Field of the class -> value."""
    unsent: tuple[str, ...]
    """Parameters that the class has no place for, and a limit on k where there is none to set."""


def settings_for(chat: Any, sampling: Sampling, dropped: frozenset[str]) -> Settings:
    """Every parameter that the class has a field for, or that its `extra_body` can carry.

    `dropped` names parameters that the server refused to know.
    """
    values: dict[str, Any] = {}
    body: dict[str, Any] = {}
    unsent = []
    for name, spellings in SPELLINGS.items():
        value = getattr(sampling, name)
        field = next((f for s in spellings if (f := field_named(chat, s))), None)
        if name in dropped:
            continue
        if name == "top_k" and not value and field is not None:
            unsent.append(name)  # classes differ in how they write "no limit"
        elif field is not None:
            values[field] = value
        elif field_named(chat, BODY):
            body[name] = -1 if name == "top_k" and not value else value
        else:
            unsent.append(name)
    if body:
        values[BODY] = {**(getattr(chat, BODY, None) or {}), **body}
    return Settings(values, tuple(unsent))


def field_named(chat: Any, name: str) -> str | None:
    """The field of a chat model's class that is called `name`, or has it as its alias."""
    fields: Mapping[str, Any] = getattr(
        chat if isinstance(chat, type) else type(chat), "model_fields", {}
    )
    if name in fields:
        return name
    return next((field for field, about in fields.items() if about.alias == name), None)


def to_blocks(message: Message) -> str | list[dict[str, str]]:
    """A turn as LangChain's standard content: a string if it holds no picture, else blocks in order."""
    if all(isinstance(part, Text) for part in message.parts):
        return message.text
    blocks: list[dict[str, str]] = []
    for part in message.parts:
        if isinstance(part, Image):
            blocks.append({"type": "image", "base64": _base64(part.data), "mime_type": part.mime})
        elif isinstance(part, Video):
            raise NotImplementedError("LangChain has no form for a video's own frames and times")
        elif blocks and blocks[-1]["type"] == "text":  # servers put a line break between texts
            blocks[-1]["text"] += part.text
        elif part.text:
            blocks.append({"type": "text", "text": part.text})
    return blocks


def _base64(data: bytes) -> str:
    from binascii import b2a_base64

    return b2a_base64(data, newline=False).decode("ascii")


def read_text(reply: Any) -> str:
    """The text of an AIMessage; a refusal in its own place is the text. Raises TypeError for none."""
    content = reply.content
    if isinstance(content, list):
        content = "".join(
            block if isinstance(block, str) else str(block.get("text", ""))
            for block in content
            if isinstance(block, str) or block.get("type") == "text"
        )
    if not isinstance(content, str):
        raise TypeError(f"content is {type(content).__name__}")
    refusal = reply.additional_kwargs.get("refusal")
    text = content or (refusal if isinstance(refusal, str) else "")
    # A lone surrogate cannot be written to a file.
    return text.encode("utf-8", "replace").decode()


def read_finish(reply: Any) -> Finish:
    """Why an AIMessage ended, in whichever of the providers' words it says so."""
    said = next(
        (reply.response_metadata[n] for n in _FINISH_NAMES if n in reply.response_metadata), ""
    )
    word = str(getattr(said, "name", said)).lower()
    return "length" if word in _LENGTH else "filtered" if word in _FILTERED else "stop"


def read_usage(reply: Any) -> Usage:
    """Tokens of an AIMessage; zeros where the provider does not count."""
    counts = reply.usage_metadata or {}
    return Usage(int(counts.get("input_tokens") or 0), int(counts.get("output_tokens") or 0))


def fault_of(error: Exception) -> Fault:
    """What an exception of a provider's package means, by its HTTP status, else by its class's name."""
    detail = describe(error)
    status = _status(error)
    if status is not None:
        told = retry_after(_header(error, "retry-after"))
        kind = _AGAIN.get(status, "server" if status >= 500 else "rejected")
        again = status in _AGAIN or status >= 500
        return Fault(kind, f"HTTP {status}: {detail}", again, status, told)
    kind, again = _kind(error)
    return Fault(kind, detail, again)


def _kind(error: Exception) -> tuple[ErrorKind, bool]:
    """What an error without a status is, and whether another try may help."""
    names = "".join(cls.__name__.lower() for cls in type(error).__mro__)
    for piece, kind in _NAMED:
        if piece in names:
            return kind, kind != "rejected"
    if isinstance(error, NotImplementedError):
        return "unsupported", False
    if isinstance(error, (ValueError, TypeError, LookupError, AttributeError)):
        return "bad-reply", True
    return ("unreachable" if isinstance(error, OSError) else "server"), True


def describe(error: Exception) -> str:
    """Class and words of an exception, on one line; the values that pydantic would repeat are left out."""
    listed = getattr(error, "errors", None)
    if callable(listed) and isinstance(
        error, ValueError
    ):  # pydantic's: its own words repeat the input
        said = "; ".join(str(one.get("msg")) for one in listed(include_input=False))
    else:
        body = getattr(error, "body", None)
        said = str(body.get("message") or error) if isinstance(body, dict) else str(error)
        code = getattr(error, "code", None)
        said += f" ({code})" if isinstance(code, str) else ""
    return f"{type(error).__name__}: {' '.join(said.split())}"[:500]


def _status(error: Exception) -> int | None:
    response = getattr(error, "response", None)
    for holder in (error, response):
        for name in ("status_code", "http_status", "code", "status"):
            value = getattr(holder, name, None)
            if isinstance(value, int) and 300 <= value < 600:
                return int(value)
    return None


def _header(error: Exception, name: str) -> str | None:
    headers = getattr(getattr(error, "response", None), "headers", None)
    value = headers.get(name) if headers is not None and hasattr(headers, "get") else None
    return value if isinstance(value, str) else None
