"""Protocols: pure steps from replies to the next request or the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.core.message import Message, Text
from harness.core.prompt import Rendering
from harness.core.protocol import Ask, Done, Render
from harness.protocols.registry import PROTOCOLS, load_protocol
from harness.protocols.steps import count_requests, take_step


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
    assert PROTOCOLS.names() == ("agent", "describe-then-answer", "given", "single", "vote-N")
    assert PROTOCOLS.load("vote-N").description
    for name in ("describe-then-answer", "single", "vote-5"):
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


def test_vote_draws_each_conversation_anew_and_counts_its_replies() -> None:
    step, render = load_protocol("vote-3").step, prompt_with("brows")
    said = ["raised", "joy", "flat", "anger", "raised", "joy"]
    asked = [step(render, said[:n]) for n in range(6)]
    assert [one.draw for one in asked if isinstance(one, Ask)] == [0, 0, 1, 1, 2, 2]
    assert [one.reply for one in asked if isinstance(one, Ask)] == ["brows", None] * 3
    assert texts(asked[2]) == ["look"]
    assert texts(asked[3]) == ["look", "flat", "after brows"]
    assert step(render, said) == Done("joy\nanger\njoy", votes=(2, 2, 2))


@pytest.mark.parametrize("name", ["vote", "vote-N", "vote-1", "vote-101", "vote-0"])
def test_a_vote_needs_a_number(name: str) -> None:
    with pytest.raises(HarnessError) as caught:
        load_protocol(name)
    assert name in caught.value.message
    assert "from 2 to 100" in caught.value.hint


@given(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=4), st.integers(2, 7))
def test_requests_are_counted_by_asking_the_protocol(names: list[str], draws: int) -> None:
    assert count_requests(load_protocol("describe-then-answer"), names) == len(names) + 1
    assert count_requests(load_protocol(f"vote-{draws}"), names) == draws * (len(names) + 1)
    if names:
        with pytest.raises(HarnessError, match=names[0]):
            count_requests(load_protocol("single"), names)
    else:
        assert count_requests(load_protocol("single"), names) == 1


class Steps:
    """A protocol of another package that does what it is told."""

    def __init__(self, *steps: object) -> None:
        self.name, self._steps = "theirs", steps

    def step(self, render: Render, replies: Sequence[str]) -> Ask | Done:
        step = self._steps[min(len(replies), len(self._steps) - 1)]
        if isinstance(step, Exception):
            raise step
        return step  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        (Steps("happy"), "returned str as a step"),
        (Steps(Ask(()), None), "returned NoneType as a step"),
        (Steps(Done(7)), "returned Done as a step"),  # type: ignore[arg-type]
        (Steps(Ask(()), Done("x", votes=(2,))), "counts 2 replies to its votes, of 1"),
        (Steps(Ask(()), Done("x", votes=(1, 0))), "counts 1 replies to its votes, of 1"),
        (Steps(Ask((), draw=1)), "asks for draw 1 of 1"),
        (Steps(Ask(())), "asked 1,000 times"),
        (Steps(KeyError("x")), "failed: KeyError: 'x'"),
    ],
)
def test_steps_that_make_no_sense_are_said(protocol: Steps, said: str) -> None:
    with pytest.raises(HarnessError, match=f"protocol theirs.*{said}"):
        count_requests(protocol, ())


def test_a_step_is_taken_as_it_is() -> None:
    assert take_step(Steps(Done("x")), prompt_with(), []) == Done("x")
