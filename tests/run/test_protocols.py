"""Runs by a protocol: replies that vote, texts of the protocol's own, and what a plan counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import HarnessError
from harness.core.request import Request
from harness.run.log import read_log
from harness.score.folder import score_run
from harness.score.records import read_records
from tests.example import Installed
from tests.run.bench import RuleModel, World, make_world


def by_seed(*words: str) -> Callable[[Request], str]:
    """The reply of the n-th draw."""
    return lambda request: words[request.sampling.seed]


def run(world: World, *words: str, **options: Any) -> RuleModel:
    model = RuleModel(by_seed(*words))
    world.run(model, temperature=0.7, **options)
    return model


def column(world: World, name: str) -> set[Any]:
    score_run(world.folder)
    return {row[name] for row in read_records(world.folder)}


def test_most_of_the_replies_decide(tmp_path: Path) -> None:
    world = make_world(tmp_path, 4)
    model = run(
        world, "anger", "happiness", "happiness", "no idea", "anger", "happiness", protocol="vote-5"
    )
    assert len(model.asked) == 20
    assert len({request.key for request in model.asked}) == 20
    assert column(world, "outcome") == {"ambiguous"}
    assert column(world, "rule") == {
        "vote/tie: anger, happiness (anger 2, happiness 2, (refused) 1)"
    }
    assert column(world, "protocol") == {"vote-5"}
    (text,) = column(world, "text")
    assert text == "(1) anger\n(2) happiness\n(3) happiness\n(4) no idea\n(5) anger"
    run(
        world, "anger", "happiness", "happiness", "no idea", "anger", "happiness", protocol="vote-6"
    )
    scores = score_run(world.folder).scores
    found = {row["protocol"]: row for row in read_records(world.folder)}
    assert found["vote-6"]["rule"] == "vote/most (happiness 3, anger 2, (refused) 1)"
    assert json.loads(found["vote-6"]["value"]) == "happiness"
    assert {row.channel for row in scores if row.model == "rule"} == {"free, vote-6"}


def test_the_replies_of_repeats_vote_without_being_asked_again(tmp_path: Path) -> None:
    world = make_world(tmp_path, 4)
    assert len(run(world, "anger", "happiness", "anger", repeats=3).asked) == 12
    assert len(run(world, "", "", "", protocol="vote-3").asked) == 0
    assert column(world, "value") == {'"anger"'}
    assert len(run(world, *"abc", "joy", "joy", protocol="vote-5").asked) == 8


def test_each_repeat_of_a_vote_has_draws_of_its_own(tmp_path: Path) -> None:
    world = make_world(tmp_path, 2)
    model = run(world, "anger", "anger", "happiness", "happiness", protocol="vote-2", repeats=2)
    assert sorted(request.sampling.seed for request in model.asked) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert column(world, "value") == {'"anger"', '"happiness"'}


def test_prompts_with_named_replies_are_put_whole_each_time(tmp_path: Path) -> None:
    world = make_world(tmp_path, 2)
    model = RuleModel(
        lambda r: (
            ("anger", "happiness", "anger")[r.sampling.seed] if len(r.messages) > 2 else "brows"
        )
    )
    world.run(model, prompts=("emotion/describe",), protocol="vote-3", temperature=0.7)
    assert len(model.asked) == 12
    assert [line["votes"] for _, line in read_log(world.folder.trials)] == [[2, 2, 2]] * 2
    assert column(world, "value") == {'"anger"'}


def test_a_vote_with_a_failed_reply_goes_on_from_there(tmp_path: Path) -> None:
    world = make_world(tmp_path, 2)
    model = RuleModel(by_seed("anger", "anger", "anger"), fail=lambda r: r.sampling.seed == 2)
    _, tally = world.run(model, temperature=0.7, protocol="vote-3")
    assert tally.failed == 2
    assert column(world, "outcome") == {"failed"}
    again = run(world, "", "", "anger", protocol="vote-3")
    assert [request.sampling.seed for request in again.asked] == [2, 2]
    assert column(world, "value") == {'"anger"'}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"protocol": "vote-5"}, "all equal at temperature 0"),
        ({"protocol": "single", "prompts": ("emotion/describe",)}, "prompt emotion/describe, protocol single"),
        ({"protocol": "votes"}, "unknown protocol 'votes'"),
        ({"protocol": "vote"}, "the number is missing"),
    ],
)  # fmt: skip
def test_what_a_protocol_cannot_do_is_refused_before_anything_is_asked(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    world, model = make_world(tmp_path, 2), RuleModel()
    with pytest.raises(HarnessError, match=said):
        world.run(model, **options)
    assert model.asked == []


@pytest.mark.parametrize(
    ("prompt", "protocol", "requests"),
    [
        ("emotion/plain", None, 1),
        ("emotion/describe", None, 2),
        ("emotion/describe", "vote-3", 6),
        ("emotion/plain", "describe-then-answer", 1),
        ("emotion/few-shot-image", None, 1),
    ],
)  # fmt: skip
def test_a_plan_counts_what_the_protocol_asks(
    tmp_path: Path, prompt: str, protocol: str | None, requests: int
) -> None:
    world, model = make_world(tmp_path, 2), RuleModel()
    plan, _ = world.run(model, prompts=(prompt,), protocol=protocol, temperature=0.7)
    assert list(plan.requests.values()) == [requests]
    assert len(model.asked) == 2 * requests


def test_a_text_of_the_protocol_is_journalled_and_read(
    tmp_path: Path, example_here: Installed
) -> None:
    world = make_world(tmp_path / "world", 3)
    replies = iter(("happiness or anger?\nanger", "anger", "anger\n"))
    world.run(RuleModel(lambda request: next(replies)), protocol="last-line")
    kept = [line.get("text") for _, line in read_log(world.folder.trials)]
    assert sorted(kept, key=str) == [None, "anger", "anger"]
    assert column(world, "value") == {'"anger"'}
    assert column(world, "text") == {"anger"}
