"""How servers are told how much to think, by imitations of them."""

from __future__ import annotations

import asyncio

import pytest

from harness.core.errors import HarnessError
from harness.core.message import Message, Text
from harness.core.model import Card
from harness.core.request import Sampling, make_request
from harness.core.thinking import read_thinking, thinking_need
from harness.models import OpenOptions, open_model
from tests.models.thinkers import THINKERS

KWARGS = '{"chat_template_kwargs": {"enable_thinking": %s%s}}'
EFFORT = '{"reasoning_effort": "%s"}'
GOOGLE = '{"extra_body": {"google": {"thinking_config": {"thinking_budget": 500, "include_thoughts": true}}}}'


async def probed(server: str, *levels: str) -> Card:
    with THINKERS[server].running() as stub:
        model = await asyncio.to_thread(
            open_model, f"openai:stub@{stub.url}", options=OpenOptions()
        )
        await model.probe(frozenset(map(thinking_need, levels)))  # type: ignore[attr-defined]
        await model.close()
        return model.card


@pytest.mark.parametrize(
    ("server", "level", "told"),
    [
        ("gpt5", "low", EFFORT % "low"),
        ("gpt5", "off", EFFORT % "minimal"),
        ("gpt5", "on", EFFORT % "medium"),
        ("gpt5", "500", ""),
        ("gpt51", "off", EFFORT % "none"),
        ("gpt51", "high", EFFORT % "high"),
        ("vllm-qwen3", "off", KWARGS % ("false", "")),
        ("vllm-qwen3", "on", KWARGS % ("true", "")),
        ("vllm-qwen3", "200", KWARGS % ("true", ', "thinking_budget": 200')),
        ("vllm-no-parser", "off", KWARGS % ("false", "")),
        ("vllm-always", "on", "it always thinks"),
        ("vllm-always", "off", ""),
        ("vllm-never", "off", ""),
        ("vllm-never", "low", ""),
        ("gpt-oss", "low", EFFORT % "low"),
        ("gpt-oss", "off", ""),
        ("openrouter", "off", '{"reasoning": {"enabled": false}}'),
        ("openrouter", "high", '{"reasoning": {"effort": "high"}}'),
        ("openrouter", "100", '{"reasoning": {"max_tokens": 100}}'),
        ("anthropic", "off", '{"thinking": {"type": "disabled"}}'),
        ("anthropic", "on", '{"thinking": {"type": "enabled", "budget_tokens": 1024}}'),
        ("anthropic", "2000", '{"thinking": {"type": "enabled", "budget_tokens": 2000}}'),
        ("anthropic", "low", ""),
        ("glm", "off", '{"thinking": {"type": "disabled"}}'),
        ("gemini", "off", EFFORT % "none"),
        ("gemini", "500", GOOGLE),
        ("dashscope", "on", '{"enable_thinking": true}'),
        ("dashscope", "100", '{"enable_thinking": true, "thinking_budget": 100}'),
        ("ollama", "off", '{"think": false}'),
        ("ollama", "high", '{"think": "high"}'),
        ("plain", "on", ""),
        ("plain", "off", ""),
    ],
)
def test_each_server_is_told_in_the_way_that_it_is_seen_to_follow(
    server: str, level: str, told: str
) -> None:
    assert asyncio.run(probed(server, level)).thinking.get(level, "") == told


def test_a_way_that_is_read_and_makes_no_difference_is_taken_with_a_note() -> None:
    card = asyncio.run(probed("vllm-always", "low", "on"))
    assert card.thinking["low"] == EFFORT % "low" + " (taken; no difference was seen)"
    assert any("was not seen" in note for note in card.notes)


def test_a_request_carries_what_asks_for_its_thinking() -> None:
    async def ask(tokens: int) -> dict[str, object]:
        with THINKERS["anthropic"].running() as stub:
            model = await asyncio.to_thread(
                open_model, f"openai:stub@{stub.url}", options=OpenOptions()
            )
            request = make_request(
                (Message("user", (Text("Hello."),)),), Sampling(max_tokens=tokens), model="m",
                thinking="on",
            )  # fmt: skip
            try:
                await model.reply(request)
            finally:
                await model.close()
            return stub.requests[-1]

    assert asyncio.run(ask(4000))["thinking"] == {"type": "enabled", "budget_tokens": 1024}
    with pytest.raises(HarnessError, match="1024 tokens to think") as found:
        asyncio.run(ask(256))
    assert "--max-tokens" in found.value.hint


@pytest.mark.parametrize("wrong", ["", "loud", "0", "-3", "2.5", 10**7, None])
def test_what_is_no_level_is_refused(wrong: object) -> None:
    with pytest.raises(HarnessError, match="unknown thinking level"):
        read_thinking(wrong)


def test_levels_are_read() -> None:
    written = {" Off": "off", "low": "low", 512: "512", "0512": "512"}
    assert {one: read_thinking(one) for one in written} == written
    assert [read_thinking(one) for one in (False, True)] == ["off", "on"]
