"""Conditions by name."""

from __future__ import annotations

from harness.core.condition import Condition
from harness.core.registry import Registry

CONDITIONS = Registry(
    "condition",
    "harness.conditions",
    {
        "none": "harness.conditions.none:NONE",
        "blank": "harness.conditions.blank:BLANK",
        "apex": "harness.conditions.frames:APEX",
        "onset-apex-offset": "harness.conditions.frames:ONSET_APEX_OFFSET",
    },
)


def load_condition(name: str) -> Condition:
    """The condition of that name. Raises HarnessError listing the names there are."""
    condition: Condition = CONDITIONS.load(name)
    return condition
