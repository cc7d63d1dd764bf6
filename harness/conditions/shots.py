"""Few-shot examples before the question, as a condition: `shots-4` shows four labelled pictures first.

It stands behind the condition whose pictures are shown (`apex+shots-4`), or alone. Which examples: see
`harness.run.exemplars`.
"""

from __future__ import annotations

import re

from harness.conditions.chain import SIGN, Chain
from harness.conditions.joined import Joined
from harness.conditions.none import NONE
from harness.core.condition import Condition, Disturbing
from harness.core.errors import HarnessError

FORM = "shots-N"
MOST_SHOTS = 64
_SHOTS = re.compile(r"shots-([0-9]{1,3})", re.ASCII)


def split_shots(condition: str) -> tuple[str, int]:
    """The condition without its shots (`none` where nothing is left), and their number, 0 where it names none.

    Raises HarnessError for two numbers, or one out of 1 to MOST_SHOTS.
    """
    parts = condition.split("+")
    found = [part for part in parts if _SHOTS.fullmatch(part)]
    if not found:
        return condition, 0
    shots = int(found[0].removeprefix("shots-"))
    if len(found) > 1 or not 1 <= shots <= MOST_SHOTS:
        raise HarnessError(
            f"condition {condition}: {' and '.join(found)} is not a number of few-shot examples",
            hint=f"use shots-1 to shots-{MOST_SHOTS}; for none, leave it out",
        )
    return "+".join(part for part in parts if part not in found) or "none", shots


def of_examples(condition: Condition) -> Condition:
    """What is done to the pictures of few-shot examples under a condition: what chooses and forms pictures is done
    to them too, so that they look as the sample's do; what disturbs the sample leaves them alone."""
    if isinstance(condition, Joined):
        of_parts = ((part, of_examples(part)) for part in condition.parts)
        kept = tuple(shown for part, shown in of_parts if part is NONE or shown is not NONE)
        if len(kept) == 1:
            return kept[0]
        return Joined("+".join(part.name for part in kept), kept) if kept else NONE
    if isinstance(condition, Chain):
        steps = tuple(part for part in condition.parts if not _disturbs(part))
        if len(steps) == 1:
            return steps[0]
        return Chain(SIGN.join(part.name for part in steps), steps) if steps else NONE
    return NONE if _disturbs(condition) else condition


def _disturbs(condition: Condition) -> bool:
    return isinstance(condition, Disturbing) and condition.sample_alone
