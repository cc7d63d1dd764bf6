"""Finish reasons of all servers, mapped to one vocabulary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, TypeAlias

Finish: TypeAlias = str
"""`stop`, `length`, `filtered`, `failed`; or the server's own word where it is none that is known."""

Known: TypeAlias = Literal["stop", "length", "filtered", "failed"]

_WORDS: Mapping[Known, str] = {
    "stop": "stop stopped end end_turn eos eos_token stop_sequence stop_token complete completed finished "
    "finish_reason_unspecified finish_reason_stop tool_calls tool_call tool_use function_call",
    "length": "length max_tokens max_output_tokens max_completion_tokens max_new_tokens max_length model_length "
    "token_limit context_length context_length_exceeded model_context_window_exceeded reason_max_len "
    "reason_max_context finish_reason_max_tokens limit cut truncated incomplete",
    "filtered": "content_filter content_filtered filtered filter safety refusal sensitive recitation blocklist "
    "blocked prohibited_content spii image_safety image_prohibited_content image_recitation model_armor "
    "guardrail guardrail_intervened data_inspection_failed moderation flagged error_toxic content_policy "
    "content_policy_violation",
    "failed": "failed error abort aborted cancelled canceled timeout time_limit network_error server_error "
    "internal_error insufficient_system_resource unavailable error_limit",
}
"""OpenAI, Azure, Anthropic, Gemini, Mistral, Cohere, Bedrock, watsonx, GLM, DeepSeek, DashScope, xAI, OpenRouter, vLLM,
SGLang, TGI, llama.cpp and Ollama, in lower case with underscores."""

_KNOWN: Mapping[str, Known] = MappingProxyType(
    {word: known for known, words in _WORDS.items() for word in words.split()}
)


def finish_of(said: object) -> Finish:
    """`stop`, `length`, `filtered` or `failed` for a server's own word, which is kept where it is unknown.

    No word at all is a `stop`. What follows a colon explains (`content_filter: PROHIBITED_CONTENT`).
    """
    return _finish(finish_word(said))


@lru_cache(maxsize=64)
def _finish(word: str) -> Finish:
    first = re.sub(r"[\s-]+", "_", word.partition(":")[0].strip().lower())
    camel = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word.partition(":")[0].strip()).lower()
    return _KNOWN.get(first) or _KNOWN.get(camel) or word or "stop"


def finish_word(said: object) -> str:
    """The server's own word, at most 80 characters; empty where it gave none."""
    name = getattr(said, "name", said)  # an enumeration of a provider's package
    return name.strip()[:80] if isinstance(name, str) else ""
