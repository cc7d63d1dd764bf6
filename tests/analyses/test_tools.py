"""The audit of tools tells scripted subjects apart whose use of tools is known."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.analyses.rows.tools import (
    EITHER,
    EYES,
    FEW,
    TOOLS,
    UNSURE,
    ToolTrial,
    following,
    gain,
    use_row,
)
from harness.cli.main import main
from harness.core.request import Request
from harness.score import score_run
from tests.analyses.subjects import Kind, subject, verdict
from tests.run.agents import call, drawn_world, turn
from tests.run.bench import RuleModel

KNOWN: tuple[tuple[Kind, str], ...] = (("always", TOOLS), ("never", EYES), ("unsure", UNSURE))


@pytest.mark.parametrize(("kind", "expected"), KNOWN)
def test_a_subject_is_told_at_sixty_samples(kind: Kind, expected: str) -> None:
    assert [verdict(kind, seed=seed) for seed in range(10)].count(expected) >= 9


@pytest.mark.bench
@pytest.mark.parametrize(("kind", "expected"), KNOWN)
def test_a_subject_is_told_in_95_of_100_simulations(kind: Kind, expected: str) -> None:
    found = [verdict(kind, seed=seed) for seed in range(100, 200)]
    assert found.count(expected) >= 95, {one: found.count(one) for one in set(found)}


def test_what_true_tools_bring_over_tools_that_show_nothing_new() -> None:
    always, never = subject("always", seed=1), subject("never", seed=1)
    net, none = always["net"], never["net"]
    assert isinstance(net, dict) and isinstance(none, dict)
    assert net["low"] > 0.1
    assert none["low"] <= 0 <= none["high"]
    flips = always["flips"]
    assert isinstance(flips, dict)
    assert flips["wrong_to_right"] > flips["right_to_wrong"]


def test_a_subject_that_answers_at_random_follows_nothing() -> None:
    labels, draw = "abcdefg", random.Random(0)
    truths = {f"s{n}": labels[n % 7] for n in range(70)}
    calls = [((1, "zoom", "{}", "ok", 1, f"s{(n + 1) % 70}"),) for n in range(70)]
    swapped = {
        f"0/s{n}": ToolTrial(f"s{n}", f"p{n}", truths[f"s{n}"], draw.choice(labels), calls[n])
        for n in range(70)
    }
    found = following(swapped, None, None, truths, seed=0)
    assert found["verdict"] == EITHER
    few = dict(list(swapped.items())[:12])
    assert following(few, None, None, truths, seed=0)["verdict"] == FEW
    assert "eyes_right" not in following(few, None, None, truths, seed=0)
    assert gain(few, few, seed=0)["value"] is None


def test_a_trial_without_a_good_call_was_shown_nothing() -> None:
    truths = {f"s{n}": "ab"[n % 2] for n in range(60)}
    swapped = {
        f"0/s{n}": ToolTrial(
            f"s{n}", f"p{n}", truths[f"s{n}"], "a", ((1, "zoom", "{}", "bad-arguments", 0, ""),)
        )
        for n in range(60)
    }
    assert following(swapped, None, None, truths, seed=0)["n"] == 0
    used = use_row(swapped)
    assert (used["calls"], used["valid"], used["statuses"]) == (60, 0.0, {"bad-arguments": 60})


def reads(follows: bool, truths: dict[str, str]) -> Callable[[Request], str]:
    """Asks for the smile; follows the number it is told, or what it knows of the picture."""

    def rule(request: Request) -> str:
        if not turn(request) and '"name": "measure"' in request.messages[-1].text:
            return call("measure", unit=12)
        own = truths[
            next(p.digest for m in request.messages for p in m.parts if hasattr(p, "digest"))
        ]
        _, found, told = request.messages[-1].text.partition("intensity ")
        if follows and found:
            return "happiness" if float(told.split()[0]) > 0.25 else "anger"
        return own

    return rule


@pytest.mark.parametrize(
    ("follows", "expected"), [(True, TOOLS), pytest.param(False, EYES, marks=pytest.mark.slow)]
)
def test_a_run_with_lying_tools_ends_in_a_verdict(
    tmp_path: Path, follows: bool, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from hashlib import sha256

    from harness.core.picture import Remembered
    from harness.run.task_files import load_task
    from harness.run.workspace import open_workspace
    from harness.sources import open_source

    world = drawn_world(tmp_path, 32)
    task = load_task(str(tmp_path / "task.yaml"), open_workspace(tmp_path))
    truths = {
        sha256(Remembered(s.medium.frames[0]).read()).hexdigest(): str(s.targets["emotion"])
        for s in open_source(task.source, fields=task.fields, base=tmp_path)
    }
    world.run(
        RuleModel(reads(follows, truths)), tools=("", "measure", "measure:echo", "measure:swap")
    )
    scores = score_run(world.folder).scores
    assert scores
    held = json.loads(world.folder.scores.read_text())
    (audit,) = [row for row in held["tasks"][0]["tools"] if row["what"] == "audit"]
    assert audit["swap"]["verdict"] == expected
    assert audit["swap"]["n"] >= 28
    assert main(["report", str(world.folder.path)]) == 0
    page = (world.folder.path / "report.html").read_text()
    assert "Verdict: it follows" in page
