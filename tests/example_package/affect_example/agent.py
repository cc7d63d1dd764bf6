"""An agent of one's own: LangChain's `create_agent` on a chat model behind a local server."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from langchain.agents import create_agent
from langchain.chat_models import init_chat_model


@cache
def chat() -> Any:
    """The chat model, opened once: `build` is called for each sample."""
    return init_chat_model(
        "openai:stub", base_url="http://127.0.0.1:8000/v1", api_key="none", temperature=0
    )


def build(tools: Sequence[Any], middleware: Sequence[Any]) -> Any:
    """The graph for one sample: `tools` look at its pictures, `middleware` keeps to the limits."""
    told = "Look closely before you answer. End with the answer alone."
    return create_agent(chat(), list(tools), system_prompt=told, middleware=list(middleware))
