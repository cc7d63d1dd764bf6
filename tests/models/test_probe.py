"""What a server is held to is tried, not believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.answers.constraints import constraint_for, obeys
from harness.core.constraint import Constraint, ConstraintKind, Need
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.message import Message, Text
from harness.core.model import Probing
from harness.core.request import Sampling, make_request
from harness.models.http.constraint_dialects import bare, spell, spellings
from harness.models.http.probe import PROOFS
from harness.models.retry import Patience
from tests.models.abilities import able, instance, shortest
from tests.models.stub import Stub, running_stub
from tests.models.test_openai import opened

KINDS: tuple[ConstraintKind, ...] = ("choice", "json", "regex")
ALL: frozenset[Need] = frozenset(KINDS)
EMOTION = FieldSpec(kind="label", labels=("anger", "happy (a bit)"))
VALENCE = FieldSpec(kind="number", low=-1, high=1)


async def held(stub: Stub, needs: frozenset[Need] = ALL) -> dict[ConstraintKind, str]:
    async with opened(stub) as model:
        assert isinstance(model, Probing)
        await model.probe(needs)
        return dict(model.card.constraints)


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        (
            {"structured_outputs"},
            {
                "choice": "structured_outputs",
                "json": "structured_outputs",
                "regex": "structured_outputs",
            },
        ),
        (
            {"guided_choice", "guided_json", "guided_regex"},
            {"choice": "guided_choice", "json": "guided_json", "regex": "guided_regex"},
        ),
        ({"response_format"}, {"choice": "response_format", "json": "response_format"}),
        ({"regex"}, {"choice": "regex", "json": "regex", "regex": "regex"}),
        ({"grammar"}, {"choice": "grammar"}),
        (set(), {}),
    ],
)
async def test_the_spelling_that_holds_is_found(spoken: set[str], expected: dict[str, str]) -> None:
    with running_stub(**able(obeys=spoken), answer=lambda body: "Hello there.") as stub:
        assert await held(stub) == expected


async def test_only_what_is_needed_is_tried_and_the_first_that_holds_ends_it() -> None:
    with running_stub(**able(obeys={"structured_outputs"})) as stub:
        assert await held(stub, frozenset({"choice"})) == {"choice": "structured_outputs"}
        assert stub.count == 1


async def test_a_server_that_refuses_unknown_fields_is_asked_in_the_next_spelling() -> None:
    def strict(body: dict[str, object]) -> str:
        return "422" if "structured_outputs" in body else "ok"

    with running_stub(**able(obeys={"guided_choice"}), choose=strict) as stub:
        assert await held(stub, frozenset({"choice"})) == {"choice": "guided_choice"}


async def test_a_reply_that_never_ends_proves_nothing() -> None:
    with running_stub(**able(obeys={"structured_outputs"}), always={"": "length"}) as stub:
        assert await held(stub) == {}


async def test_a_silent_server_is_no_server_that_cannot() -> None:
    with running_stub(always={"": "hang"}) as stub:
        async with opened(stub, Patience(tries=1, timeout=0.1)) as model:
            with pytest.raises(
                HarnessError, match="did not answer while its capabilities were tested"
            ):
                await model.probe(ALL)


async def test_a_constrained_request_is_sent_in_the_spelling_that_held() -> None:
    request = make_request(
        (Message("user", (Text("?"),)),),
        Sampling(),
        model="m",
        constraint=constraint_for({"e": EMOTION}, "text"),
    )
    with running_stub(**able(obeys={"guided_choice"})) as stub:
        async with opened(stub) as model:
            got = await model.reply(request)  # not probed yet: that is made up for
            sent = stub.requests[-1]
            again = await model.reply(request)
        assert sent["guided_choice"] == ["anger", "happy (a bit)"]
        assert "structured_outputs" not in sent
        assert stub.count == 2 + 2
    assert got.text == again.text == "happy (a bit)"


async def test_a_choice_that_is_wrapped_in_an_object_is_read_bare() -> None:
    request = make_request(
        (Message("user", (Text("?"),)),),
        Sampling(),
        model="m",
        constraint=constraint_for({"e": EMOTION}, "text"),
    )
    with running_stub(**able(obeys={"response_format"})) as stub:
        async with opened(stub) as model:
            got = await model.reply(request)
        (format_,) = {json.dumps(stub.requests[-1]["response_format"])}
    assert got.text in EMOTION.labels and got.text in format_


async def test_a_model_that_thinks_first_is_given_room_to_show_that_it_is_held() -> None:
    def extend(body: dict[str, Any], completion: dict[str, Any]) -> None:
        able(obeys={"response_format"})["extend"](body, completion)
        if body["max_tokens"] < 500:
            completion["choices"][0]["message"] = {"content": "", "reasoning": "well, well"}
            completion["choices"][0]["finish_reason"] = "length"

    with running_stub(extend=extend) as stub:
        found = await held(stub, frozenset({"choice"}))
    assert found == {"choice": "response_format"}


async def test_a_request_that_cannot_be_held_fails_and_is_not_sent_free() -> None:
    request = make_request(
        (Message("user", (Text("?"),)),),
        Sampling(),
        model="m",
        constraint=constraint_for({"e": EMOTION}, "text"),
    )
    with running_stub() as stub:
        async with opened(stub) as model:
            got = await model.reply(request)
        assert stub.count == len(spellings("choice"))
    assert got.failure is not None and got.failure.kind == "unsupported"


@pytest.mark.parametrize("kind", KINDS)
def test_no_usual_reply_would_keep_a_proof(kind: ConstraintKind) -> None:
    for text in ("Hello!", "hello", "anger", '{"greeting": "hello"}', "123456", ""):
        assert not obeys(text, PROOFS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_every_spelling_says_the_same(kind: ConstraintKind) -> None:
    """A text made from any spelling keeps the constraint it spells."""
    constraints = {
        "choice": constraint_for({"e": EMOTION}, "text"),
        "json": constraint_for({"e": EMOTION, "v": VALENCE}, "json"),
        "regex": constraint_for({"v": VALENCE}, "text"),
    }
    for spelling in spellings(kind):
        ((name, value),) = spell(constraints[kind], spelling).items()
        if name == "structured_outputs":
            ((_, value),) = value.items()
        if name == "response_format":
            value = value["json_schema"]["schema"]
        if isinstance(value, dict):
            text = bare(json.dumps(instance(value)), constraints[kind], spelling)
        elif isinstance(value, list):
            text = value[0]
        elif name == "grammar":
            text = json.loads(value.partition("::= ")[2].split(" | ")[1])
        else:
            text = shortest(value)
        assert obeys(text, constraints[kind]), (spelling, text)


def test_special_characters_survive_a_grammar_and_a_pattern() -> None:
    odd = Constraint("choice", choices=('say "ah"', "a\\b", "1.5+"))
    assert spell(odd, "grammar")["grammar"] == r'root ::= "say \"ah\"" | "a\\b" | "1.5+"'
    assert spell(odd, "regex")["regex"] == r'say "ah"|a\\b|1\.5\+'
