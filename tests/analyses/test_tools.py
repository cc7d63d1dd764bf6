"""The audit of tools tells scripted subjects apart whose use of tools is known."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analyses.rows.calls import overlap, use_row
from harness.analyses.rows.tools import (
    EITHER,
    EYES,
    FEW,
    TOOLS,
    UNSURE,
    ToolTrial,
    audit_row,
    following,
    gain,
)
from harness.analyses.tool_audit import _followed
from harness.cli.main import main
from harness.core.marks import read_region
from harness.core.request import Request
from harness.score.folder import score_run
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


def test_what_tools_bring_is_also_said_of_samples_that_need_them() -> None:
    """By hand: of 60 samples the first 30 need a call; one look reads 6 of them right, the agent 27, echo 3."""

    def trials(right: int) -> dict[str, ToolTrial]:
        return {
            f"0/s{n}": ToolTrial(f"s{n}", f"p{n}", "a", "a" if n < right or n >= 30 else "b", ())
            for n in range(60)
        }

    cells = {"": trials(27), "echo": trials(3)}
    suffices = {f"s{n}": n >= 30 for n in range(60)}
    found = audit_row(cells, trials(6), {}, seed=0, suffices=suffices)
    assert (found["gain"]["value"], found["gain"]["n"]) == (0.35, 60)
    needed = found["needed"]
    assert {name: one["value"] for name, one in needed.items()} == {
        "net": 0.8, "gain": 0.7, "echo_gain": -0.1,
    }  # fmt: skip
    assert needed["gain"]["n"] == 30 and needed["gain"]["low"] < 0.7 < needed["gain"]["high"]
    assert "needed" not in audit_row(cells, trials(6), {}, seed=0)


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


SHARES = {
    "tools": {"n": 30, "tool": {"value": 0.9, "low": 0.8, "high": 1}, "eyes": {"value": 0.1, "low": 0, "high": 0.2}, "p": 0.001},
    "eyes": {"n": 30, "tool": {"value": 0.1, "low": 0, "high": 0.2}, "eyes": {"value": 0.9, "low": 0.8, "high": 1}, "p": 0.001},
    "few": {"n": 3, "tool": {"value": 0.3, "low": 0, "high": 1}, "eyes": {"value": 0.7, "low": 0, "high": 1}, "p": 0.6},
}  # fmt: skip


@pytest.mark.parametrize(
    ("right", "wrong", "verdict", "looked", "said"),
    [
        ("tools", "tools", TOOLS, True, "it follows its tools, also against its own look."),
        ("tools", "few", TOOLS, True, "it follows its tools against its own look where that is right; whom it follows where one look is wrong, is not shown."),
        ("few", "tools", TOOLS, True, "it follows its tools where one look is wrong; whom it follows where one look is right, is not shown."),
        ("eyes", "eyes", EYES, True, "it follows its own look, whatever its tools show."),
        ("eyes", "few", EYES, True, "it follows its own look where that is right, whatever its tools show; whom it follows where one look is wrong, is not shown."),
        ("eyes", "tools", UNSURE, True, "it follows its tools where one look is wrong, and its own look where that is right."),
        ("eyes", "few", EYES, False, "it tells the truth, whatever its tools show."),
        ("tools", "few", TOOLS, False, "it follows its tools, also against the truth."),
        ("few", "few", EITHER, True, "it shows neither: what it follows differs too little from chance."),
    ],
)  # fmt: skip
def test_a_verdict_says_no_more_than_its_samples_show(
    right: str, wrong: str, verdict: str, looked: bool, said: str
) -> None:
    swap = {"eyes_right": SHARES[right], "eyes_wrong": SHARES[wrong], "verdict": verdict}
    *shares, last = _followed(swap, looked=looked)
    assert last == f"Verdict: {said}"
    assert all(("one look is" in one) == looked for one in shares)


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


def test_calls_are_counted_by_whether_they_were_needed_and_what_they_changed() -> None:
    """By hand: 40 samples, the first 20 need a call. 25 call (all of the first 20, 5 more); one look is wrong on 16."""
    zoom = (1, "zoom", '{"box": [0.0, 0.0, 0.5, 1.0]}', "ok", 1, "")

    def trial(n: int, answer: str, *calls: tuple[object, ...]) -> ToolTrial:
        return ToolTrial(f"s{n}", f"p{n}", "a", answer, calls)

    agent = {f"0/s{n}": trial(n, "b" if n < 2 else "a", *([zoom] * (n < 25))) for n in range(40)}
    look = {f"0/s{n}": trial(n, "a" if n >= 15 or n == 0 else "b") for n in range(40)}
    found = use_row(
        agent,
        look=look,
        suffices={f"s{n}": n >= 20 for n in range(40)},
        regions={f"s{n}": (0.25, 0.0, 0.75, 1.0) for n in range(40)},
    )
    assert found["needed_by"] == "annotation"
    assert found["needed_made"] == {"n": 20, "value": 1.0}
    assert found["unnecessary"] == {"n": 20, "value": 0.25}
    assert found["flips"] == {"wrong_to_right": 13, "right_to_wrong": 1, "n": 40}
    assert found["right_with_calls"] == {"n": 25, "value": 0.92}
    assert found["look_with_calls"] == {"n": 25, "value": 0.44}
    assert found["right_without_calls"]["value"] is None
    assert found["overlap"] == {"n": 25, "value": 0.333333}
    later = use_row(agent, look=look)
    assert later["needed_by"] == "hindsight"
    assert (later["needed_made"]["n"], later["unnecessary"]) == (14, {"n": 26, "value": 0.423077})
    assert "needed_by" not in use_row(agent)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0 0 .5 1", (0, 0, 0.5, 1)),
        ("0, 0, 1, 1", (0, 0, 1, 1)),
        ("0 0 0 1", None),
        ("0 0 2 1", None),
        ("nan 0 1 1", None),
        ("face", None),
        (None, None),
    ],
)
def test_a_region_is_four_shares_of_the_picture(written: object, expected: object) -> None:
    assert read_region(written) == expected


@given(st.lists(st.floats(0, 1), min_size=8, max_size=8))
def test_overlap_is_a_share_and_the_same_both_ways(sides: list[float]) -> None:
    xs, ys, us, vs = (sorted(sides[n : n + 2]) for n in (0, 2, 4, 6))
    one, other = (xs[0], ys[0], xs[1], ys[1]), (us[0], vs[0], us[1], vs[1])
    assert 0 <= overlap(one, other) <= 1 + 1e-9
    assert overlap(one, other) == overlap(other, one)
    if xs[1] - xs[0] > 0.001 and ys[1] - ys[0] > 0.001:
        assert overlap(one, one) == pytest.approx(1)


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
