"""The order in which a prompt lists the labels, as a condition: `label-order:reversed`.

Whoever answers with the first label of a list answers by its place. An order stands behind the condition whose
pictures are shown (`blank+label-order:rotated-1`), or alone, where these are as the task shows them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from harness.core.cell import AS_WRITTEN
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.task import Task

PREFIX = "label-order:"
ORDERS = "as-written, reversed, rotated-K, shuffled-SEED"
_NUMBERED = re.compile(r"(rotated|shuffled)-([0-9]{1,9})", re.ASCII)


def split_order(condition: str) -> tuple[str, str]:
    """The condition without its label order (`none` where nothing is left), and the order."""
    before, found, order = condition.rpartition(PREFIX)
    if not found or (before and not before.endswith("+")):
        return condition, AS_WRITTEN
    return before.removesuffix("+") or "none", order


def ordered(labels: Sequence[str], order: str) -> tuple[str, ...]:
    """The labels in an order: as-written, reversed, rotated-K (the first K put last), shuffled-SEED.

    A shuffle sorts by SHA-256 of seed and label: the same labels come the same way, whatever the list they stood
    in. Raises HarnessError for another order.
    """
    if order == AS_WRITTEN:
        return tuple(labels)
    if order == "reversed":
        return tuple(reversed(labels))
    found = _NUMBERED.fullmatch(order)
    if found is None:
        raise HarnessError(f"unknown label order {order!r}", hint=f"choose one of: {ORDERS}")
    number = int(found[2])
    if found[1] == "rotated":
        places = number % len(labels) if labels else 0
        return (*labels[places:], *labels[:places])

    def drawn(label: str) -> str:
        return hashlib.sha256(f"{number}\x1f{label}".encode("utf-8", "surrogatepass")).hexdigest()

    return tuple(sorted(labels, key=drawn))


def in_order(task: Task, order: str) -> Task:
    """The task with the labels of its label fields in an order: as prompts list them, and for whoever reads option
    letters out of a reply."""
    if order == AS_WRITTEN:
        return task
    return task.model_copy(update={"fields": _fields(task.fields, order)})


def _fields(fields: Mapping[str, FieldSpec], order: str) -> dict[str, FieldSpec]:
    return {
        name: spec.model_copy(update={"labels": ordered(spec.classes, order)})
        if spec.one_label
        else spec
        for name, spec in fields.items()
    }
