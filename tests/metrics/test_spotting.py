"""Spotting scores: the reference implementation's numbers as they are, and each departure mended.

tests/golden/spotting.json holds made-up tables with the numbers that the reference implementation (June 2024)
gives for them.
"""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import numpy as np
import pytest

from harness.core.errors import HarnessError
from harness.metrics.spots import Spot, iou, matched
from harness.metrics.spotting import MENDED, spotting_family, strict
from harness.metrics.spotting_compat import compat

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "spotting.json").read_text())


def spots(*rows: tuple[str, str, int, int, str]) -> list[Spot]:
    return [Spot(*row) for row in rows]


PREDICTED = spots(
    ("1", "a", 10, 70, "happiness"),
    ("1", "b", 100, 170, "others"),
    ("1", "c", 0, 70, "others"),
    ("2", "d", 20, 90, "happiness"),
    ("2", "e", 70, 140, "happiness"),
)
TRUTH = spots(
    ("1", "a", 45, 85, "happiness"),
    ("1", "b", 130, 160, "others"),
    ("1", "c", 20, 75, "others"),
    ("2", "d", 45, 95, "repression"),
    ("2", "e", 30, 140, "repression"),
)
"""The example of the reference implementation's own page, videos renamed: STRS .2."""


def test_the_reference_example() -> None:
    found = compat(PREDICTED, TRUTH)
    assert (found.tp, found.fp, found.fn) == (3, 2, 2)
    assert (found.f1_spotting, round(found.f1_analysis, 4)) == (pytest.approx(0.6), 0.3333)
    assert found.strs == pytest.approx(0.2)


@pytest.mark.parametrize("case", GOLDEN, ids=range(len(GOLDEN)))
def test_the_reference_implementation_is_reproduced(case: dict[str, object]) -> None:
    found = compat(
        [Spot(*row) for row in case["predicted"]],  # type: ignore[attr-defined]
        [Spot(*row) for row in case["truth"]],  # type: ignore[attr-defined]
        case["emotions"],  # type: ignore[arg-type]
    )
    for name, wanted in case["reference"].items():  # type: ignore[attr-defined]
        ours = getattr(found, name)
        assert math.isnan(ours) if wanted is None else ours == pytest.approx(wanted, abs=1e-12)


def test_a_prediction_in_a_video_without_an_event_counts() -> None:
    more = [*PREDICTED, Spot("1", "rest", 0, 30, "happiness")]
    assert compat(more, TRUTH) == compat(PREDICTED, TRUTH)
    assert strict(more, TRUTH).fp == strict(PREDICTED, TRUTH).fp + 1 == 3


def test_a_subject_without_predictions_is_missed() -> None:
    fewer = [spot for spot in PREDICTED if spot.subject == "1"]
    assert compat(fewer, TRUTH).fn == compat(PREDICTED, TRUTH).fn == 2 and math.isnan(
        compat(fewer, TRUTH).strs
    )
    assert strict(fewer, TRUTH).fn == 4


def test_one_prediction_matches_one_event() -> None:
    twice = spots(("1", "a", 10, 20, "x"), ("1", "a", 10, 20, "x"))
    assert compat(twice[:1], twice).tp == 2
    found = strict(twice[:1], twice)
    assert (found.tp, found.fp, found.fn) == (1, 0, 1)


def test_one_emotion_alone_can_be_right() -> None:
    one = spots(("1", "a", 10, 20, "x"))
    assert math.isnan(compat(one, one).f1_analysis)
    assert strict(one, one).f1_analysis == strict(one, one).strs == 1.0


def test_uar_is_the_mean_recall() -> None:
    truth = spots(("1", "a", 0, 9, "x"), ("1", "b", 0, 9, "x"), ("1", "c", 0, 9, "y"))
    said = spots(("1", "a", 0, 9, "x"), ("1", "b", 0, 9, "y"), ("1", "c", 0, 9, "y"))
    assert compat(said, truth).uar_analysis == pytest.approx((1 + 1 / 2) / 2)
    found = strict(said, truth)
    assert found.uar_analysis == pytest.approx((1 / 2 + 1) / 2)
    assert found.precision_analysis == pytest.approx((1 + 1 / 2) / 2)


def test_a_missed_emotion_is_counted_under_the_true_one() -> None:
    truth = spots(("1", "a", 0, 9, "x"), ("1", "b", 0, 9, "y"))
    said = spots(("1", "a", 0, 9, "z"), ("1", "b", 0, 9, "y"))
    assert (compat(said, truth).fp_analysis, compat(said, truth).fn_analysis) == (0, 0)
    assert (strict(said, truth).fp_analysis, strict(said, truth).fn_analysis) == (0, 1)


def test_nothing_spotted_scores_nothing() -> None:
    far = spots(("1", "a", 500, 510, "happiness"))
    assert math.isnan(compat(far, TRUTH).strs)
    assert strict(far, TRUTH).strs == strict([], TRUTH).strs == 0.0
    assert strict([], TRUTH).fn == 5


def test_there_is_a_test_above_for_each_thing_mended() -> None:
    assert len(MENDED) == 7


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ((0, 9), (0, 9), 1.0),
        ((0, 9), (5, 14), 5 / 15),
        ((0, 9), (10, 19), 0.0),
        ((0, 9), (9, 9), 1 / 10),
        ((0, 0), (0, 0), 1.0),
        ((0, 1), (1, 1), 0.5),
    ],
)
def test_overlap_is_of_inclusive_frames(
    one: tuple[int, int], other: tuple[int, int], share: float
) -> None:
    assert iou(Spot("1", "a", *one, "x"), Spot("1", "a", *other, "x")) == pytest.approx(share)


@pytest.mark.parametrize("seed", range(30))
def test_as_many_pairs_as_can_be(seed: int) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    rng = random.Random(seed)
    ours, theirs = (
        [
            Spot("1", "a", at, at + rng.randint(1, 25), "x")
            for at in (rng.randint(0, 30) for _ in range(12))
        ]
        for _ in range(2)
    )
    fits = np.array([[iou(a, b) >= 0.5 for b in theirs] for a in ours])
    rows, columns = optimize.linear_sum_assignment(fits, maximize=True)
    pairs = matched(ours, theirs)
    assert len(pairs) == int(fits[rows, columns].sum())
    assert all(iou(a, b) >= 0.5 for a, b in pairs)
    assert len({id(a) for a, _ in pairs}) == len({id(b) for _, b in pairs}) == len(pairs)


def test_a_long_chain_of_overlaps_is_matched_without_deep_recursion() -> None:
    many = [Spot("1", "a", at, at + 30, "x") for at in range(300)]
    assert len(matched(many, many)) == 300


def test_rows_of_videos_add_up() -> None:
    family = spotting_family(PREDICTED, TRUTH, videos=[("3", "nothing")])
    assert family.videos[-1] == ("3", "nothing") and len(family.videos) == 6
    totals = family.rows().sum(axis=0)
    found = strict(PREDICTED, TRUTH)
    assert float(family.value("strs", totals)) == pytest.approx(found.strs)
    stacked = np.stack([totals, 2 * totals])
    for name in family.metrics:
        once, twice = family.value(name, stacked)
        factor = 2 if name.endswith("_spotting") and name[:2] in {"tp", "fp", "fn"} else 1
        assert twice == pytest.approx(factor * once)


def test_what_cannot_be_scored_is_told() -> None:
    with pytest.raises(HarnessError, match="no true interval"):
        spotting_family(PREDICTED, [])
    with pytest.raises(HarnessError, match="is after"):
        Spot("1", "a", 5, 4, "x")
    family = spotting_family(PREDICTED, TRUTH)
    with pytest.raises(HarnessError, match="no metric 'f1'"):
        family.value("f1", family.rows().sum(axis=0))
