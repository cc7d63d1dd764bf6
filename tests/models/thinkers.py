"""Servers whose models think, each told in its own way, for the stub: what it refuses and how its replies look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.models.stub import running_stub

Body = dict[str, Any]


@dataclass(frozen=True)
class Thinker:
    """An imitation of a server."""

    thinks: Callable[[Body], int]
    """Tokens that the model thinks for a body."""
    refuses: Callable[[Body], str] = lambda body: ""
    """Why a body is refused; empty where it is taken."""
    seen: str = "tokens"
    """How the thinking is seen: `tokens` (counted), `text` (a field), `tags` (in the content), `hidden` (counted with the
    reply alone)."""

    def choose(self, body: Body) -> str:
        said = self.refuses(body)
        return f"400:{said}" if said else "ok"

    def extend(self, body: Body, completion: Body) -> None:
        tokens = min(self.thinks(body), body.get("max_tokens") or body["max_completion_tokens"])
        message, usage = completion["choices"][0]["message"], completion["usage"]
        usage["completion_tokens"] += tokens
        if tokens and self.seen == "tokens":
            usage["completion_tokens_details"] = {"reasoning_tokens": tokens}
        if tokens and self.seen == "text":
            message["reasoning_content"] = "well " * tokens
        if tokens and self.seen == "tags":
            message["content"] = f"<think>{'well ' * tokens}</think>\n{message['content']}"

    def running(self, **options: Any) -> Any:
        return running_stub(choose=self.choose, extend=self.extend, **options)


def only(*known: str, more: Callable[[Body], str] = lambda body: "") -> Callable[[Body], str]:
    """Refuses fields that are not known, as strict servers do."""
    usual = {
        "model",
        "messages",
        "temperature",
        "top_p",
        "seed",
        "max_tokens",
        "max_completion_tokens",
        "stream",
    }
    usual |= {"top_k", "repetition_penalty", "response_format", *known}

    def refuses(body: Body) -> str:
        strange = sorted(set(body) - usual)
        return f"Unrecognized request argument supplied: {strange[0]}" if strange else more(body)

    return refuses


def word(*words: str, field: str = "reasoning_effort") -> Callable[[Body], str]:
    """Refuses words of a field that are not these."""
    return lambda body: (
        f"Invalid value: '{body[field]}'. Supported values are: {', '.join(words)}."
        if field in body and body[field] not in words
        else ""
    )


EFFORT = {"none": 0, "minimal": 0, "low": 64, "medium": 192, "high": 640}


def effort(body: Body, usual: str = "medium") -> int:
    return EFFORT[body.get("reasoning_effort", usual)]


def template(body: Body) -> int:
    said = body.get("chat_template_kwargs", {})
    return min(300, said.get("thinking_budget", 300)) if said.get("enable_thinking", True) else 0


def openrouter(body: Body) -> int:
    said = body.get("reasoning", {})
    if said.get("enabled") is False:
        return 0
    if "effort" in said:
        return EFFORT[said["effort"]]
    return int(min(said.get("max_tokens", 200), 200)) if said else 0


def _budget_fits(body: Body) -> str:
    said = body.get("thinking", {})
    budget = said.get("budget_tokens", 0)
    if said.get("type") not in {None, "enabled", "disabled"}:
        return "thinking.type: Input should be 'enabled' or 'disabled'"
    if said.get("type") == "enabled" and not budget >= 1024:
        return "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
    if budget and budget >= body["max_tokens"]:
        return "max_tokens must be greater than thinking.budget_tokens"
    return ""


def gemini(body: Body) -> int:
    said = body.get("extra_body", {}).get("google", {}).get("thinking_config", {})
    if "thinking_budget" in said:
        return {0: 0, -1: 150}.get(said["thinking_budget"], min(150, said["thinking_budget"]))
    return EFFORT.get(body.get("reasoning_effort", "medium"), 0)


def dashscope(body: Body) -> int:
    return min(250, body.get("thinking_budget", 250)) if body.get("enable_thinking") else 0


THINKERS = {
    "gpt5": Thinker(effort, only("reasoning_effort", more=word("minimal", "low", "medium", "high"))),
    "gpt51": Thinker(
        lambda b: effort(b, "none"), only("reasoning_effort", more=word("none", "low", "medium", "high"))
    ),
    "vllm-qwen3": Thinker(template, word("low", "medium", "high"), "text"),
    "vllm-no-parser": Thinker(template, word("low", "medium", "high"), "tags"),
    "vllm-always": Thinker(lambda body: 90, word("low", "medium", "high"), "tags"),
    "vllm-never": Thinker(lambda body: 0, word("low", "medium", "high")),
    "gpt-oss": Thinker(effort, word("low", "medium", "high"), "text"),
    "openrouter": Thinker(openrouter, seen="text"),
    "anthropic": Thinker(
        lambda b: 120 if b.get("thinking", {}).get("type") == "enabled" else 0,
        only("thinking", more=_budget_fits), "hidden",
    ),
    "glm": Thinker(lambda b: 0 if b.get("thinking", {}).get("type") == "disabled" else 80, seen="text"),
    "gemini": Thinker(gemini, only("extra_body", "reasoning_effort")),
    "dashscope": Thinker(dashscope, seen="text"),
    "ollama": Thinker(lambda b: 0 if b.get("think") is False else EFFORT.get(str(b.get("think")), 70), seen="text"),
    "plain": Thinker(lambda body: 0),
}  # fmt: skip
"""Servers by name."""
