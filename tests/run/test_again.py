"""`--again N`: finished trials asked again; scores do not change."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.core.generation import Generation, Usage
from harness.core.request import Request
from harness.run import runner
from harness.stats.interval import wilson
from tests.run.keeping import Desk, RuleModel, contents, make_desk

COUNT = 12


@dataclass
class Served(RuleModel):
    """Names what it is, and counts tokens."""

    version: str = "m-1"

    async def reply(self, request: Request) -> Generation:
        found = await super().reply(request)
        return replace(found, served=self.version, usage=Usage(10, 2), latency=0.25)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return make_desk(tmp_path, COUNT)


def rows(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(desk.folder.extras.read_text()).get("again", [])
    return found


def changes_after(limit: int, *, version: str = "m-2") -> Served:
    """Says something else about the first `limit` requests."""
    model = Served(version=version)
    model.rule = lambda request: "anger" if len(model.asked) <= limit else "Happiness."
    return model


def test_flips_are_told_beside_scores_that_stay(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.run(Served())
    before = contents(desk.folder.path)
    model = changes_after(3)
    done = desk.run(model, again=8)
    assert len(model.asked) == done.tally.trials == 8
    (row,) = rows(desk)
    told = row["fields"]["emotion"]
    assert (told["n"], told["changed"], told["share"]) == (8, 3, 0.375)
    bounds = wilson(3, 8)
    assert (told["low"], told["high"]) == (round(bounds.low, 6), round(bounds.high, 6))
    assert row["texts"] == 8, "another wording is another text, not another answer"
    assert row["sources"] == [["m-1", "m-2", 8]]
    assert row["usage"]["prompt_tokens"] == 80
    now = contents(desk.folder.path)
    moved = {name for name in now if now[name] != before.get(name)}
    assert moved <= {"again.jsonl", "extras.json", "manifest.json", "history.jsonl", "plan.parquet"}
    assert main(["score", "run"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "3 of 8 answers changed (38%, 95% interval" in out
    assert "replies came from m-1, now m-2 (8 replies)" in out
    assert main(["report", "run"]) == 0
    assert "Asked anew" in desk.folder.report.read_text()


def test_a_round_is_resumed_and_a_complete_one_asks_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.run(Served())
    broken = Served(fail=lambda request: len(broken.asked) > 2)
    monkeypatch.setattr(runner, "today", lambda: "2026-11-28")
    done = desk.run(broken, again=6, max_error_rate=1.0)
    assert done.tally.failed == 4
    assert rows(desk)[0]["failed"] == 4
    whole = Served()
    desk.run(whole, again=6)
    assert len(whole.asked) == 4, "replies of --again are kept"
    desk.run(whole, again=6)
    assert len(whole.asked) == 4
    assert any("is complete" in note for note in desk.notes)
    desk.run(whole, again=9)
    assert len(whole.asked) == 7, "more of the same choice"
    monkeypatch.setattr(runner, "today", lambda: "2026-12-05")
    desk.run(whole, again=9)
    assert len(whole.asked) == 16, "another day, another round"
    assert [row["round"] for row in rows(desk)] == ["2026-11-28", "2026-12-05"]


def test_where_nothing_is_finished_nothing_is_asked_anew(desk: Desk) -> None:
    model = Served()
    with pytest.raises(HarnessError, match="no trial of these cells is finished"):
        desk.run(model, again=5)
    assert not model.asked
    assert not desk.folder.path.exists()
    desk.run(Served(), limit=4)
    desk.run(model, again=50)
    assert len(model.asked) == 4, "pending trials stay pending"
    assert len(desk.folder.trials.read_text().splitlines()) == 4


def test_an_edited_picture_is_not_compared(desk: Desk) -> None:
    desk.run(Served())
    for name in ("p3.png", "p4.png"):
        (desk.root / name).write_bytes((desk.root / "p0.png").read_bytes())
    desk.run(Served(), again=COUNT)
    (row,) = rows(desk)
    assert (row["n"], row["otherwise"]) == (COUNT - 2, 2)


def test_votes_and_steps_are_asked_whole(desk: Desk) -> None:
    desk.run(Served(), protocol="vote", repeats=3, temperature=0.5)
    model = Served()
    desk.run(model, protocol="vote", repeats=3, temperature=0.5, again=2)
    assert len(model.asked) == 6
    (row,) = rows(desk)
    assert row["n"] == 2
    assert row["texts"] == 0


def test_what_is_asked_anew_is_paid_too(desk: Desk) -> None:
    price = {"prices": ("100000/0",)}
    desk.run(Served(), **price)  # ten tokens a prompt: a dollar a reply
    model = Served()
    with pytest.raises(HarnessError, match=r"stopped: 16\.00 USD of the budget of 16\.50 USD"):
        desk.run(model, again=8, max_cost="16.5", **price)
    assert len(model.asked) == 4
    with pytest.raises(HarnessError, match="stopped"):
        desk.run(model, again=8, max_cost="18", **price)
    assert len(model.asked) == 6
    desk.run(model, again=8, **price)
    (row,) = rows(desk)
    assert (row["usage"]["replies"], row["usage"]["cost"]) == (8, 8.0)
