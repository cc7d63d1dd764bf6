"""Sets with rare and with balanced dark tones, their pictures, and what the experiment makes of answers."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from harness.affect_tiny.training.unequal import (
    drawn_set,
    faces_of,
    is_dark,
    people_of,
    photographed,
)
from harness.core.errors import HarnessError
from harness.faces import draw, identity_at
from results.benchmarks.balance import Plan, figures, page

SEED = 6101


def test_sets_of_one_size_differ_in_who_is_in_them() -> None:
    people = {arm: people_of(arm, 80, seed=SEED) for arm in ("unbalanced", "balanced")}
    assert {len(set(found)) for found in people.values()} == {80}
    traits = {
        arm: [identity_at(n, seed=SEED, split="train") for n in found]
        for arm, found in people.items()
    }
    assert sum(map(is_dark, traits["unbalanced"])) == 2
    cells = Counter((one.skin_tone, one.age_group) for one in traits["balanced"])
    assert len(cells) == 40 and set(cells.values()) == {2}


def test_dark_tones_are_photographed_four_stops_darker_and_others_as_they_are() -> None:
    numbers = people_of("unbalanced", 12, seed=SEED)
    for face in faces_of(numbers[:12], seed=SEED, split="train", labels=("neutral",)):
        plain, taken = draw(face, size=224).pixels, photographed(face)
        if is_dark(face.identity):
            assert taken.mean() < plain.mean() / 2
        else:
            assert (taken == plain).all()


def test_test_people_are_not_drawn_for_training() -> None:
    with pytest.raises(HarnessError, match="kept for evaluation"):
        drawn_set([0], seed=12, side=112)


def answered(folder: Path, plan: Plan, rights: dict[str, tuple[float, float]]):
    """40 people of seven faces; by checkpoint the share of right answers to others and to dark tones."""
    rows = [(f"{p}-{k}.png", "x", f"person-{p}", "dark" if p % 2 else "other") for p in range(40) for k in range(7)]  # fmt: skip
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "emotion", "subject", "group"), *rows])
    rng = np.random.default_rng(3)
    noise = {image: rng.random() for image, *_ in rows}
    found = {
        name: {f"table/{image}": bool(noise[image] < shares[group == "dark"]) for image, _, _, group in rows}
        for name, shares in rights.items()
    }  # fmt: skip
    return figures(found, folder, plan)


def test_a_gap_that_narrows_is_found_and_one_that_stays_is_not(tmp_path: Path) -> None:
    plan = Plan(seeds=(1, 2))
    before, after = (0.9, 0.5), (0.9, 0.8)
    same = {"shipped": before, **{f"{arm}-{s}": before for s in (1, 2) for arm in ("unbalanced", "balanced")}}  # fmt: skip
    narrowed = {**same, "balanced-1": after, "balanced-2": after}
    found = answered(tmp_path, plan, narrowed)
    gaps = {name: one.value for name, one in found.gaps.items()}
    assert found.changes["all"].value == pytest.approx(gaps["unbalanced"] - gaps["balanced"])
    assert 0.2 < found.changes["all"].low < found.changes["all"].value < 0.42
    assert "The balanced set narrows the gap" in page(found, plan, "w")
    still = answered(tmp_path, plan, same)
    assert still.changes["all"].value == 0
    assert "is not shown" in page(still, plan, "w")


@pytest.mark.slow
def test_a_small_tuning_changes_the_language_model_alone(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    from harness.affect_tiny import weights_folder
    from results.benchmarks.balance import tuned

    torch.set_num_threads(1)
    out = tuned("unbalanced", 1, Plan(steps=2, people=2), tmp_path)
    before, after = (load_file(one / "model.safetensors") for one in (weights_folder(), out))
    assert before.keys() == after.keys()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved and not any("visual" in name for name in moved)
    assert tuned("unbalanced", 1, Plan(steps=2, people=2), tmp_path) == out
