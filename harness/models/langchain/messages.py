"""Common parts of LangChain's chat models, by duck typing: no provider package is imported here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.core.finish import Finish, finish_of, finish_word
from harness.core.generation import ErrorKind, Generation, Refusal, Usage
from harness.core.message import Audio, Image, Message, Text, ToolCall, Video
from harness.core.request import Sampling
from harness.models.http.completion import read_message
from harness.models.http.server_messages import ServerMessage, delay_in, delay_of, read_told

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


SILENCE = ServerMessage("")


@dataclass(frozen=True, slots=True)
class ProviderFault:
    """One attempt that brought no reply."""

    kind: ErrorKind
    detail: str
    again: bool = True
    status: int | None = None
    told: float | None = None
    """Seconds that the server asks to wait."""
    words: ServerMessage = SILENCE
    limited: bool = False
    """A rate was exceeded: it is waited out, and counts no attempt."""


@dataclass(frozen=True, slots=True)
class ProviderSampling:
    """Sampling as one class of chat models takes it."""

    values: Mapping[str, Any]
    """Field of the class -> value."""
    unsent: tuple[str, ...]
    """Parameters that the class has no place for, and a limit on k where there is none to set."""


def settings_for(chat: Any, sampling: Sampling, dropped: frozenset[str]) -> ProviderSampling:
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
    return ProviderSampling(values, tuple(unsent))


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
            raise NotImplementedError("LangChain cannot send a video's frames with their times")
        elif isinstance(part, Audio):
            raise NotImplementedError("sounds are not sent through LangChain")
        elif blocks and blocks[-1]["type"] == "text":  # servers put a line break between texts
            blocks[-1]["text"] += part.text
        elif part.text:
            blocks.append({"type": "text", "text": part.text})
    return blocks


def _base64(data: bytes) -> str:
    from binascii import b2a_base64

    return b2a_base64(data, newline=False).decode("ascii")


def read_message_of(reply: Any) -> tuple[str, str, str]:
    """(text, reasoning, refusal) of an AIMessage. Raises TypeError for none.

    Reasoning stands in blocks of the content (Anthropic `thinking`, OpenAI `reasoning` with a `summary`, Gemini
    `thinking` or `reasoning`), or beside it in `additional_kwargs` (`reasoning_content` of vLLM, DeepSeek, Ollama).
    """
    beside = {**reply.additional_kwargs, "content": reply.content}
    text, reasoning, refusal = read_message(beside)
    # A lone surrogate cannot be written to a file.
    written = (part.encode("utf-8", "replace").decode() for part in (text, reasoning, refusal))
    return next(written), next(written), next(written)


def read_finish(reply: Any) -> tuple[Finish, str]:
    """Why an AIMessage ended, and the provider's own word for it where that is another one."""
    about = reply.response_metadata
    said = next((about[name] for name in _FINISH_NAMES if about.get(name)), "")
    finish, word = finish_of(said), finish_word(said)
    return finish, "" if word == finish else word


def read_refusal(reply: Any, finish: Finish, word: str, declined: str) -> Refusal | None:
    """Who declined: the platform by the reply's end or its feedback on the prompt, the model in a field."""
    feedback = reply.response_metadata.get("prompt_feedback") or {}
    blocked = feedback.get("block_reason") if isinstance(feedback, Mapping) else None
    blocked = finish_word(blocked) if blocked and str(blocked) != "0" else ""
    if finish == "filtered" or blocked:
        return Refusal("platform", blocked or word)
    return Refusal("model", declined) if declined else None


def read_usage(reply: Any) -> Usage:
    """Tokens of an AIMessage; zeros where the provider does not count."""
    counts = reply.usage_metadata or {}
    details = counts.get("output_token_details") or {}
    return Usage(
        int(counts.get("input_tokens") or 0),
        int(counts.get("output_tokens") or 0),
        int(details.get("reasoning") or 0),
    )


def generation_of(
    reply: Any, key: str, latency: float, *, hide: Callable[[str], str]
) -> Generation:
    """An AIMessage as the reply to the request named `key`. Raises TypeError where it is none."""
    text, reasoning, declined = read_message_of(reply)
    finish, word = read_finish(reply)
    refusal = read_refusal(reply, finish, word, hide(declined))
    about = reply.response_metadata
    served = about.get("model_name") or about.get("model") or ""
    fingerprint = about.get("system_fingerprint") or ""
    return Generation(
        key, hide(text or declined), "filtered" if refusal and refusal.by == "platform" else finish,
        read_usage(reply), latency, reasoning=hide(reasoning), word=word, refusal=refusal,
        served=hide(str(served))[:200], fingerprint=hide(str(fingerprint))[:200],
        calls=tuple(ToolCall(hide(name), hide(given)) for name, given in calls_of(reply)),
    )  # fmt: skip


def calls_of(reply: Any) -> list[tuple[str, str]]:
    """(name, arguments as JSON) of each call of an AIMessage; those that LangChain could not read come last, as they are."""
    told = [
        (one["name"], json.dumps(one["args"], ensure_ascii=False))
        for one in getattr(reply, "tool_calls", ())
    ]
    told += [
        (one["name"] or "", one["args"] or "") for one in getattr(reply, "invalid_tool_calls", ())
    ]
    return [
        (name.encode("utf-8", "replace").decode(), given.encode("utf-8", "replace").decode())
        for name, given in told
    ]


def fault_of(error: Exception) -> ProviderFault:
    """What an exception of a provider's package means, by its HTTP status, else by its class's name."""
    detail = describe(error)
    status = _status(error)
    told = _told(error, detail)
    delay = max((d for d in (delay_of(_headers(error)), told.delay) if d), default=None)
    if status is not None:
        limited = status == 429
        kind = _AGAIN.get(status, "server" if status >= 500 else "rejected")
        again = status in _AGAIN or status >= 500
        return ProviderFault(kind, f"HTTP {status}: {detail}", again, status, delay, told, limited)
    kind, again = _kind(error)
    return ProviderFault(kind, detail, again, None, delay, told, kind == "rate-limit")


def _told(error: Exception, detail: str) -> ServerMessage:
    """What the provider said: its body where the exception holds it, else the words."""
    body = getattr(error, "body", None)
    if isinstance(body, (dict, list)) and body:
        found = read_told(body)
        return replace(found, message=detail, whole=f"{found.whole} {detail}")
    return ServerMessage(detail, whole=detail, delay=delay_in(detail))


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


def describe(error: BaseException) -> str:
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


def _headers(error: Exception) -> Mapping[str, str]:
    headers = getattr(getattr(error, "response", None), "headers", None)
    if headers is None or not hasattr(headers, "items"):
        return {}
    return {str(name): str(value) for name, value in headers.items()}
