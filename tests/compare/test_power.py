"""What a plan's samples could show."""

from __future__ import annotations

import math

import pytest

from harness.compare.power import foresee
from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.run.sample_file import PlannedSample

TASK = Task.model_validate(
    {
        "name": "t",
        "source": {"family": "table"},
        "prompts": ["x"],
        "fields": {
            "emotion": {"kind": "label", "labels": ["a", "b"]},
            "valence": {"kind": "number"},
        },
    }
)


def samples(count: int, *, per_cluster: int = 1, rare: int = 2) -> list[PlannedSample]:
    return [
        PlannedSample(
            f"s{i}", f"c{i // per_cluster}", None, ("emotion", "valence"),
            {"emotion": "b" if i % rare == 0 else "a", "valence": 0.0}, {}, (),
        )
        for i in range(count)
    ]  # fmt: skip


def test_more_samples_find_less_and_the_number_needed_is_consistent() -> None:
    few, many = (
        next(foresee(TASK, samples(n), difference=0.05, discordances=(0.2,))) for n in (400, 4000)
    )
    assert few.detectable > 0.05 > many.detectable
    assert few.needed == many.needed
    again = next(foresee(TASK, samples(few.needed or 0), discordances=(0.2,)))
    assert again.detectable == pytest.approx(0.05, abs=5e-4)


def test_clusters_and_rare_classes_cost_samples() -> None:
    found = {
        (p.metric, p.correlation): p.detectable
        for p in foresee(TASK, samples(600, per_cluster=6, rare=10), discordances=(0.3,))
    }
    assert found["accuracy", 0.1] > found["accuracy", 0.0]
    assert found["uar", 0.0] > found["accuracy", 0.0]


def test_what_cannot_be_found_is_said_and_not_guessed() -> None:
    tiny = next(foresee(TASK, samples(4), difference=0.3, discordances=(0.1,)))
    assert math.isnan(tiny.detectable)
    assert tiny.needed is None, "a difference cannot exceed the discordance"
    with pytest.raises(HarnessError, match="not a difference"):
        list(foresee(TASK, samples(4), difference=5.0))


def test_numbers_have_no_prospect() -> None:
    assert {p.field for p in foresee(TASK, samples(40))} == {"emotion"}
