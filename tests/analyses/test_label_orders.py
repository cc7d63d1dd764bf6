"""The order of labels in a prompt as an axis: shown, read by, and told apart from what the pictures say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compare import compare
from harness.conditions.label_order import ordered
from harness.conditions.presentation import Presentation, read_presentation
from harness.conditions.registry import load_condition
from harness.core.cell import AS_WRITTEN
from harness.core.errors import HarnessError
from harness.core.request import Request
from harness.score.folder import score_run
from tests.compare.test_compare import side, truthful
from tests.run.bench import RuleModel, World, make_world

LABELS = ("anger", "disgust", "fear", "happiness")
ORDERS = ("none", "label-order:reversed")


@settings(deadline=None)
@given(st.permutations(LABELS), st.integers(0, 10**6))
def test_every_order_is_a_permutation(labels: list[str], number: int) -> None:
    for order in (AS_WRITTEN, "reversed", f"rotated-{number}", f"shuffled-{number}"):
        assert sorted(ordered(labels, order)) == sorted(labels)
    assert ordered(labels, f"shuffled-{number}") == ordered(LABELS, f"shuffled-{number}")


def test_orders_by_name() -> None:
    assert ordered(LABELS, "reversed") == ("happiness", "fear", "disgust", "anger")
    assert ordered(LABELS, "rotated-1") == ("disgust", "fear", "happiness", "anger")
    assert ordered(LABELS, "rotated-5") == ordered(LABELS, "rotated-1")
    assert len({ordered(LABELS, f"shuffled-{seed}") for seed in range(20)}) > 5
    for bad in ("", "rotated", "rotated--1", "sideways", "shuffled-x"):
        with pytest.raises(HarnessError, match="unknown label order"):
            ordered(LABELS, bad)


@pytest.mark.parametrize("condition", ["none", "blank", "apex+optical-flow"])
@pytest.mark.parametrize("order", [AS_WRITTEN, "reversed", "rotated-2"])
def test_names_of_conditions_with_an_order(condition: str, order: str) -> None:
    written = Presentation(condition, label_order=order)
    assert read_presentation(written.name) == written


def test_the_pictures_are_those_of_the_condition_before_it() -> None:
    found = read_presentation("blank+label-order:rotated-1")
    assert found.load() is load_condition("blank")
    with pytest.raises(HarnessError, match="unknown label order 'up'"):
        read_presentation("label-order:up")
    with pytest.raises(HarnessError, match="unknown condition"):
        read_presentation("nowhere+label-order:reversed")


def first_listed(request: Request) -> str:
    """Whatever the prompt lists first."""
    text = request.messages[-1].text
    return min(("anger", "happiness"), key=text.index)


def effects(world: World) -> dict[str, Any]:
    score_run(world.folder)
    body = json.loads(world.folder.scores.read_text())
    (entry,) = body["tasks"][0]["label_orders"]
    assert isinstance(entry, dict)
    return entry


def test_a_model_that_takes_the_first_label_is_found_out(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=24)
    model = RuleModel(rule=first_listed)
    world.run(model, conditions=ORDERS)
    texts = {r.messages[-1].text for r in model.asked}
    assert any("anger, happiness" in text for text in texts)
    assert any("happiness, anger" in text for text in texts)
    entry = effects(world)
    assert entry["orders"] == ["as-written", "reversed"]
    assert entry["accuracy"] == {"as-written": 0.5, "reversed": 0.5}
    assert entry["invariant_accuracy"] == 0.0
    assert (entry["positions"], entry["expected"]) == ([1.0, 0.0], [0.5, 0.5])
    assert (entry["bias"], entry["uniform"], entry["n"]) == (0.5, 0.5, 24)


def test_a_model_that_looks_has_no_bias(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=24)
    world.run(RuleModel(rule=truthful(3)), conditions=(*ORDERS, "blank"))
    entry = effects(world)
    assert entry["invariant_accuracy"] == entry["accuracy"]["as-written"] > 0
    assert entry["bias"] == 0.0
    assert entry["low"] <= entry["invariant_accuracy"] <= entry["high"]


def test_one_order_has_no_effect_to_tell(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=12)
    world.run(RuleModel(), conditions=("none", "blank"))
    score_run(world.folder)
    assert json.loads(world.folder.scores.read_text())["tasks"][0]["label_orders"] == []


def test_comparison_names_the_axis_and_the_factor(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=24)
    world.run(
        RuleModel(rule=first_listed), prompts=("emotion/plain", "emotion/cot"), conditions=ORDERS
    )
    report = compare([side(world.folder.path)])
    assert sorted(c.axis for c in report.comparisons) == ["label order"] * 2 + ["prompt"] * 2
    (factors,) = report.factors
    assert [row.factor for row in factors.rows] == ["prompt", "label order", "rest"]
