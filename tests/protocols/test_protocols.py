"""Protocols: pure steps from replies to the next request or the end."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.core.message import Message, Text
from harness.core.prompt import Rendering
from harness.core.protocol import Ask, Done, Render
from harness.protocols import PROTOCOLS, load_protocol


def prompt_with(*marks: str) -> Render:
    """A prompt with a question, and a further one after each reply mark."""

    def render(replies: Mapping[str, str]) -> Rendering:
        messages = [Message("user", (Text("look"),))]
        for mark in marks:
            if mark not in replies:
                return Rendering(tuple(messages), mark)
            messages.append(Message("assistant", (Text(replies[mark]),)))
            messages.append(Message("user", (Text(f"after {mark}"),)))
        return Rendering(tuple(messages), None)

    return render


def texts(step: Ask | Done) -> list[str]:
    assert isinstance(step, Ask)
    return [message.text for message in step.messages]


def test_names_and_descriptions() -> None:
    assert PROTOCOLS.names() == ("describe-then-answer", "single")
    for name in PROTOCOLS.names():
        assert load_protocol(name).name == name
        assert load_protocol(name).description


def test_single_asks_once() -> None:
    single = load_protocol("single")
    assert texts(single.step(prompt_with(), [])) == ["look"]
    assert single.step(prompt_with(), ["happy"]) == Done("happy")


def test_single_refuses_a_prompt_with_reply_marks() -> None:
    with pytest.raises(HarnessError, match="describe-then-answer"):
        load_protocol("single").step(prompt_with("description"), [])


def test_describe_then_answer_fills_each_mark_in_turn() -> None:
    step = load_protocol("describe-then-answer").step
    render = prompt_with("brows", "mouth")
    assert texts(step(render, [])) == ["look"]
    assert texts(step(render, ["raised"])) == ["look", "raised", "after brows"]
    assert texts(step(render, ["raised", "open"]))[3:] == ["open", "after mouth"]
    assert step(render, ["raised", "open", "surprise"]) == Done("surprise")


@given(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6), st.data())
def test_one_request_more_than_there_are_marks(marks: list[str], data: st.DataObject) -> None:
    step = load_protocol("describe-then-answer").step
    render = prompt_with(*marks)
    replies: list[str] = []
    while isinstance(step(render, tuple(replies)), Ask):
        replies.append(data.draw(st.text(max_size=5)))
    assert len(replies) == len(marks) + 1
    assert step(render, replies) == Done(replies[-1])
