"""Read a distribution over labels: one JSON object of percentages, `{"anger": 10, "happiness": 90}`.

Keys are labels of the field in any spelling it knows, or stand in one object under a single key (`{"emotion": {...}}`);
values are numbers, with or without a percent sign. A label left out has 0. The numbers add up to 100, or to 1 where
none has a percent sign, each allowed to be half a percent off for rounding: sums within half a percent for each label
of the field are brought to 1, all others are off-list, since nobody can say what was meant. So are a number below 0 or
above 100 and a share for what is no label; a label named twice is ambiguous. Text beside numbers (`"reason": "..."`) is
passed over. Where one label has the greatest share it is the answer; where several have, there is no single label
(ambiguous), and the distribution is kept all the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from harness.answers.loose_json import Loose, Node
from harness.answers.normal import NormalizedReply
from harness.answers.table import LabelTable
from harness.answers.verdict import lacking, nothing, wordless
from harness.core.answer import Answer
from harness.core.outcome import Outcome

WHOLE = 100.0
SLACK = 0.5
"""Percent that each label may be off."""
_EXACT = 1e-6
_TIE = 1e-9
_NUMBER = re.compile(r"\s{0,4}(-?\d{1,6}(?:\.\d{1,12})?)\s{0,4}(%|percent)?\s{0,4}", re.ASCII)


def read_percentages(reply: NormalizedReply, objects: Sequence[Node], table: LabelTable) -> Answer:
    """The answer for one label field, with its `shares`. `objects` are those of the reply; the last one counts."""
    quiet = wordless(reply)
    if quiet is not None:
        return quiet
    if not objects:
        return nothing(reply, "percentages/no-object")
    node = _unwrapped(objects[-1], table)
    if not node.closed:
        cut = Outcome.TRUNCATED if reply.truncated else Outcome.UNPARSED
        return lacking(cut, "percentages/incomplete")
    found = _collected(node, table)
    if isinstance(found, Answer):
        return found
    return _of_sum(*found, table) if found[0] else nothing(reply, "percentages/no-label")


def _collected(node: Node, table: LabelTable) -> tuple[dict[str, float], bool] | Answer:
    """Label -> number, and whether any has a percent sign; or why they are not to be had."""
    found: dict[str, float] = {}
    signed = False
    for key, value in node.pairs:
        number = _number(value)
        if number is None:
            continue
        percent, sign = number
        label = table.label(key)
        signed = signed or sign
        if not 0 <= percent <= WHOLE:
            return lacking(Outcome.OFF_LIST, "percentages/out-of-range")
        if label is None and percent > 0:
            return lacking(Outcome.OFF_LIST, "percentages/off-list")
        if label in found:
            return lacking(Outcome.AMBIGUOUS, "percentages/repeated-label")
        if label is not None:
            found[label] = percent
    return found, signed


def _of_sum(found: dict[str, float], signed: bool, table: LabelTable) -> Answer:
    """The verdict on numbers that each make sense, by what they add up to."""
    total = math.fsum(found.values())
    slack = SLACK * len(table.labels)
    if abs(total - WHOLE) <= _EXACT:
        rule = "percentages/exact"
    elif abs(total - WHOLE) <= slack:
        rule = "percentages/rounded"
    elif abs(total - 1) <= slack / WHOLE and not signed:
        rule = "percentages/shares"
    else:
        return lacking(Outcome.OFF_LIST, "percentages/sum")
    shares = tuple((label, found.get(label, 0.0) / total) for label in table.labels)
    top = max(share for _, share in shares)
    best = [label for label, share in shares if share >= top - _TIE]
    if len(best) > 1:
        return Answer(Outcome.AMBIGUOUS, None, "percentages/tied", shares=shares)
    return Answer(Outcome.ANSWERED, best[0], rule, shares=shares)


def _unwrapped(node: Node, table: LabelTable) -> Node:
    """The object inside where it is the only one in there and no label stands beside it."""
    inner = [v for _, v in node.pairs if isinstance(v, Node) and v.is_object]
    if len(inner) == 1 and not any(
        table.label(key) is not None and not isinstance(value, Node) for key, value in node.pairs
    ):
        return inner[0]
    return node


def _number(value: Loose) -> tuple[float, bool] | None:
    """A percentage and whether it has a percent sign; None for what is no number."""
    if isinstance(value, bool) or value is None or isinstance(value, Node):
        return None
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value)
        return None if found is None else (float(found[1]), found[2] is not None)
    number = float(value) if abs(value) <= 10**9 else math.inf
    return (number, False) if not math.isnan(number) else None
