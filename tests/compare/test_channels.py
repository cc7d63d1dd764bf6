"""The channel as the axis under test."""

from __future__ import annotations

from pathlib import Path

from harness.compare import compare
from harness.compare.candidates import contenders
from harness.compare.comparability import axes_between, differences
from tests.compare.test_compare import side
from tests.run.bench import make_world
from tests.run.test_channels import AbleModel, run


def test_two_channels_of_one_model_are_a_pair_that_differs_in_the_channel(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=12)
    run(world, AbleModel(holds=frozenset({"logprob"})), "free", "logprob")
    sides = [side(world.folder.path)]
    a, b = contenders(sides)
    assert axes_between(a, b) == ("channel",)
    assert differences(a, b) == []
    (found,) = compare(sides).comparisons
    assert found.axis == "channel"
    assert {found.a.name, found.b.name} == {"rule emotion/plain", "rule emotion/plain logprob"}
