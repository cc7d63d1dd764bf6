"""A run that asks one part of its plan (`--shard I/N`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.core.errors import HarnessError
from harness.run.folder import RunFolder
from harness.run.numbering import Shard
from harness.run.plan import Plan
from harness.run.prepare import numbered


def shard_counts(plan: Plan, shard: Shard) -> dict[str, int]:
    """Cell id -> trials of a shard."""
    counts = {cell.id: 0 for cell in plan.cells}
    for name, planned in plan.tasks.items():
        for model in dict.fromkeys(cell.model for cell in plan.cells):
            cells = [c for c in plan.cells if c.task == name and c.model == model]
            for _, block, asking in numbered(planned, cells, plan) if cells else ():
                for cell in asking if shard.has(block) else ():
                    counts[cell.id] += plan.repeats
    return counts


def of_shard(plan: Plan, shard: Shard | None, before: Mapping[str, Any], folder: RunFolder) -> Plan:
    """The plan with the counts of one shard; None: the whole run. `before` is the manifest of the run folder.

    Raises HarnessError where the folder holds another part of the run.
    """
    _refuse_other(before, shard, folder)
    return plan if shard is None else replace(plan, counts=shard_counts(plan, shard))


def _refuse_other(before: Mapping[str, Any], shard: Shard | None, folder: RunFolder) -> None:
    """Raise HarnessError where a folder holds another part of a run than `shard`; None: the whole run."""
    held = before.get("shard")
    if not before or held == (None if shard is None else str(shard)):
        return
    raise HarnessError(
        f"{folder.path} holds {_part(held)}, not {_part(shard)}",
        hint="give each shard a folder of its own with --out"
        if shard is not None
        else f"add --shard {held}, or name another folder with --out",
    )


def _part(shard: object) -> str:
    return "a whole run" if shard is None else f"shard {shard}"
