"""How chat model classes of LangChain are asked to think, where that is a field of the class.

As with servers, a field that is there proves nothing: `harness.models.http.thinking` takes a way only where the reasoning
of replies is seen to follow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from harness.core.thinking import EFFORTS, OFF, ON, thinking_budget
from harness.models.http.thinking import WAYS, Body, Ways
from harness.models.langchain.messages import BODY, field_named


def ways_of(chat: Any) -> Ways:
    """The ways that a class has fields for; those of servers, where its requests can carry more in their body."""
    if field_named(chat, BODY):
        return WAYS
    return {
        name: way
        for name, (fields, way) in _FIELDS.items()
        if all(field_named(chat, field) for field in fields)
    }


def _adaptive(level: str) -> list[Body]:
    return [{"thinking": {"type": "adaptive"}, "effort": level}] if level in EFFORTS else []


def _budget(level: str) -> list[Body]:
    if level in EFFORTS:
        return []
    budget = {OFF: 0, ON: -1}.get(level, thinking_budget(level))
    return [{"thinking_budget": budget, "include_thoughts": level != OFF}]


def _level(level: str) -> list[Body]:
    words = {OFF: ["minimal"], ON: ["medium", "high"]}.get(
        level, [level] if level in EFFORTS else []
    )
    return [{"thinking_level": word, "include_thoughts": level != OFF} for word in words]


def _reasoning(level: str) -> list[Body]:
    if thinking_budget(level) is not None:
        return []
    return [{"reasoning": level if level in EFFORTS else level == ON}]


_FIELDS: Mapping[str, tuple[tuple[str, ...], Callable[[str], list[Body]]]] = MappingProxyType(
    {
        "thinking": (("thinking",), WAYS["thinking"]),
        "thinking and effort": (("thinking", "effort"), _adaptive),
        "thinking_budget": (("thinking_budget", "include_thoughts"), _budget),
        "thinking_level": (("thinking_level", "include_thoughts"), _level),
        "reasoning": (("reasoning",), _reasoning),
    }
)
"""Name -> the fields that a class must have, and what they are set to. thinking: ChatAnthropic; thinking_budget (Gemini 2.5)
and thinking_level (Gemini 3): ChatGoogleGenerativeAI; reasoning: ChatOllama."""
