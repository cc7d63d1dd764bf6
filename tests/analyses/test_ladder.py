"""The ladder: which cells are its rungs, what the agent is more than each, what each costs, and what is missing."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.analyses.rows.ladder import ladder_rows, rungs
from harness.analyses.rows.tools import ToolTrial
from harness.cli.main import main
from harness.core.cell import Cell
from harness.core.generation import Generation, Usage
from harness.core.message import Image
from harness.core.request import Request
from tests.run.agents import TASK, call, script, turn
from tests.run.bench import RuleModel

BASE = Cell("t", "m", "p", "none", "single")
AGENT = replace(BASE, protocol="agent", tools="zoom")


def test_rungs_ask_the_same_in_other_ways() -> None:
    given = replace(AGENT, protocol="given:zoom,region=face")
    others = [
        replace(AGENT, tools="zoom:swap"),
        replace(BASE, prompt="q"),
        replace(BASE, protocol="describe-then-answer"),
        replace(AGENT, condition="apex"),
    ]
    blank, votes = replace(BASE, condition="blank"), replace(BASE, protocol="vote-5")
    best, forced = replace(AGENT, tools="zoom:perfect"), replace(given, tools="zoom:perfect")
    found = list(rungs(BASE, [AGENT, given, best, forced, *others, votes, blank, BASE]))
    assert found == [
        ("blank", blank), ("look", BASE), ("votes", votes), ("given", given), ("agent", AGENT), ("perfect", best)
    ]  # fmt: skip


def test_the_agent_is_compared_with_every_rung_it_should_beat() -> None:
    def cell(right: int) -> dict[str, ToolTrial]:
        return {
            f"0/s{n}": ToolTrial(f"s{n}", f"p{n}", "a", "a" if n < right else "b")
            for n in range(40)
        }

    votes = replace(BASE, protocol="vote-5")
    steps = [("look", BASE), ("votes", votes), ("agent", AGENT)]
    trials = {BASE: cell(10), votes: cell(20), AGENT: cell(30)}
    rows = {one.protocol: found for one, found in ladder_rows(steps, trials, seed=0)}
    assert {n: r["accuracy"]["value"] for n, r in rows.items()} == {"single": 0.25, "vote-5": 0.5, "agent": 0.75}  # fmt: skip
    more = rows["agent"]["more"]
    assert {name: found["value"] for name, found in more.items()} == {"look": 0.5, "votes": 0.25}
    assert more["votes"]["low"] > 0
    assert rows["single"]["more"] == {}
    best = replace(AGENT, tools="zoom:perfect")
    told = dict(ladder_rows([*steps, ("perfect", best)], {**trials, best: cell(36)}, seed=0))
    assert {n: d["value"] for n, d in told[best]["more"].items()} == {"look": 0.65, "agent": 0.15}
    few = {one: dict(list(found.items())[:9]) for one, found in trials.items()}
    assert all(r["accuracy"]["value"] is None for _, r in ladder_rows(steps, few, seed=0))


@dataclass
class Counting(RuleModel):
    """Counts 100 tokens for each picture and 50 for each turn of a request, and 10 for its reply."""

    async def reply(self, request: Request) -> Generation:
        made = await super().reply(request)
        pictures = sum(isinstance(p, Image) for m in request.messages for p in m.parts)
        tokens = 100 * pictures + 50 * (1 + turn(request))
        return replace(made, usage=Usage(tokens, 10))


@pytest.mark.slow
def test_a_report_has_the_ladder_and_the_commands_for_what_was_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("task.yaml").write_text(TASK.replace("faces,", "faces, kind: scene,") % 24)

    def ask(**options: Any) -> None:
        model = Counting(script(call("zoom", region="mouth"), "happiness"))
        harness.evaluate(
            "task.yaml", model=model, out="run", progress=False, report=False, **options
        )

    ask(tools=["none", "zoom"])
    assert main(["report", "run", "--format", "markdown"]) == 0
    told = Path("run/report.md").read_text().replace("\\", "")
    # one look: 160; the agent: 160, and then 200 + 100 + 10
    assert "takes 2.9 times the tokens of one look: at equal tokens it has 3 votes" in told
    missing = "--tools none --protocol vote --repeats 3 --temperature 0.7 --out RUN"
    assert missing in told
    assert "--condition blank --tools none" in told
    assert "--tools zoom --protocol given:zoom,region=face" in told
    ask(tools="none", protocol="vote", repeats=3, temperature=0.7)
    ask(tools="zoom", protocol="given:zoom,region=face")
    ask(tools="none", conditions="blank")
    assert "--tools zoom:perfect --protocol agent" in told
    ask(tools="zoom:perfect")
    assert main(["report", "run", "--format", "markdown"]) == 0
    told = Path("run/report.md").read_text().replace("\\", "")
    assert "Not asked" not in told
    (task,) = json.loads(Path("run/scores.json").read_text())["tasks"]
    assert [one["rung"] for one in task["ladder"]] == [
        "blank",
        "look",
        "votes",
        "given",
        "agent",
        "perfect",
    ]
    uses = [one for one in task["tools"] if one["what"] == "use"]
    assert sorted(one["channel"] for one in uses) == [f"free, agent, tools zoom{w}" for w in ("", ":perfect")], (
        "given calls are not made"
    )  # fmt: skip
    rows = {line.split("|")[1].strip(): line for line in told.splitlines() if line.startswith("| ")}
    assert "| 480 | 3.0 |" in rows["k votes (vote-3)"]
    assert "| 260 | 1.6 |" in rows["tools given unasked (given:zoom,region=face, tools zoom)"]
    assert "| 470 | 2.9 |" in rows["agent (agent, tools zoom)"]
    assert "| 470 | 2.9 |" in rows["agent with perfect tools (agent, tools zoom:perfect)"]


def test_no_call_is_told_and_commands_can_be_pasted() -> None:
    from harness.analyses.agent_ladder import _as_asked

    silent = {"0/s1": ToolTrial("s1", "p1", "a", "a")}
    ((_, found),) = ladder_rows([("agent", AGENT)], {AGENT: silent}, seed=0)
    assert found["calls"] == 0
    words = ["harness", "run", "t.yaml", "--model", "m", "--tools=zoom", "--limit", "10", "--out", "my run"]  # fmt: skip
    assert _as_asked({"command": words}) == ("t.yaml", ["--limit", "10"], "my run")
    assert _as_asked({"command": words[:2]}) is None
    assert _as_asked({"command": [*words, "--set", "a=***"]}) is None
