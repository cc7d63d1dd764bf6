"""Samples asked several times: means over repeats, and how much answers change."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest

from harness.compare import compare
from harness.core.request import Request
from harness.exports.export import Kept, write_export
from harness.run.manifest import read_manifest
from harness.score.folder import score_run
from harness.score.records import read_records
from harness.score.scores import Scores
from tests.compare.test_compare import side
from tests.compare.test_exports import found, opened
from tests.run.bench import RuleModel, World, make_world

REPEATS = 3


def by_seed(request: Request) -> str:
    """Right or wrong by the picture and by the seed that was sent; a refusal now and then."""
    image = next(p for p in request.messages[-1].parts if hasattr(p, "digest"))
    draw = Random(f"{image.digest} {request.sampling.seed}").random()
    if draw < 0.1:
        return "I'm sorry, I can't judge people."
    return "anger" if draw < 0.6 else "happiness"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = make_world(tmp_path_factory.mktemp("repeats"), count=30)
    made.run(RuleModel(rule=by_seed), repeats=REPEATS, temperature=0.7)
    return made


@pytest.fixture(scope="module")
def scores(world: World) -> Scores:
    return score_run(world.folder)


def answers(world: World) -> list[dict[str, str | None]]:
    """Repeat -> sample -> value, from the records."""
    rows: list[dict[str, str | None]] = [{} for _ in range(REPEATS)]
    for row in read_records(world.folder):
        value = None if row["value"] is None else json.loads(row["value"])
        rows[int(row["trial"].split("/")[1])][row["sample"]] = value
    return rows


def test_each_repeat_is_asked_once_with_a_seed_of_its_own(world: World) -> None:
    again = RuleModel(rule=by_seed)
    world.run(again, repeats=REPEATS, temperature=0.7)
    assert not again.asked, "all was finished"
    more = RuleModel(rule=by_seed)
    world.out, before = "more", world.out
    try:
        world.run(more, repeats=2, temperature=0.7)
    finally:
        world.out = before
    assert sorted({r.sampling.seed for r in more.asked}) == [0, 1]
    assert {r.sampling.temperature for r in more.asked} == {0.7}
    assert len({r.key for r in more.asked}) == len(more.asked) == 60


def test_a_further_repeat_asks_only_what_is_new(tmp_path: Path) -> None:
    made = make_world(tmp_path, count=6)
    made.run(RuleModel(rule=by_seed), repeats=1, temperature=0.7)
    more = RuleModel(rule=by_seed)
    made.run(more, repeats=3, temperature=0.7)
    assert len(more.asked) == 12
    manifest = read_manifest(made.folder)
    assert manifest["repeats"] == 3
    assert manifest["cells"][0]["trials"] == 18
    assert manifest["cells"][0]["sampling"]["temperature"] == 0.7


def test_scores_are_means_over_repeats_and_n_is_samples(world: World, scores: Scores) -> None:
    truth = {r["sample"]: json.loads(r["target"]) for r in read_records(world.folder)}
    rows = {r.metric: r for r in scores.scores if r.model == "rule" and r.slice == "all"}
    accuracies, uars = [], []
    for said in answers(world):
        right = {s: said[s] == truth[s] for s in truth}
        accuracies.append(np.mean(list(right.values())))
        recalls = [
            np.mean([right[s] for s in truth if truth[s] == c]) for c in ("anger", "happiness")
        ]
        uars.append(np.mean(recalls))
    for metric, expected in (("accuracy", accuracies), ("uar", uars)):
        assert rows[metric].value == pytest.approx(np.mean(expected), abs=1e-6)
        assert rows[metric].n == 30
        assert "each sample's mean over 3 repeats" in rows[metric].estimator
        assert "10 by subject" in rows[metric].estimator, "repeats are no clusters"
    given = np.mean([[v is not None for v in said.values()] for said in answers(world)])
    assert rows["accuracy"].coverage == pytest.approx(given, abs=1e-6)
    told = [(said[s] == truth[s]) for said in answers(world) for s in truth if said[s] is not None]
    assert rows["accuracy_answered"].value == pytest.approx(np.mean(told), abs=1e-6)
    confusion = next(c for c in scores.confusions if c["model"] == "rule")
    assert np.sum(confusion["counts"]) == 90


def test_flips_and_the_deviation_over_seeds(world: World, scores: Scores) -> None:
    (entry,) = scores.tasks[0]["consistency"]
    said = answers(world)
    changed = [len({repeat[s] for repeat in said}) > 1 for s in said[0]]
    assert entry["repeats"] == 3
    assert entry["n"] == 30
    assert entry["flip_rate"] == pytest.approx(np.mean(changed), abs=1e-6)
    assert len(entry["values"]) == 3
    assert entry["deviation"] == pytest.approx(np.std(entry["values"], ddof=1), abs=1e-5)


def test_an_unchanging_model_scores_as_if_asked_once(tmp_path: Path) -> None:
    """Asking again the same way must not narrow an interval."""
    found_rows = []
    for repeats in (1, 4):
        made = make_world(tmp_path / str(repeats), count=30)
        made.run(RuleModel(rule=lambda r: "anger"), repeats=repeats)
        rows = [r for r in score_run(made.folder).scores if r.model == "rule"]
        found_rows.append([(r.slice, r.metric, r.value, r.low, r.high, r.n) for r in rows])
    assert found_rows[0] == found_rows[1]


def test_comparison_of_repeats_and_of_their_exports(world: World, tmp_path: Path) -> None:
    made = make_world(tmp_path / "other", count=30)
    made.run(RuleModel(rule=by_seed, identity="rule-2"), repeats=REPEATS, temperature=0.7)
    runs = [world.folder.path, made.folder.path]
    report = compare([side(path) for path in runs])
    (one,) = report.comparisons
    accuracy = next(c for c in one.metrics if c.of == "accuracy")
    assert (one.n, accuracy.only_a) == (30, None), "means of repeats are neither right nor wrong"
    assert accuracy.difference == pytest.approx(0, abs=1e-12)
    exports = []
    for number, path in enumerate(runs):
        exports.append(tmp_path / f"e{number}")
        write_export(type(world.folder)(path), exports[-1], secret=None, kept=Kept())
    assert found(opened(exports, tmp_path / "a")) == found(opened(runs, tmp_path / "b"))
