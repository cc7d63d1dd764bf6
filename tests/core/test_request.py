from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from harness.core.message import Image, Message, Text
from harness.core.request import Sampling, request_key

TEXT = st.text(max_size=20)
PARTS = st.lists(
    st.one_of(TEXT.map(Text), st.binary(min_size=1, max_size=8).map(lambda b: Image("x", b))),
    max_size=4,
)
TURNS = st.lists(
    st.tuples(st.sampled_from(["system", "user", "assistant"]), PARTS), min_size=1, max_size=4
).map(lambda turns: tuple(Message(role, tuple(parts)) for role, parts in turns))


@given(one=TURNS, other=TURNS)
def test_keys_are_equal_exactly_where_what_is_sent_is(
    one: tuple[Message, ...], other: tuple[Message, ...]
) -> None:
    def sent(turns: tuple[Message, ...]) -> list[object]:
        return [
            (m.role, [p.text if isinstance(p, Text) else p.data for p in m.parts]) for m in turns
        ]

    keys = [request_key(turns, Sampling(), model="m") for turns in (one, other)]
    assert (keys[0] == keys[1]) == (sent(one) == sent(other))


@given(
    change=st.sampled_from(
        [
            {"temperature": 0.5},
            {"top_p": 0.9},
            {"top_k": 5},
            {"repetition_penalty": 1.1},
            {"seed": 1},
            {"max_tokens": 17},
        ]
    )
)
def test_every_sampling_parameter_enters_the_key(change: dict[str, float]) -> None:
    turns = (Message("user", (Text("x"),)),)
    plain = request_key(turns, Sampling(), model="m")
    assert request_key(turns, replace(Sampling(), **change), model="m") != plain


def test_model_and_repeat_enter_the_key_and_the_pictures_name_does_not() -> None:
    turns = (Message("user", (Image("a.png", b"1"), Text("x"))),)
    renamed = (Message("user", (Image("b.png", b"1"), Text("x"))),)
    plain = request_key(turns, Sampling(), model="m")
    assert request_key(renamed, Sampling(), model="m") == plain
    assert request_key(turns, Sampling(), model="n") != plain
    assert request_key(turns, Sampling(), model="m", repeat=1) != plain


def test_half_a_surrogate_pair_has_a_key() -> None:
    assert len(request_key((Message("user", (Text("\ud800"),)),), Sampling(), model="m")) == 32
