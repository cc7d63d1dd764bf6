"""Log-probabilities of labels from a server: two estimators, and no third."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from harness.core.generation import Generation
from harness.core.message import Image, Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.http.model import OpenAIModel
from tests.models.abilities import able
from tests.models.stub import Stub, running_stub
from tests.models.test_openai import JPEG, opened

LOGPROBS = {"happiness": -0.5, "anger": -1.25, "happy": -2.0, "yes": -0.7, "no": -1.2}
EVERYTHING = {"ids", "top", "prompt", "tokenize"}


def ask(*labels: str, text: str = "Which?") -> Request:
    turns = (Message("user", (Image("a.jpg", JPEG), Text(text))),)
    return make_request(turns, Sampling(), model="stub", candidates=labels)


async def scored(
    stub: Stub, request: Request, *, probe: bool = True
) -> tuple[Generation, OpenAIModel]:
    async with opened(stub) as model:
        if probe:
            await model.probe(frozenset({"logprob"}))
            stub.reset()
        return await model.reply(request), model


def server(scores: Collection[str], logprobs: Mapping[str, float] = LOGPROBS) -> Any:
    return running_stub(**able(scores=scores, logprobs=logprobs))


@pytest.mark.parametrize(
    ("offered", "estimators"),
    [
        (EVERYTHING, ("first-token", "continuation")),
        ({"ids", "tokenize"}, ("first-token",)),
        ({"top", "tokenize"}, ("first-token",)),
        ({"prompt", "tokenize"}, ("continuation",)),
        ({"ids", "top", "prompt"}, ()),
        ({"tokenize"}, ()),
        (set(), ()),
    ],
)
async def test_what_a_server_offers_is_found_out(
    offered: set[str], estimators: tuple[str, ...]
) -> None:
    with server(offered) as stub:
        _, model = await scored(stub, ask("yes", "no"))
    assert model.card.estimators == estimators


async def test_distinct_first_tokens_take_one_request() -> None:
    with server(EVERYTHING) as stub:
        got, _ = await scored(stub, ask("anger", "happiness"))
        assert stub.count == 1
        assert stub.requests[0]["max_tokens"] == 1
        assert len(stub.requests[0]["logprob_token_ids"]) == 2
    assert got.scores is not None
    assert (got.text, got.scores.estimator) == ("happiness", "first-token")
    assert got.scores.labels == ("anger", "happiness")
    assert got.scores.logprobs == (-1.25, -0.5)
    assert got.scores.tokens == (1, 1)


async def test_labels_that_begin_alike_are_scored_whole() -> None:
    with server(EVERYTHING) as stub:
        got, _ = await scored(stub, ask("happiness", "happy"))
        assert stub.count == 2
        assert [b["messages"][-1] for b in stub.requests] == [
            {"role": "assistant", "content": "happiness"},
            {"role": "assistant", "content": "happy"},
        ]
        assert all(not b["add_generation_prompt"] for b in stub.requests)
    assert got.scores is not None and got.scores.estimator == "continuation"
    # "hap" "pin" "ess" and the end; "hap" "py" and the end
    assert got.scores.logprobs == (-0.5 - 2 * 0.25 - 0.125, -2.0 - 0.25 - 0.125)
    assert got.scores.tokens == (4, 3)
    assert got.text == "happiness"


async def test_whole_labels_are_preferred_to_the_likeliest_tokens() -> None:
    with server({"top", "prompt", "tokenize"}) as stub:
        got, _ = await scored(stub, ask("anger", "happiness"))
    assert got.scores is not None and got.scores.estimator == "continuation"


async def test_a_server_that_passes_over_the_ids_is_found_out() -> None:
    """It gives as many of the likeliest tokens as ids were named."""
    likely = {"yes": -0.1, "no": -2.0}
    with server({"top", "prompt", "tokenize"}, likely) as stub:
        got, _ = await scored(stub, ask("yes", "no"))
    assert got.scores is not None and got.scores.estimator == "continuation"


async def test_among_the_likeliest_tokens_every_label_must_be() -> None:
    with server({"top", "tokenize"}) as stub:
        got, _ = await scored(stub, ask("anger", "happiness"))
        lost, _ = await scored(stub, ask("anger", "surprise"))
    assert got.scores is not None and got.scores.estimator == "first-token"
    assert lost.failure is not None and lost.failure.kind == "unsupported"
    assert "surprise" in lost.failure.detail


@pytest.mark.parametrize(
    ("offered", "labels"),
    [
        ({"ids", "top", "prompt"}, ("yes", "no")),  # no tokenizer
        ({"ids", "tokenize"}, ("happiness", "happy")),  # one first token, nothing scored whole
        ({"tokenize"}, ("yes", "no")),
    ],
)
async def test_nothing_is_approximated(offered: set[str], labels: tuple[str, ...]) -> None:
    with server(offered) as stub:
        got, _ = await scored(stub, ask(*labels))
    assert got.failure is not None and got.failure.kind == "unsupported"
    assert got.scores is None and got.text == ""


async def test_a_model_that_was_not_probed_is_probed_when_it_is_asked() -> None:
    with server(EVERYTHING) as stub:
        got, model = await scored(stub, ask("anger", "happiness"), probe=False)
    assert got.scores is not None and model.card.estimators


async def test_a_failed_request_fails_the_whole_score() -> None:
    def choose(body: dict[str, Any]) -> str:
        return "400" if body["messages"][-1]["content"] == "happy" else "ok"

    with running_stub(**able(scores=EVERYTHING, logprobs=LOGPROBS), choose=choose) as stub:
        request = ask("happiness", "happy")
        got, _ = await scored(stub, request)
    assert got.failure is not None and got.failure.kind == "rejected" and got.key == request.key


async def test_tokens_of_a_label_set_are_asked_for_once() -> None:
    with server(EVERYTHING) as stub:
        inner, asked = stub.tokenize, []

        def counting(body: dict[str, Any]) -> dict[str, Any]:
            asked.append(body)
            assert inner is not None
            told: dict[str, Any] = inner(body)
            return told

        async with opened(stub) as model:
            await model.probe(frozenset({"logprob"}))
            stub.tokenize = counting
            for _ in range(3):
                await model.reply(ask("anger", "happiness"))
    assert len(asked) == 1 + 2 * 2


async def test_a_template_that_opens_a_turn_otherwise_is_not_trusted() -> None:
    """A generation prompt that ends in a thought, as some templates write, is no beginning of the turn."""
    options = able(scores=EVERYTHING, logprobs=LOGPROBS)
    inner = options["tokenize"]

    def thinking(body: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = inner(body)
        if len(body["messages"]) == 1:
            told["tokens"].append(99)
        return told

    with running_stub(**{**options, "tokenize": thinking}) as stub:
        got, model = await scored(stub, ask("anger", "happiness"))
    assert model.card.estimators == ()
    assert got.failure is not None and got.failure.kind == "unsupported"
