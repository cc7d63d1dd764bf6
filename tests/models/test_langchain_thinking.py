"""Thinking as chat model classes of LangChain take it, by imitations of ChatAnthropic, ChatGoogleGenerativeAI, ChatOllama."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.errors import HarnessError
from harness.core.message import Message, Text
from harness.core.request import Sampling, make_request
from harness.core.thinking import thinking_need
from harness.models.langchain.model import LangChainModel
from harness.models.retry import Patience

pytest.importorskip("langchain_core")

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

HASTE = Patience(tries=1, base=0.001, cap=0.002, timeout=5.0)
EFFORT = {"minimal": 0, "low": 64, "medium": 192, "high": 640}


class Refused(Exception):
    """As the provider's package raises it."""

    status_code = 400


class Thinker(BaseChatModel):
    """What the imitations share."""

    model_name: str = "x"
    temperature: float | None = None
    max_tokens: int | None = None

    @property
    def _llm_type(self) -> str:
        return "imitation"

    def thought(self) -> int:
        return 0

    def content(self, tokens: int) -> Any:
        return "36"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> Any:
        tokens = self.thought()
        message = AIMessage(
            content=self.content(tokens),
            usage_metadata={
                "input_tokens": 9, "output_tokens": 2 + tokens, "total_tokens": 11 + tokens,
                "output_token_details": {"reasoning": tokens},
            },
        )  # fmt: skip
        return ChatResult(generations=[ChatGeneration(message=message)])


class ChatAnthropic(Thinker):
    """Thinks where `thinking` says so, at a temperature of 1, with a budget of at least 1024 below the limit of tokens."""

    thinking: dict[str, Any] | None = None
    effort: str | None = None
    adaptive: bool = False

    def thought(self) -> int:
        kind = (self.thinking or {}).get("type")
        if kind in {None, "disabled"}:
            return 0
        if self.temperature != 1:
            raise Refused("`temperature` may only be set to 1 when thinking is enabled.")
        if kind == "adaptive" and self.adaptive:
            return EFFORT[self.effort or "high"]
        budget = (self.thinking or {}).get("budget_tokens")
        if kind != "enabled" or self.adaptive or not isinstance(budget, int) or budget < 1024:
            raise Refused("thinking.enabled.budget_tokens: Field required, at least 1024")
        if budget >= (self.max_tokens or 0):
            raise Refused("`max_tokens` must be greater than `thinking.budget_tokens`.")
        return budget // 2

    def content(self, tokens: int) -> Any:
        blocks: list[Any] = [{"type": "text", "text": "36"}]
        return [{"type": "thinking", "thinking": "well " * tokens}, *blocks] if tokens else blocks


class ChatGoogleGenerativeAI(Thinker):
    """Gemini 2.5 takes a budget, Gemini 3 a level; neither takes both."""

    thinking_budget: int | None = None
    thinking_level: str | None = None
    include_thoughts: bool | None = None
    third: bool = False

    def thought(self) -> int:
        if self.third:
            if self.thinking_budget is not None:
                raise Refused("thinking_budget is not supported by this model")
            if self.thinking_level == "minimal":
                raise Refused("thinking level minimal is not supported by this model")
            return EFFORT[self.thinking_level or "high"]
        if self.thinking_level is not None:
            raise Refused("thinking_level is not supported by this model")
        budget = -1 if self.thinking_budget is None else self.thinking_budget
        return 300 if budget < 0 else min(budget, 300)


class ChatOllama(Thinker):
    """Passes the field over where the model does not think."""

    reasoning: bool | str | None = None
    deaf: bool = False

    def thought(self) -> int:
        return 0 if self.deaf or not self.reasoning else 200


def opened(chat: Any, **sampling: Any) -> LangChainModel:
    return LangChainModel(
        chat, name="x", identity="x", patience=HASTE, sampling=Sampling(**sampling)
    )


@pytest.mark.parametrize(
    ("chat", "level", "told"),
    [
        (ChatAnthropic(), "on", '{"thinking": {"type": "enabled", "budget_tokens": 1024}}'),
        (ChatAnthropic(), "off", '{"thinking": {"type": "disabled"}}'),
        (ChatAnthropic(), "2000", '{"thinking": {"type": "enabled", "budget_tokens": 2000}}'),
        (ChatAnthropic(), "low", ""),
        (ChatAnthropic(adaptive=True), "on", '{"thinking": {"type": "adaptive"}}'),
        (ChatAnthropic(adaptive=True), "low", '{"thinking": {"type": "adaptive"}, "effort": "low"}'),
        (ChatAnthropic(adaptive=True), "2000", ""),
        (ChatGoogleGenerativeAI(), "off", '{"thinking_budget": 0, "include_thoughts": false}'),
        (ChatGoogleGenerativeAI(), "on", '{"thinking_budget": -1, "include_thoughts": true}'),
        (ChatGoogleGenerativeAI(), "120", '{"thinking_budget": 120, "include_thoughts": true}'),
        (ChatGoogleGenerativeAI(), "low", ""),
        (ChatGoogleGenerativeAI(third=True), "low", '{"thinking_level": "low", "include_thoughts": true}'),
        (ChatGoogleGenerativeAI(third=True), "off", ""),
        (ChatGoogleGenerativeAI(third=True), "500", ""),
        (ChatOllama(), "on", '{"reasoning": true}'),
        (ChatOllama(deaf=True), "on", ""),
        (Thinker(), "on", ""),
    ],
)  # fmt: skip
async def test_a_level_is_taken_where_its_effect_is_seen(chat: Any, level: str, told: str) -> None:
    model = opened(chat, temperature=1.0)
    await model.probe(frozenset({thinking_need(level)}))
    assert model.card.thinking == ({level: told} if told else {})
    assert (thinking_need(level) in model.card.offers) == bool(told)


async def test_a_request_is_put_with_what_was_found() -> None:
    model = opened(ChatAnthropic(), temperature=1.0)
    turns = (Message("user", (Text("Which emotion?"),)),)
    asked = make_request(
        turns, Sampling(temperature=1.0, max_tokens=4000), model="x", thinking="2000"
    )
    reply = await model.reply(asked)
    assert (reply.text, reply.usage.reasoning_tokens) == ("36", 1000)
    assert reply.reasoning.startswith("well well")
    plain = await model.reply(make_request(turns, Sampling(temperature=1.0), model="x"))
    assert not plain.reasoning


async def test_a_sampling_that_is_refused_while_it_thinks_is_told() -> None:
    with pytest.raises(HarnessError, match="does not accept temperature") as error:
        await opened(ChatAnthropic()).probe(frozenset({thinking_need("on")}))
    assert "--temperature to 1" in error.value.hint
