"""True distributions read from annotations, soft-label scores, and the annotators' ceiling."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import fleiss_kappa

from harness.analyses.rows.ceiling import against_label, against_others, pair_agreement
from harness.analyses.sections import task_sections
from harness.core.blocks import Table, Who
from harness.core.field import FieldSpec
from harness.core.message import Text
from harness.core.request import Request
from harness.metrics.soft import jensen_shannon, kullback_leibler
from harness.report.inputs import RunView, read_run
from harness.report.page import render
from harness.report.tables import score_tables
from harness.score.folder import score_run
from harness.score.records import read_records
from harness.score.table import ScoreRow
from harness.score.votes import soft_truth
from tests.run.bench import RuleModel, World, make_world

CLASSES = ("anger", "happiness", "fear")
EMOTION = FieldSpec(kind="label", labels=CLASSES)
TASK = """\
source: {family: table, file: labels.csv, image: image, label: emotion, subject: person}
fields:
  emotion: {kind: label, labels: [anger, happiness, fear]}
prompts: [emotion/plain, emotion/percentages]
"""
VOTES = [(8, 2, 0, 0), (0, 6, 2, 2), (1, 0, 9, 0), (5, 3, 2, 0), (0, 10, 0, 0), (4, 4, 2, 0)]
"""Of each picture: anger, happiness, fear, and no class of the field; the first of the greatest is the label."""


def test_votes_in_any_spelling_and_votes_for_no_class() -> None:
    rows = [
        ({"Angry": 6.0, "happy": 2.0, "unknown": 2.0}, True),
        ({}, True),
        ({"unknown": 5.0}, True),
    ]
    truth = soft_truth("emotion", EMOTION, rows)
    assert truth.shares[0].tolist() == [0.75, 0.25, 0.0]
    assert truth.within.tolist() == [0.8, 0.0, 0.0]
    assert truth.votes[0].tolist() == [6, 2, 0, 2]
    assert truth.known.tolist() == [True, False, False]
    assert truth.counted.tolist() == [True, False, False]
    assert "20.0% of the votes are for no class" in truth.said


def test_shares_are_no_annotators_to_be_counted() -> None:
    truth = soft_truth(
        "emotion", EMOTION, [({"anger": 0.5, "fear": 0.5}, True), ({"anger": 1.0}, False)]
    )
    assert truth.known.all()
    assert not truth.counted.any()
    assert truth.said == "truth: the samples' soft labels"


def voted_world(root: Path) -> World:
    """Six pictures with ten votes each."""
    world = make_world(root, count=len(VOTES), task=TASK)
    with (root / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        names = [f"votes.{name}" for name in (*CLASSES, "unknown")]
        writer.writerow(["image", "emotion", "person", *names])
        for number, votes in enumerate(VOTES):
            label = CLASSES[max(range(3), key=votes.__getitem__)]
            writer.writerow([f"p{number}.png", label, f"s{number}", *votes])
    return world


STATED = [(80, 20, 0), (0, 50, 50), (10, 0, 90), (100, 0, 0), (20, 20, 20), (0, 40, 60)]
"""Percentages answered for each picture; the fifth add up to 60 and are no answer."""


def number_of(request: Request) -> int:
    """The number of the picture `p3.png`."""
    names = [p.name for m in request.messages for p in m.parts if not isinstance(p, Text)]
    return int(Path(names[0]).stem[1:])


def percentages(request: Request) -> str:
    return json.dumps(dict(zip(CLASSES, STATED[number_of(request)], strict=True)))


@pytest.fixture(scope="module")
def stated(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[World, dict[tuple[str, str], ScoreRow]]:
    world = voted_world(tmp_path_factory.mktemp("votes"))
    world.run(RuleModel(rule=percentages), prompts=("emotion/percentages",))
    return world, {
        (r.model, r.metric): r for r in score_run(world.folder).scores if r.slice == "all"
    }


def test_stated_percentages_are_scored_against_the_votes(
    stated: tuple[World, dict[tuple[str, str], ScoreRow]],
) -> None:
    _, rows = stated
    truth = np.array([v[:3] for v in VOTES], dtype=float)
    truth /= truth.sum(axis=1, keepdims=True)
    said = np.array(STATED, dtype=float)
    said /= said.sum(axis=1, keepdims=True)
    js = jensen_shannon(truth, said)
    js[4] = 1.0  # the worst point mass for a unanimous vote
    row = rows["rule", "js"]
    assert row.value == pytest.approx(js.mean(), abs=1e-6)
    assert row.n == 6
    assert row.coverage == pytest.approx(5 / 6, abs=1e-6)
    assert "percentages that the replies state" in row.estimator
    assert "annotators' votes (3.3% of the votes are for no class" in row.estimator
    assert "base 2" in row.estimator
    keep = [0, 1, 2, 3, 5]
    answered = rows["rule", "kl_answered"]
    assert answered.value == pytest.approx(kullback_leibler(truth, said)[keep].mean(), abs=1e-6)
    assert (answered.n, answered.low is not None) == (5, True)
    # .8, (.6 + .2)/2, .9, .5, nothing, .2 of all ten votes
    assert rows["rule", "expected_accuracy"].value == pytest.approx(2.8 / 6, abs=1e-6)


def test_an_even_split_is_no_single_label_and_its_distribution_counts(
    stated: tuple[World, dict[tuple[str, str], ScoreRow]],
) -> None:
    world, rows = stated
    told = {r["sample"]: r for r in read_records(world.folder)}
    assert told["p1.png"]["outcome"] == "ambiguous"
    assert told["p1.png"]["rule"] == "percentages/tied"
    assert json.loads(told["p1.png"]["probabilities"]) == {
        "anger": 0,
        "happiness": 0.5,
        "fear": 0.5,
    }
    assert told["p1.png"]["estimator"] == "stated"
    assert told["p4.png"]["outcome"] == "off-list"
    assert rows["rule", "accuracy"].value == pytest.approx(3 / 6, abs=1e-6)
    assert "stated" in rows["rule", "brier"].estimator


def test_single_labels_are_point_masses_without_kl(tmp_path: Path) -> None:
    world = voted_world(tmp_path)
    world.run(RuleModel(rule=lambda request: "happiness"), prompts=("emotion/plain",))
    rows = {(r.model, r.metric): r for r in score_run(world.folder).scores if r.slice == "all"}
    assert rows["rule", "expected_accuracy"].value == pytest.approx(2.5 / 6, abs=1e-6)
    assert "counted as a point mass" in rows["rule", "js"].estimator
    assert ("rule", "kl") not in rows
    # The majority baseline answers anger (three of six labels), the prior is 3, 2, 1 of six.
    assert rows["majority", "expected_accuracy"].value == pytest.approx(1.8 / 6, abs=1e-6)
    truth = np.array([v[:3] for v in VOTES], dtype=float)
    prior = np.tile(np.array([3, 2, 1]) / 6, (6, 1))
    expected = jensen_shannon(truth / truth.sum(axis=1, keepdims=True), prior).mean()
    assert rows["prior", "js"].value == pytest.approx(expected, abs=1e-6)
    assert "in-sample" in rows["prior", "js"].estimator


def test_repeats_are_means_over_their_point_masses(tmp_path: Path) -> None:
    world = voted_world(tmp_path)
    model = RuleModel(rule=lambda request: CLASSES[request.sampling.seed])
    world.run(model, prompts=("emotion/plain",), repeats=2, temperature=1.0)
    rows = {(r.model, r.metric): r for r in score_run(world.folder).scores if r.slice == "all"}
    assert rows["rule", "expected_accuracy"].value == pytest.approx((1.8 + 2.5) / 12, abs=1e-6)
    assert rows["rule", "expected_accuracy"].n == 6


def test_the_ceiling_stands_above_the_baselines_with_its_formulas(
    stated: tuple[World, dict[tuple[str, str], ScoreRow]],
) -> None:
    world, rows = stated
    one = rows["annotator", "accuracy"]
    assert one.value == pytest.approx((0.8 + 0.6 + 0.9 + 0.5 + 1 + 0.4) / 6, abs=1e-6)
    assert "upper bound" in one.estimator
    assert one.coverage == pytest.approx(58 / 60, abs=1e-6)
    assert rows["annotator", "accuracy_answered"].value == pytest.approx(
        (0.8 + 0.75 + 0.9 + 0.5 + 1 + 0.4) / 6, abs=1e-6
    )
    agreement = [(56 + 2) / 90, (30 + 2) / 90, 72 / 90, (20 + 6 + 2) / 90, 1.0, (12 + 12 + 2) / 90]
    assert rows["annotator", "expected_accuracy"].value == pytest.approx(
        np.mean(agreement), abs=1e-6
    )
    assert "Fleiss" in rows["annotator", "expected_accuracy"].estimator
    assert rows["set-label", "expected_accuracy"].value == one.value
    assert rows["annotator-left-out", "accuracy"].value is not None
    assert "lower bound" in rows["annotator-left-out", "accuracy"].estimator
    assert rows["annotator", "recall[anger]"].value == pytest.approx(
        (0.8 + 0.5 + 0.4) / 3, abs=1e-6
    )
    view = read_run(world.folder)
    (table,) = score_tables(view, "task")
    assert [line.key[0] for line in table.lines[:4]] == [
        "annotator", "annotator-left-out", "majority", "prior",
    ]  # fmt: skip
    votes = votes_table(view)
    assert [row.cells[0].model for row in votes.lines if isinstance(row.cells[0], Who)] == [
        "annotator", "set-label", "majority", "prior", "rule",
    ]  # fmt: skip
    page = render(view)
    assert "Against the votes" in page
    assert "one, against the others&#39; majority" in page


def votes_table(view: RunView) -> Table:
    """The table against the votes as a page has it."""
    sections = task_sections(view.scores, view.tasks["task"], view.manifest)
    (section,) = [one for one in sections if one.name == "soft-labels"]
    (table,) = [b for b in section.blocks if isinstance(b, Table) and b.room == "much"]
    return table


def test_left_out_by_hand() -> None:
    """Three annotators, two of them for the first class: each of these two meets one and one among the others."""
    votes = np.array([[2.0, 1.0, 0.0]])
    table = against_others(votes)[0]
    # The pair for class 0: others are (1, 1), a tie: half a row each. The third: others are (2, 0).
    assert table[0, 0] == pytest.approx(1 / 3)
    assert table[1, 0] == pytest.approx(1 / 3)
    assert table[0, 1] == pytest.approx(1 / 3)
    assert table.sum() == pytest.approx(1.0)


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 6), min_size=4, max_size=4).filter(lambda v: sum(v) > 1 and any(v[:3]))
)
def test_left_out_against_every_annotator_in_turn(votes: list[int]) -> None:
    """The closed form against a loop over annotators."""
    table = np.zeros((3, 4))
    for given_, count in enumerate(votes):
        for _ in range(count):
            others = list(votes)
            others[given_] -= 1
            top = max(others[:3])
            best = [k for k in range(3) if others[k] == top and top > 0]
            for k in best:
                table[k, given_] += 1 / len(best) / sum(votes)
    assert np.allclose(against_others(np.array([votes], dtype=float))[0], table)
    label = int(np.argmax(votes[:3]))
    hit = against_label(np.array([votes], dtype=float), np.array([label]))[0]
    own, left = hit[label, label], np.trace(table[:, :3])
    assert left <= own + 1e-12  # leaving the own vote out cannot help


def test_pairs_agree_as_fleiss_has_it() -> None:
    """Mean P_i from the kappa of statsmodels, which is (P - P_e)/(1 - P_e)."""
    votes = np.random.default_rng(0).multinomial(10, [0.5, 0.3, 0.2], size=200).astype(float)
    share = votes.sum(axis=0) / votes.sum()
    chance = (share**2).sum()
    expected = fleiss_kappa(votes) * (1 - chance) + chance
    padded = np.column_stack([votes, np.zeros(200)])
    assert pair_agreement(padded).mean() == pytest.approx(expected)


def test_a_set_without_votes_has_no_soft_scores(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=6)
    world.run(RuleModel(), prompts=("emotion/plain",))
    scores = score_run(world.folder)
    assert not {r.metric for r in scores.scores} & {"js", "expected_accuracy"}
    assert {r.model for r in scores.scores} == {"majority", "prior", "rule"}
    view = read_run(world.folder)
    sections = task_sections(view.scores, view.tasks["task"], view.manifest)
    assert "soft-labels" not in {section.name for section in sections}
    assert "Against the votes" not in render(view)


def test_scores_are_the_same_bytes_each_time(
    stated: tuple[World, dict[tuple[str, str], ScoreRow]],
) -> None:
    first, second = (score_run(stated[0].folder).to_json() for _ in range(2))
    assert first == second
