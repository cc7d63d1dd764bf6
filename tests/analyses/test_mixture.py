"""Does the analysis of mixtures find what a model does: follow, jump, not care?"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LinearRegression

from harness.analyses.rows.mixture import mixture_lines, slope
from harness.core.message import Text
from harness.core.request import Request
from harness.report.inputs import read_run
from harness.report.page import render
from harness.report.pictures import collect
from harness.report.scores_json import scores_json
from harness.score.folder import score_run
from harness.score.scores import Scores
from tests.run.bench import RuleModel, World, make_world

TASK = """\
source: {family: table, file: labels.csv, image: image, label: emotion, subject: person}
fields:
  emotion: {kind: label, labels: [anger, happiness, fear]}
prompts: [emotion/percentages, emotion/plain]
"""
WEIGHTS = (0.25, 0.5, 0.75)
CONDITIONS = ("none", *(f"mix:{w}" for w in WEIGHTS))
COUNT = 24


def mixing_world(root: Path, *, votes: bool = False) -> World:
    """Red pictures are anger, blue ones happiness; two pictures a person, of different sizes."""
    world = make_world(root, count=COUNT, task=TASK)
    with (root / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["image", "emotion", "person", *(["votes.anger", "votes.happiness"] if votes else [])]
        )
        for n in range(COUNT):
            red = 200 if n % 2 == 0 else 40 if votes else 0
            Image.new("RGB", (16 + n, 16), (red, n, 200 - red)).save(root / f"p{n}.png")
            label = "anger" if n % 2 == 0 else "happiness"
            counts = [red // 20, 10 - red // 20] if votes else []
            writer.writerow([f"p{n}.png", label, f"s{n // 2}", *counts])
    return world


def redness(request: Request) -> float:
    """Share of red against blue in the picture that was sent."""
    (sent,) = (p for m in request.messages for p in m.parts if not isinstance(p, Text))
    data: Any = getattr(sent, "data")  # noqa: B009 - a picture, not a video
    red, _, blue = (
        np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).reshape(-1, 3).mean(axis=0)
    )
    return float(red / (red + blue))


def told(share: Callable[[float], float]) -> Callable[[Request], str]:
    """Percentages of anger as a function of the redness."""

    def rule(request: Request) -> str:
        anger = 100 * share(redness(request))
        return json.dumps({"anger": round(anger, 3), "happiness": round(100 - anger, 3)})

    return rule


def scored(
    world: World, rule: Callable[[Request], str], prompt: str = "emotion/percentages"
) -> Scores:
    world.run(RuleModel(rule=rule), prompts=(prompt,), conditions=CONDITIONS)
    return score_run(world.folder)


def entry_of(scores: Scores) -> Any:
    (state,) = scores.tasks
    (entry,) = state["mixtures"]
    return entry


def test_who_follows_the_mixture_has_slope_1_and_no_divergence(tmp_path: Path) -> None:
    scores = scored(mixing_world(tmp_path), told(lambda red: red))
    entry = entry_of(scores)
    assert entry["slope"] == pytest.approx(1.0, abs=0.01)
    assert entry["low"] <= 1.0 <= entry["high"] + 0.01
    assert (entry["condition"], entry["mixed"], entry["n"]) == ("none", "mixed pictures", 4 * COUNT)
    assert "the subject of the picture" in entry["estimator"]
    assert [at["weight"] for at in entry["weights"]] == [*WEIGHTS, 1.0]
    for at in entry["weights"]:
        assert at["own"] == pytest.approx(at["weight"], abs=0.01)
        assert at["other"] == pytest.approx(1 - at["weight"], abs=0.01)
        assert at["elsewhere"] == pytest.approx(0.0, abs=1e-6)
        assert at["js"] < 1e-3
        assert at["js_low"] <= at["js"] <= at["js_high"]
    rows = {
        (r.condition, r.metric): r for r in scores.scores if r.model == "rule" and r.slice == "all"
    }
    assert rows["mix:0.25", "js"].value == pytest.approx(entry["weights"][0]["js"], abs=1e-6)
    assert "mixed as the pictures are" in rows["mix:0.25", "kl"].estimator
    assert ("none", "js") not in rows  # one label is all the truth that an unmixed sample has
    (line,) = mixture_lines(scores.tasks[0])
    assert "slope 1.00" in line
    (told_as_json,) = json.loads(scores_json(tmp_path, scores))["mixtures"]
    assert told_as_json["task"] == "task"
    assert "another subject" in told_as_json["pairing"]


def test_who_jumps_has_a_steeper_slope_and_who_does_not_care_has_none(tmp_path: Path) -> None:
    jumps = entry_of(scored(mixing_world(tmp_path / "jump"), told(lambda red: float(red > 0.6))))
    assert jumps["low"] > 1.2
    flat = entry_of(scored(mixing_world(tmp_path / "flat"), told(lambda red: 0.5)))
    assert flat["slope"] == pytest.approx(0.0, abs=1e-6)
    assert flat["weights"][1]["own"] == 0.5
    assert flat["weights"][1]["js"] == pytest.approx(0.0, abs=1e-6)
    elsewhere = scored(mixing_world(tmp_path / "else"), lambda request: '{"fear": 100}')
    assert entry_of(elsewhere)["weights"][0]["elsewhere"] == 1.0
    assert entry_of(elsewhere)["weights"][0]["js"] == 1.0


def test_single_labels_and_missing_answers_are_shares_of_trials(tmp_path: Path) -> None:
    def rule(request: Request) -> str:
        red = redness(request)
        return "anger" if red > 0.6 else "no idea" if red > 0.4 else "happiness"

    entry = entry_of(scored(mixing_world(tmp_path), rule, "emotion/plain"))
    middle = entry["weights"][1]
    assert middle["weight"] == 0.5
    assert (middle["own"], middle["coverage"], middle["js"]) == (0.0, 0.0, 1.0)
    assert entry["weights"][2]["own"] == 1.0
    assert "cross_entropy" not in middle


def test_votes_are_mixed_where_there_are_any(tmp_path: Path) -> None:
    """Blue pictures are 2 votes of 10 for anger: half and half is a mixture of the two votes."""
    world = mixing_world(tmp_path, votes=True)
    scores = scored(world, told(lambda red: red))
    for at in entry_of(scores)["weights"]:
        assert at["js"] < 2e-3
    rows = {
        (r.condition, r.metric): r for r in scores.scores if r.model == "rule" and r.slice == "all"
    }
    assert rows["none", "js"].value < 2e-3
    assert rows["mix:0.5", "js"].value < 2e-3
    view = read_run(world.folder)
    page = render(view)
    assert "Mixtures" in page
    assert "slope" in page


def test_the_slope_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.random(200), rng.random(200)
    totals = np.column_stack([x, y, x * x, x * y, np.ones(200)]).sum(axis=0)
    expected = LinearRegression().fit(x[:, None], y).coef_[0]
    assert float(slope(totals)) == pytest.approx(expected)
    assert np.isnan(slope(np.array([2.0, 1.0, 2.0, 1.0, 2.0])))


def test_drawn_mixtures_stand_from_either_side(tmp_path: Path) -> None:
    """Sixteen samples are thirty-two points; who always answers a third label gives neither anything."""
    text = (
        "source: {family: faces, kind: mixture, n: 16, size: 32}\n"
        "fields:\n  emotion: {kind: label, labels: basic-7}\nprompts: [emotion/percentages]\n"
    )
    world = make_world(tmp_path, count=2, task=text)
    world.run(RuleModel(rule=lambda request: '{"neutral": 100}'))
    entry = entry_of(score_run(world.folder))
    assert (entry["mixed"], entry["n"]) == ("blends of two emotions", 32)
    assert sum(at["n"] for at in entry["weights"]) == 32
    assert all(at["elsewhere"] == 1.0 for at in entry["weights"])
    assert entry["slope"] == 0.0


def test_the_page_shows_drawn_pictures_as_they_were_mixed(tmp_path: Path) -> None:
    text = (
        "source: {family: faces, kind: image, n: 14, size: 32}\n"
        "fields:\n  emotion: {kind: label, labels: basic-7}\nprompts: [emotion/plain]\n"
    )
    world = make_world(tmp_path, count=2, task=text)
    world.run(RuleModel(rule=lambda request: "fear"), conditions=("none", "mix:0.5"))
    score_run(world.folder)
    view = read_run(world.folder)
    places = [("task", name, "test-0-0000001") for name in ("none", "mix:0.5")]
    album = collect(view, places)
    (plain,), (blend,) = (album.shown[place] for place in places)
    assert plain != blend
    assert set(album.urls) == {plain[1], blend[1]}
    assert album.notes == {}


@pytest.mark.slow
def test_the_shipped_model_follows_drawn_pictures_mixed(tmp_path: Path) -> None:
    """The whole way with affect-tiny and its labels' probabilities."""
    from harness.cli.main import main

    out = tmp_path / "run"
    asked = [
        "run",
        "faces/emotion",
        "--model",
        "affect-tiny",
        "--channel",
        "logprob",
        "--limit",
        "8",
    ]
    named = [word for weight in ("0.25", "0.75") for word in ("--condition", f"mix:{weight}")]
    assert main([*asked, *named, "--prompt", "emotion/plain", "--out", str(out)]) == 0
    (state,) = json.loads((out / "scores.json").read_text())["tasks"]
    (entry,) = state["mixtures"]
    assert entry["slope"] > 0.5
    assert 0 < entry["weights"][0]["js"] < 1
