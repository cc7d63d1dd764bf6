"""What another package brings is found without a line in this one."""

from __future__ import annotations

from harness.conditions import load_condition
from tests.example import Installed


def test_its_condition_is_listed(example: Installed) -> None:
    listed = example.harness("list", "conditions")
    assert listed.returncode == 0, listed.stderr
    assert "left and right exchanged" in listed.stdout


def test_its_condition_is_found_in_this_process(example_here: Installed) -> None:
    assert load_condition("mirrored").name == "mirrored"
