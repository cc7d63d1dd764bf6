"""Tokens, seconds, pictures and money: each reply of the journal counted once."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.core.generation import Generation, Refusal, Usage
from harness.core.message import Image
from harness.core.request import Request
from tests.run.keeping import Desk, RuleModel, make_desk


@dataclass
class Counting(RuleModel):
    """Counts as many prompt tokens as there are characters, 2 reply tokens, and 0.5 s more for each reply."""

    silent: bool = False
    blocked: bool = False

    async def reply(self, request: Request) -> Generation:
        found = await super().reply(request)
        if found.failure is not None or self.silent:
            return found
        if self.blocked:
            return replace(found, text="", finish="filtered", refusal=Refusal("platform", "no"))
        text = sum(len(message.text) for message in request.messages)
        return replace(found, usage=Usage(text, 2, 1), latency=0.5 * len(self.asked))


def pictures(request: Request) -> int:
    return sum(isinstance(part, Image) for m in request.messages for part in m.parts)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return make_desk(tmp_path)


def usage(desk: Desk) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(desk.folder.beside.read_text())["usage"]
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
    assert done.scores.beside["usage"] == (row,)


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

    desk.run(Counting(silent=True))
    assert usage(desk) == [], "neither tokens nor seconds: nothing is known"
    desk.run({"other": Counting(blocked=True, identity="other")})
    blocked = next(r for r in usage(desk) if r["model"] == "other")
    assert (blocked["refused_uncounted"], blocked["uncounted"]) == (12, 0)
    assert main(["score", "run"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "12 requests that the platform refused came without tokens and count none" in told
