"""Channels in records and scores: probabilities, calibration, agreement, broken constraints."""

from __future__ import annotations

import hashlib
import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.core.cell import Cell
from harness.core.constraint import Need
from harness.core.field import FieldSpec
from harness.core.generation import Generation, LabelScores
from harness.core.outcome import Outcome
from harness.core.prompt import PromptHead
from harness.core.request import Request
from harness.report.inputs import read_run
from harness.report.page import render
from harness.report.terminal import print_scores
from harness.score.channels import breaks, length_normalised, likeliest, probability_columns
from harness.score.folder import score_run
from harness.score.records import read_records
from harness.score.scores import Scores
from tests.run.bench import World, make_world
from tests.run.test_channels import AbleModel, run

HOLDS: frozenset[Need] = frozenset({"choice", "logprob"})


def unit(request: Request) -> float:
    """A number in 0..1 that hangs on the picture alone."""
    image = next(p for m in request.messages for p in m.parts if hasattr(p, "digest"))
    return int(hashlib.sha256(image.digest.encode()).hexdigest()[:6], 16) / 0xFFFFFF


class Gambler(AbleModel):
    """Answers by chance; its two labels have 2 and 3 tokens, and a tenth of the mass goes elsewhere."""

    async def reply(self, request: Request) -> Generation:
        found = await super().reply(request)
        share = 0.05 + 0.9 * unit(request)
        text = "anger" if share > 0.5 else "happiness"
        if not request.candidates:
            held = request.constraint is None or unit(request) > 0.2
            return replace(found, text=text if held else f"{text}!")
        logs = (math.log(0.9 * share), math.log(0.9 * (1 - share)))
        scores = LabelScores(request.candidates, logs, (2, 3), "continuation")
        return replace(found, text=text, scores=scores)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Gambler, Scores]:
    world = make_world(tmp_path_factory.mktemp("channels"), count=30)
    model = Gambler(holds=HOLDS)
    run(world, model, "free", "choice", "logprob")
    return world, model, score_run(world.folder)


def numbers(scores: Scores, channel: str) -> dict[str, Any]:
    return {
        row.metric: row
        for row in scores.scores
        if row.channel == channel and row.slice == "all" and row.model == "rule"
    }


def test_records_hold_probabilities_of_scored_replies_only(
    scored: tuple[World, Gambler, Scores],
) -> None:
    world, _, _ = scored
    rows = read_records(world.folder)
    by_channel = {c: [r for r in rows if r["channel"] == c] for c in ("free", "choice", "logprob")}
    assert [len(found) for found in by_channel.values()] == [30, 30, 30]
    for row in by_channel["free"] + by_channel["choice"]:
        assert row["estimator"] is row["probabilities"] is row["captured_mass"] is None
    for row in by_channel["logprob"]:
        told = json.loads(row["probabilities"])
        assert sum(told.values()) == pytest.approx(1, abs=2e-6)
        assert float(row["captured_mass"]) == pytest.approx(0.9, abs=1e-6)
        assert json.loads(row["value"]) == max(told, key=told.__getitem__)
        assert (row["rule"], row["outcome"]) == ("logprob", "answered")


def test_scores_of_probabilities_are_those_computed_by_hand(
    scored: tuple[World, Gambler, Scores],
) -> None:
    world, _, scores = scored
    rows = [r for r in read_records(world.folder) if r["channel"] == "logprob"]
    pairs = [(json.loads(r["probabilities"]), json.loads(r["target"])) for r in rows]
    brier = [sum((p - (k == t)) ** 2 for k, p in told.items()) for told, t in pairs]
    loss = [-math.log(told[t]) for told, t in pairs]
    found = numbers(scores, "logprob")
    assert found["brier"].value == pytest.approx(sum(brier) / 30, abs=1e-5)
    assert found["log_loss"].value == pytest.approx(sum(loss) / 30, abs=1e-5)
    assert found["captured_mass"].value == pytest.approx(0.9, abs=1e-6)
    assert found["captured_mass_min"].value == pytest.approx(0.9, abs=1e-6)
    for metric in ("brier", "log_loss"):
        row = found[metric]
        assert row.low < row.value < row.high and row.n == 30 and row.coverage == 1.0
        assert "10 by subject" in row.estimator and "continuation" in row.estimator
    for metric in ("ece", "ece_equal_mass"):
        assert 0 <= found[metric].value <= 1
        assert found[metric].low is None and "no interval" in found[metric].estimator
    assert not {"brier", "ece"} & numbers(scores, "free").keys()


def test_the_length_normalised_estimator_stands_beside(
    scored: tuple[World, Gambler, Scores],
) -> None:
    world, _, scores = scored
    rows = [r for r in read_records(world.folder) if r["channel"] == "logprob"]
    right = sum(r["length_normalised"] == json.loads(r["target"]) for r in rows)
    found = numbers(scores, "logprob")
    assert found["accuracy_length_normalised"].value == pytest.approx(right / 30, abs=1e-6)
    assert found["uar_length_normalised"].low is not None
    assert "a token" in found["uar_length_normalised"].estimator
    other = sum(r["length_normalised"] != json.loads(r["value"]) for r in rows)
    assert other > 0, "the two estimators differ where one label is longer"


def test_reliability_bins_add_up(scored: tuple[World, Gambler, Scores]) -> None:
    _, _, scores = scored
    assert [(e["scheme"], e["channel"]) for e in scores.found["reliability"]] == [
        ("equal-width", "logprob"),
        ("equal-mass", "logprob"),
    ]
    for entry in scores.found["reliability"]:
        assert sum(b["n"] for b in entry["bins"]) == 30
        gap = sum(b["n"] * abs(b["accuracy"] - b["confidence"]) for b in entry["bins"]) / 30
        metric = "ece" if entry["scheme"] == "equal-width" else "ece_equal_mass"
        assert numbers(scores, "logprob")[metric].value == pytest.approx(gap, abs=1e-5)


def test_channels_of_one_model_are_held_against_each_other(
    scored: tuple[World, Gambler, Scores],
) -> None:
    _, _, scores = scored
    found = {tuple(entry["channels"]): entry for entry in scores.found["agreement"]}
    assert set(found) == {("free", "choice"), ("free", "logprob"), ("choice", "logprob")}
    for entry in found.values():
        assert entry["n"] == 30 and entry["equal"] == 1.0 and entry["kappa"] == 1.0
        assert entry["uar"][0] == entry["uar"][1] == numbers(scores, "free")["uar"].value


def test_replies_that_break_their_constraint_are_counted_and_read(
    scored: tuple[World, Gambler, Scores],
) -> None:
    _, model, scores = scored
    broken = len({unit(r) for r in model.asked if unit(r) <= 0.2})
    assert broken > 0
    assert scores.tasks[0]["broken"] == [
        {"model": "rule", "prompt": "emotion/plain", "condition": "none", "channel": "choice",
         "replies": broken}
    ]  # fmt: skip
    choice = [e for e in scores.outcomes if e["channel"] == "choice"]
    assert choice[0]["counts"] == {"answered": 30}


def test_the_same_journal_gives_the_same_bytes(scored: tuple[World, Gambler, Scores]) -> None:
    world, _, scores = scored
    before = world.folder.records.read_bytes()
    assert score_run(world.folder).to_json() == scores.to_json()
    assert world.folder.records.read_bytes() == before


def test_terminal_and_page_show_channels_apart(scored: tuple[World, Gambler, Scores]) -> None:
    world, _, scores = scored
    out = io.StringIO()
    print_scores(scores, read_run(world.folder).manifest, file=out)
    told = " ".join(out.getvalue().split())
    assert "rule emotion/plain on logprob, emotion: Brier" in told
    assert "free and choice give the same answer to 100% of 30" in told and "kappa 1.000" in told
    page = render(read_run(world.folder))
    assert "Probabilities of the labels" in page and "Agreement of channels" in page
    assert page.count("share right by probability of the answer") == 1
    assert "broke the constraint" in page
    for channel in ("choice", "logprob"):
        assert f"emotion/plain on {channel}" in page


def test_free_text_where_a_constraint_was_wanted_is_said_on_the_page(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=4)
    text = (tmp_path / "task.yaml").read_text()
    (tmp_path / "task.yaml").write_text(f"{text}unconstrained: free\n")
    run(world, Gambler(), "choice")
    page = render(read_run(world.folder))
    assert "these are free-text replies" in page


SCORES = LabelScores(("a", "b"), (-2.0, -2.0), (4, 2), "continuation")


def test_of_equal_labels_the_first_is_the_answer() -> None:
    assert likeliest(SCORES).value == "a"
    assert likeliest(SCORES).outcome is Outcome.ANSWERED
    assert length_normalised(SCORES) == "a"
    assert length_normalised(replace(SCORES, tokens=(2, 4))) == "b"


def test_first_tokens_have_no_length_to_be_normalised() -> None:
    first = replace(SCORES, tokens=(1, 1), estimator="first-token")
    told = probability_columns(first)
    assert told["length_normalised"] is None and told["estimator"] == "first-token"
    assert set(probability_columns(None).values()) == {None}


@pytest.mark.parametrize(
    ("text", "finish", "channel", "broken"),
    [
        ("yes", "stop", "choice", False),
        ("Yes.", "stop", "choice", True),
        ("ye", "length", "choice", False),
        ("Yes.", "stop", "free", False),
    ],
)
def test_a_constraint_is_broken_by_a_whole_reply_on_choice_only(
    text: str, finish: Any, channel: Any, broken: bool
) -> None:
    cell = Cell("t", "m", "p", "none", "single", channel)
    fields = {"shown": FieldSpec(kind="yes-no")}
    head = PromptHead(fields=("shown",))
    assert breaks(Generation("k", text, finish), cell, head, fields, ("shown",)) is broken


@pytest.mark.parametrize(
    ("text", "asks", "broken"),
    [
        ('{"units": ["dimpler"], "fine": "happiness"}', ("fine",), False),
        ('{"units": ["dimpler"], "fine": "happiness"}', ("shown",), False),
        ('{"fine": "happiness"}', ("shown",), True),
        ('{"units": ["whisker"], "fine": "happiness"}', ("fine",), True),
        ('{"fine": "happiness", "mood": 1}', ("fine",), True),
        ('Sure: {"fine": "happiness"}', ("fine",), True),
        ("[]", ("fine",), True),
    ],
)
def test_a_json_reply_may_hold_whatever_its_prompt_fills(
    text: str, asks: tuple[str, ...], broken: bool
) -> None:
    cell = Cell("t", "m", "p", "none", "single", "choice")
    fields = {
        "units": FieldSpec(kind="set", labels=("dimpler", "lid tightener")),
        "fine": FieldSpec(kind="label", labels=("happiness", "disgust")),
        "shown": FieldSpec(kind="yes-no", member_of="units"),
    }
    head = PromptHead(fields=("units", "fine", "shown"), answer="json")
    assert breaks(Generation("k", text, "stop"), cell, head, fields, asks) is broken


def test_the_surest_answers_stand_first_in_the_curve_of_risk(
    scored: tuple[World, Gambler, Scores],
) -> None:
    world, _, scores = scored
    rows = [r for r in read_records(world.folder) if r["channel"] == "logprob"]
    pairs = sorted(
        ((max(json.loads(r["probabilities"]).values()), r["value"] != r["target"]) for r in rows),
        reverse=True,
    )
    (entry,) = scores.found["risk_coverage"]
    assert (entry["channel"], entry["signal"], entry["n"]) == ("logprob", "probability", 30)
    wrong = [miss for _, miss in pairs]
    assert entry["error"] == pytest.approx(sum(wrong) / 30, abs=1e-6)
    half = next(one for one in entry["at"] if one["coverage"] == 0.5)
    assert half["accuracy"] == pytest.approx(1 - sum(wrong[:15]) / 15, abs=1e-6)
    assert half["threshold"] == pairs[14][0] and half["answered"]
    assert entry["curve"][-1] == [1.0, pytest.approx(sum(wrong) / 30, abs=1e-6)]
    page, out = render(read_run(world.folder)), io.StringIO()
    assert "Risk against coverage" in page and page.count("risk by coverage") == 1
    print_scores(scores, read_run(world.folder).manifest, file=out)
    assert "sorted by probability: AURC" in " ".join(out.getvalue().split())
