"""Read a chat completion, in the variants of different servers, as one Reply."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.finish import Finish, finish_of, finish_word
from harness.core.generation import Generation, Refusal, Usage
from harness.core.message import ToolCall
from harness.models.http.event_stream import is_stream, read_stream
from harness.models.http.json_body import read_json
from harness.models.http.server_messages import BLOCKED, ServerMessage, line, read_told


class BadReply(ValueError):
    """The body is not a chat completion."""


class ErrorBody(ValueError):
    """The body, though sent as a success, says that there is no reply."""

    def __init__(self, told: ServerMessage) -> None:
        super().__init__(told.message)
        self.told = told


@dataclass(frozen=True, slots=True)
class Completion:
    """A chat completion, read."""

    text: str
    finish: Finish
    usage: Usage
    body: Mapping[str, Any] = field(default_factory=dict)
    """The whole reply as the server wrote it."""
    latency: float = 0.0
    """Seconds from sending to the last byte."""
    reasoning: str = ""
    word: str = ""
    """The server's own word for why it ended, where that is another than `finish`."""
    refusal: Refusal | None = None
    served: str = ""
    fingerprint: str = ""
    calls: tuple[ToolCall, ...] = ()

    def generation(self, key: str) -> Generation:
        """The reply as that to the request named `key`."""
        return Generation(
            key, self.text, self.finish, self.usage, self.latency, reasoning=self.reasoning, word=self.word,
            refusal=self.refusal, served=self.served, fingerprint=self.fingerprint, calls=self.calls,
        )  # fmt: skip


def as_completion(got: Generation) -> Completion:
    """A generation that is no failure, as what it was read from."""
    return Completion(
        got.text, got.finish, got.usage, latency=got.latency, reasoning=got.reasoning, word=got.word,
        refusal=got.refusal, served=got.served, fingerprint=got.fingerprint, calls=got.calls,
    )  # fmt: skip


def decode(
    data: bytes,
    *,
    latency: float = 0.0,
    most: int | None = None,
    hide: Callable[[str], str] = lambda text: text,
) -> Completion:
    """Read a reply that took `latency` seconds: JSON, or a stream of events.

    `most` is the token limit that was asked for, by which a reply that says nothing else is known to have been cut
    off. `hide` masks secrets in what was decoded. Raises ErrorBody where the server says that something failed, and
    BadReply for what is neither.
    """
    body = read_stream(data) if is_stream(data) else _json(data)
    error = body.get("error")
    if error and not body.get("choices"):
        raise ErrorBody(read_told(body, hide=hide))
    usage = read_usage(body.get("usage"))
    about = _texts(body, hide)
    choices = body.get("choices")
    if choices is None and isinstance(body.get("message"), dict):
        choices = [body]
    if choices == [] or choices is None:
        return _without_choice(body, usage, about, latency, most=most, hide=hide)
    try:
        choice = choices[0]
        message = choice["message"] if "message" in choice else {"content": choice["text"]}
        text, reasoning, declined = read_message(message)
        calls = tuple(read_calls(message, hide))
        reasoning = reasoning or _plain(choice.get("reasoning"))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadReply(
            f"the reply has no choices[0].message: {read_told(body, hide=hide).message}"
        ) from error
    said = (
        choice.get("finish_reason")
        or choice.get("native_finish_reason")
        or choice.get("stop_reason")
    )
    finish, word = finish_of(said), hide(finish_word(said))
    if choice.get("error") or finish == "failed":
        told = read_told(choice if choice.get("error") else body, hide=hide)
        raise ErrorBody(
            told if choice.get("error") else ServerMessage(f"the reply ended with {word!r}")
        )
    if not word and most is not None and usage.completion_tokens >= most > 0:
        finish = "length"
    refusal = _refusal(finish, word, hide(declined))
    return Completion(
        hide(_written(text or declined)), finish, usage, body, latency, hide(_written(reasoning)),
        "" if word == finish else word, refusal, *about, calls,
    )  # fmt: skip


def _json(data: bytes) -> dict[str, Any]:
    try:
        body = read_json(data)
    except (ValueError, RecursionError) as error:
        raise BadReply(f"not JSON: {str(error)[:200]}") from error
    if isinstance(body, list) and len(body) == 1 and isinstance(body[0], dict):
        body = body[0]
    if not isinstance(body, dict):
        raise BadReply(f"expected a JSON object, got {type(body).__name__}")
    return body


def _texts(body: Mapping[str, Any], hide: Callable[[str], str]) -> tuple[str, str]:
    """The model and the fingerprint that a body names."""
    found = (body.get("model"), body.get("system_fingerprint"))
    served, fingerprint = (hide(_written(f))[:200] if isinstance(f, str) else "" for f in found)
    return served, fingerprint


def _without_choice(
    body: dict[str, Any],
    usage: Usage,
    about: tuple[str, str],
    latency: float,
    *,
    most: int | None,
    hide: Callable[[str], str],
) -> Completion:
    """An empty list of choices: a prompt that was blocked, or tokens that all went into reasoning."""
    feedback = body.get("promptFeedback") or body.get("prompt_feedback") or {}
    blocked = (
        feedback.get("blockReason") or feedback.get("block_reason")
        if isinstance(feedback, dict)
        else None
    )
    filters = json.dumps(body.get("prompt_filter_results") or "")
    if blocked or '"filtered": true' in filters:
        word = hide(finish_word(blocked)) or BLOCKED
        refusal = Refusal("platform", word)
        return Completion("", "filtered", usage, body, latency, "", word, refusal, *about)
    made = usage.completion_tokens
    if made and (made <= usage.reasoning_tokens or (most is not None and made >= most)):
        return Completion("", "length", usage, body, latency, "", "", None, *about)
    told = json.dumps(body, ensure_ascii=False)
    raise BadReply(f"the reply has no choices[0].message: {line(hide(told))[:200]}")


def _refusal(finish: Finish, word: str, declined: str) -> Refusal | None:
    if finish == "filtered":
        return Refusal("platform", word)
    return Refusal("model", declined) if declined else None


def read_message(message: Mapping[str, Any]) -> tuple[str, str, str]:
    """(text, reasoning, refusal) of a message. Raises TypeError and KeyError where it is none.

    Content may be a text, null, absent beside reasoning, or a list of parts of which some are thinking.
    """
    if message.keys() <= _USUAL and isinstance(message.get("content"), str):
        return message["content"], "", ""  # most replies
    reasoning = next((t for name in _REASONING if (t := _plain(message.get(name)))), "")
    refusal = _plain(message.get("refusal"))
    if "content" not in message and not (_EXPECTED & message.keys()):
        raise KeyError("content")
    content = message.get("content")
    content = [content] if isinstance(content, dict) and "type" in content else content
    if isinstance(content, list):
        texts: list[str] = []
        thoughts: list[str] = []
        for piece in content:
            kind = "text" if isinstance(piece, str) else str(piece.get("type", "text"))
            if kind in {"text", "output_text"}:
                texts.append(piece if isinstance(piece, str) else _plain(piece.get("text")))
            elif kind == "refusal":
                refusal = refusal or _plain(piece.get("refusal"))
            elif "think" in kind or "reason" in kind or "thought" in kind:
                thoughts.append(_plain(piece))
        return "".join(texts), reasoning or "\n".join(filter(None, thoughts)), refusal
    if content is not None and not isinstance(content, str):
        raise TypeError(type(content).__name__)
    return content or "", reasoning, refusal


MOST_CALLS = 64
"""Calls of one reply that are kept."""
MOST_LETTERS = 20_000
"""Characters of a call's arguments that are kept; longer ones are no JSON any more, and so malformed."""


def read_calls(message: Mapping[str, Any], hide: Callable[[str], str]) -> Iterator[ToolCall]:
    """The calls of tools that a message holds beside its text. What is no call is one without a name."""
    told = message.get("tool_calls") or message.get("function_call") or ()
    calls = list(told if isinstance(told, list) else (told,)) if told else []
    content = message.get("content")
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and part.get("type") in _CALLING:
            calls.append(part)
    for one in calls[:MOST_CALLS]:
        function = one.get("function", one) if isinstance(one, dict) else {}
        function = function if isinstance(function, dict) else {}
        name = function.get("name")
        given = next((function[key] for key in _ARGUMENTS if key in function), None)
        if not isinstance(name, str):
            name, given = "", one
        if not isinstance(given, str):  # Ollama gives an object
            given = "" if given is None else json.dumps(given)
        yield ToolCall(hide(_written(name)), hide(_written(given))[:MOST_LETTERS])


_CALLING = ("tool_use", "tool_call", "function_call")
"""Types of parts of a content that are calls."""
_ARGUMENTS = ("arguments", "parameters", "input", "args")
"""Where servers put what a call gives."""

_REASONING = (
    "reasoning_content", "reasoning", "reasoning_text", "thinking", "thinking_content", "thought", "thoughts",
    "reasoning_details", "thinking_blocks",
)  # fmt: skip
"""Where servers put reasoning beside the content: DeepSeek, vLLM, SGLang, DashScope; OpenRouter, Ollama, mlx-lm;
LiteLLM."""

_USUAL = frozenset({"role", "content"})
_EXPECTED = frozenset({"role", "refusal", "tool_calls", "function_call", *_REASONING})
"""A message that has one of these may lack its content."""


def _plain(value: object) -> str:
    """The text of a field that may be absent, a text, a part, or a list of parts."""
    if value is None or isinstance(value, str):  # as nearly all are
        return value or ""
    return "".join(_pieces(value, 0))


def _pieces(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < 4:
        for one in value:
            yield from _pieces(one, depth + 1)
    elif isinstance(value, dict) and depth < 4:
        for name in ("text", "thinking", "reasoning", "summary", "content"):
            if value.get(name):
                yield from _pieces(value[name], depth + 1)
                return


def read_usage(usage: object) -> Usage:
    """Tokens as the server counted them; zeros where it did not."""
    if not isinstance(usage, dict):
        return Usage()
    details = usage.get("completion_tokens_details") or usage.get("output_tokens_details")
    details = details if isinstance(details, dict) else {}
    thought = details.get("reasoning_tokens") or details.get("reasoning")
    asked = usage.get("prompt_tokens_details") or usage.get("input_tokens_details")
    asked = asked if isinstance(asked, dict) else {}
    return Usage(
        _count(usage.get("prompt_tokens") or usage.get("input_tokens")),
        _count(usage.get("completion_tokens") or usage.get("output_tokens")),
        _count(thought or usage.get("reasoning_tokens")),
        _count(asked.get("image_tokens")) + _count(asked.get("video_tokens")),
        _count(asked.get("cached_tokens")),
    )


def _count(value: object) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return int(value) if whole and 0 < value < 1 << 40 else 0  # type: ignore[call-overload, operator]


def _written(text: str) -> str:
    """A lone surrogate (an escaped half of a pair) is legal JSON and cannot be written to a file."""
    return text.encode("utf-8", "replace").decode()
