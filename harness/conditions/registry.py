"""Conditions by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.conditions.cue import FORM, PREFIX, cue_condition
from harness.conditions.family import Family
from harness.conditions.joined import Joined
from harness.conditions.label_order import AS_WRITTEN, Ordered, ordered, split_order
from harness.core.condition import Condition
from harness.core.errors import HarnessError
from harness.core.registry import Registry

CONDITIONS = Registry(
    "condition",
    "harness.conditions",
    {
        "none": "harness.conditions.none:NONE",
        "blank": "harness.conditions.blank:BLANK",
        "all": "harness.conditions.frames:ALL",
        "apex": "harness.conditions.frames:APEX",
        "onset-apex-offset": "harness.conditions.frames:ONSET_APEX_OFFSET",
        "uniform-N": "harness.conditions.frames:UNIFORM",
        "around-apex-N": "harness.conditions.frames:AROUND_APEX",
        "contact-sheet": "harness.conditions.sheet:CONTACT_SHEET",
        "contact-sheet-N": "harness.conditions.sheet:SHEET_OF",
        "difference": "harness.conditions.motion:DIFFERENCE",
        "optical-flow": "harness.conditions.motion:OPTICAL_FLOW",
        "optical-flow-tvl1": "harness.conditions.motion:OPTICAL_FLOW_TVL1",
        "magnified-N": "harness.conditions.motion:MAGNIFIED",
    },
)
"""Name -> a Condition; a name that ends in `-N` -> a Family of them, one for each number."""

_NUMBERED = re.compile(r"(.+)-([0-9]{1,6}(?:\.[0-9]{1,3})?)", re.ASCII)


def load_condition(name: str) -> Condition:
    """The condition of that name: registered, one of a family (`uniform-8`), several joined by `+`, or any with a label
    order behind it (`label-order:reversed`).

    Raises HarnessError listing the names there are.
    """
    shown, order = split_order(name)
    if order != AS_WRITTEN:
        ordered((), order)
        return Ordered(name, load_condition(shown), order)
    if name.startswith(PREFIX):
        return cue_condition(name)
    if "+" in name:
        return Joined(name, tuple(load_condition(part) for part in name.split("+")))
    if name == "video":
        raise HarnessError(
            "no model adapter sends a clip as video, so there is no condition called 'video'",
            mend="show frames in place of it: uniform-16, all, contact-sheet-9",
        )
    numbered = _NUMBERED.fullmatch(name)
    if numbered and f"{numbered[1]}-N" in CONDITIONS.names():
        family: Family = CONDITIONS.load(f"{numbered[1]}-N")
        return family.of(name, float(numbered[2]))
    found: Condition | Family = CONDITIONS.load(name)
    if isinstance(found, Family):
        raise HarnessError(
            f"condition {name}: N is a number to fill in", mend=found.description.split(": ")[-1]
        )
    return found


def describe_conditions() -> Iterator[tuple[str, str]]:
    """Name and one line of each condition and family."""
    yield FORM, "one cue of a drawn face changed, all else equal: cue:teeth_visible=yes"
    for name in CONDITIONS.names():
        yield name, str(getattr(CONDITIONS.load(name), "description", ""))
