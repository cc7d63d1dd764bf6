"""Thinking in place: the variables of a checkpoint's chat template."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.generation import Generation
from harness.core.model import Model
from harness.core.thinking import thinking_need
from harness.models import open_model
from tests.models.tiny_checkpoint import TEMPLATE, ask, build

SWITCHED = TEMPLATE + (
    "{% if add_generation_prompt and enable_thinking is defined and not enable_thinking %}"
    "{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}"
)
GRADED = "Reasoning: {{ reasoning_effort | default('medium') }}" + TEMPLATE


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("thinking") / "tiny")


def opened(checkpoint: Path, template: str) -> Model:
    (checkpoint / "chat_template.jinja").write_text(template)
    return open_model(f"transformers:{checkpoint}")


async def replies(model: Model, *levels: str) -> list[Generation]:
    try:
        return [await model.reply(replace(ask(1), thinking=level)) for level in levels]
    finally:
        await model.close()


def test_a_template_with_a_switch_is_asked_by_it(checkpoint: Path) -> None:
    model = opened(checkpoint, SWITCHED)
    assert {"off", "on"} == set(model.card.thinking)
    assert thinking_need("off") in model.card.offers
    usual, off, on, low = asyncio.run(replies(model, "", "off", "on", "low"))
    added = len("<think>\n\n</think>\n\n")  # one token a byte
    assert off.usage.prompt_tokens == usual.usage.prompt_tokens + added
    assert on.text == usual.text and on.usage.prompt_tokens == usual.usage.prompt_tokens
    assert low.failure is not None and low.failure.kind == "unsupported"


def test_a_template_with_efforts_and_one_with_nothing(checkpoint: Path) -> None:
    assert set(opened(checkpoint, GRADED).card.thinking) == {"low", "medium", "high"}
    assert not opened(checkpoint, TEMPLATE).card.thinking
