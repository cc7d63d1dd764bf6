"""Tokens, seconds, pictures and money: each reply of the journal counted once."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.analyses.usage import ANALYSIS
from harness.core.errors import HarnessError
from harness.core.generation import Generation, Refusal, Usage
from harness.core.message import Image
from harness.core.request import Request
from harness.models.http.completion import read_usage
from harness.run.usage import Used, usage_rows
from tests.run.keeping import Desk, RuleModel, make_desk


@dataclass
class Counting(RuleModel):
    """Counts as many prompt tokens as there are characters, 2 reply tokens, and 0.5 s more for each reply."""

    silent: bool = False
    blocked: bool = False
    seen: int = 0
    """Tokens of the pictures of each prompt."""

    async def reply(self, request: Request) -> Generation:
        found = await super().reply(request)
        if found.failure is not None or self.silent:
            return replace(found, latency=0.5)
        if self.blocked:
            return replace(found, text="", finish="filtered", refusal=Refusal("platform", "no"))
        text = sum(len(message.text) for message in request.messages)
        return replace(found, usage=Usage(text, 2, 1, self.seen), latency=0.5 * len(self.asked))


def pictures(request: Request) -> int:
    return sum(isinstance(part, Image) for m in request.messages for part in m.parts)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return make_desk(tmp_path)


def usage(desk: Desk) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(desk.folder.extras.read_text())["usage"]
    return found


TWO_STEPS = (
    "---\nfields: [emotion]\nprotocol: describe-then-answer\n---\n"
    "{% user %}{{ image }} Describe.{% enduser %}{% reply as description %}"
    "{% user %}One of {{ labels | join(', ') }}?{% enduser %}\n"
)


def test_every_reply_counts_once(desk: Desk) -> None:
    model = Counting()
    done = desk.run(model)
    (row,) = usage(desk)
    assert row["replies"] == len(model.asked) == 12
    assert row["prompt_tokens"] == sum(len(m.text) for r in model.asked for m in r.messages)
    assert (row["completion_tokens"], row["reasoning_tokens"]) == (24, 12)
    assert row["pictures"] == sum(map(pictures, model.asked)) == 12
    assert row["seconds_median"] == 3.25
    assert row["seconds_95"] == pytest.approx(0.5 * (1 + 0.95 * 11), abs=1e-4)
    assert "cost" not in row, "no price, no money"
    before = desk.folder.scores.read_bytes()
    desk.run(model)
    assert usage(desk) == [row]
    assert desk.folder.scores.read_bytes() == before
    assert done.scores.extras["usage"] == (row,)


def test_tokens_of_pictures_are_counted_where_they_are_told(desk: Desk) -> None:
    desk.run(Counting(seen=25))
    (row,) = usage(desk)
    assert row["picture_tokens"] == 12 * 25
    line = json.loads(desk.folder.generations.read_text().splitlines()[0])
    assert line["usage"][2:] == [1, 25]
    assert "shared_tokens" not in row and "encoded" not in row
    told = {
        "prompt_tokens": 9,
        "completion_tokens": 2,
        "prompt_tokens_details": {"image_tokens": 7},
    }
    assert read_usage(told) == Usage(9, 2, 0, 7)
    assert read_usage({**told, "prompt_tokens_details": {"cached_tokens": 7}}) == Usage(
        9, 2, 0, 0, 7
    )
    assert read_usage({**told, "prompt_tokens_details": "none"}) == Usage(9, 2)


def test_steps_repeats_and_shared_replies(desk: Desk) -> None:
    desk.write_prompt("steps", TWO_STEPS)
    model = Counting()
    desk.run(model, "steps", repeats=2, temperature=0.5)
    (row,) = usage(desk)
    assert row["replies"] == len(model.asked) == 12 * 2 * 2
    assert row["pictures"] == sum(map(pictures, model.asked))
    desk.run(Counting(), "steps", conditions=("blank",))
    blank = next(r for r in usage(desk) if r["condition"] == "blank")
    assert (blank["replies"], blank["shared"]) == (2, 22), "one grey picture serves all samples"


def test_replies_of_an_edited_prompt_were_paid_too(desk: Desk) -> None:
    model = Counting()
    desk.run(model)
    desk.write_prompt("plain", TWO_STEPS.replace("Describe", "Say what you see"))
    desk.run(model)
    rows = usage(desk)
    assert sum(r["replies"] for r in rows) == len(model.asked) == 12 + 24  # type: ignore[misc]
    assert len(rows) == 2


def test_what_is_not_told_is_said(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    from harness.cli.main import main

    desk.run(RuleModel(identity="tells nothing"))
    assert usage(desk) == [], "neither tokens nor seconds: nothing is known"
    desk.run({"silent": Counting(silent=True, identity="no tokens")})
    assert [row["uncounted"] for row in usage(desk)] == [12]
    desk.run({"other": Counting(blocked=True, identity="other")})
    blocked = next(r for r in usage(desk) if r["model"] == "other")
    assert (blocked["refused_uncounted"], blocked["uncounted"]) == (12, 0)
    assert main(["score", "run"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "no token counts were reported for 12 of 12 replies" in told
    assert "12 requests refused by the platform" in told


PRICE = "1000000/0"
"""One dollar a prompt token: a reply costs as many as its conversation has characters."""


def test_money_stands_where_a_price_is_given_and_never_without_currency(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    from harness.cli.main import main

    desk.run(Counting(), prices=("2/10/20EUR",))
    (row,) = usage(desk)
    tokens = row["prompt_tokens"]
    assert isinstance(tokens, int)
    assert row["cost"] == pytest.approx((2 * tokens + 12 * 10 + 12 * 20) / 1e6)
    assert row["currency"] == "EUR"
    assert main(["score", "run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["usage"] == [row]
    assert main(["score", "run"]) == 0
    assert "EUR" in capsys.readouterr().out
    before = desk.folder.scores.read_bytes()
    desk.run(Counting(), prices=("4/10",))
    assert usage(desk)[0]["currency"] == "USD", (
        "a complete run takes another price without being asked"
    )
    assert desk.folder.scores.read_bytes() == before


def cost_each(desk: Desk) -> int:
    model = Counting()
    desk.run(model)
    shutil.rmtree(desk.folder.path)
    return sum(len(m.text) for m in model.asked[0].messages)


def test_a_budget_stops_before_it_is_overspent_and_goes_on(desk: Desk) -> None:
    each = cost_each(desk)
    model = Counting(window=8)
    with pytest.raises(HarnessError, match=r"stopped: .* USD of the budget of") as caught:
        desk.run(model, prices=(PRICE,), max_cost=str(5 * each + each // 2))
    assert caught.value.at_work
    assert "larger --max-cost" in caught.value.hint
    assert len(model.asked) == 5
    assert "5 of 12 trials" in caught.value.message
    log = desk.folder.trials.read_text().splitlines()
    assert len(log) == 5, "what was in flight is finished and kept"
    with pytest.raises(HarnessError, match="stopped"):
        desk.run(model, prices=(PRICE,), max_cost=str(5 * each + each // 2))
    assert len(model.asked) == 5, "earlier replies count"
    desk.run(model, prices=(PRICE,), max_cost=f"{13 * each} usd")
    assert len(model.asked) == 12
    assert usage(desk)[0]["cost"] == sum(len(m.text) for r in model.asked for m in r.messages)
    desk.run(model, prices=(PRICE,), max_cost="1")
    assert len(model.asked) == 12, "nothing is left to pay"


def test_a_budget_that_cannot_be_kept_is_refused(desk: Desk) -> None:
    with pytest.raises(HarnessError, match="needs the price of rule"):
        desk.run(Counting(), max_cost="5")
    with pytest.raises(HarnessError, match="is in EUR, and the prices are in USD"):
        desk.run(Counting(), prices=(PRICE,), max_cost="5EUR")
    for wrong in ("0", "-1", "nan", "five", "5 dollars", ""):
        with pytest.raises(HarnessError, match="not an amount"):
            desk.run(Counting(), prices=(PRICE,), max_cost=wrong)
    for wrong in ("1", "1/", "-1/2", "1/2/3/4", "nan/1", "1/2X", "1..2/3", "rule=1", "other=1/2"):
        with pytest.raises(HarnessError, match="--price"):
            desk.run(Counting(), prices=(wrong,))
    assert not desk.folder.path.exists()
    model = Counting(silent=True, window=4)
    with pytest.raises(HarnessError, match="rule reports no token counts"):
        desk.run(model, prices=(PRICE,), max_cost="1000")
    assert len(model.asked) == 1, "the first reply is waited for alone"
    with pytest.raises(HarnessError, match=r"1 replies .* have no token counts"):
        desk.run(model, prices=(PRICE,), max_cost="1000")


def test_steps_and_votes_are_paid_each(desk: Desk) -> None:
    desk.write_prompt("steps", TWO_STEPS)
    model = Counting()
    with pytest.raises(HarnessError, match="stopped"):
        desk.run(
            model, "steps", protocol=None, repeats=2, temperature=0.5, prices=("0/500000",), max_cost="21"
        )  # fmt: skip
    assert len(model.asked) == 21, "two tokens a reply, one dollar"
    lines = [json.loads(line) for line in desk.folder.trials.read_text().splitlines()]
    assert all(len(line["keys"]) == 2 for line in lines), "a half conversation is no finished trial"
    with pytest.raises(HarnessError, match="stopped"):
        desk.run(
            model, "steps", repeats=2, temperature=0.5, prices=("0/500000",), max_cost="30"
        )  # fmt: skip
    assert len(model.asked) == 30, "the first steps of interrupted conversations are not paid twice"


@pytest.mark.parametrize(("prompt", "silent"), [("dual/name", True), ("none", True), ("plain", False)])  # fmt: skip
def test_a_model_that_writes_no_text_has_no_tokens_to_count(prompt: str, silent: bool) -> None:
    entry = {"id": "c", "task": "t", "model": "m", "prompt": prompt, "condition": "none", "protocol": "single"}  # fmt: skip
    heads = {"dual/name": {"family": "dual"}, "plain": {"family": "chat"}}
    manifest = {
        "cells": [entry], "models": {"m": {}}, "prompts": {name: {"head": head} for name, head in heads.items()},
    }  # fmt: skip
    used = Used()
    used.count({"usage": [0, 0], "latency": 0.5}, pictures=1)
    (row,) = usage_rows(manifest, {("c", prompt): used})
    beside = SimpleNamespace(extras={"usage": [row]})
    blocks = list(ANALYSIS.blocks((), cast(Any, beside)))
    told = " ".join(line for block in blocks for line in getattr(block, "lines", ()) if isinstance(line, str))  # fmt: skip
    assert "1 reply, 1 picture" in told
    assert ("token" not in told) == silent
