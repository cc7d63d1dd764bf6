"""What the cells of a plan need of their models."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from harness.conditions.registry import load_condition, needs_video
from harness.conditions.sound import hears
from harness.core.cell import FREE, Cell
from harness.core.constraint import Need
from harness.core.protocol import needs_of
from harness.core.thinking import OFF, thinking_need
from harness.prompting.library import Library
from harness.protocols.registry import load_protocol
from harness.run.answer_constraints import need_of

if TYPE_CHECKING:
    from harness.run.plan import Plan


def needs_of_cells(
    plan: Plan, library: Library, asked: Mapping[str, Collection[tuple[str, ...]]]
) -> dict[str, frozenset[Need]]:
    """Cell id -> what its channel, thinking, tools and condition need; absent where that is nothing.

    `asked` has for each cell the fields that its answers fill, once for each form of sample.
    """
    needs: dict[str, frozenset[Need]] = {}
    for cell in plan.cells:
        found = frozenset[Need]()
        if cell.channel != FREE:
            found |= _of_channel(cell, plan, library, asked.get(cell.id, ()))
        if cell.thinking:
            held = cell.channel != FREE and cell.thinking != OFF
            found |= {thinking_need(cell.thinking)}
            found |= {thinking_need(cell.thinking, held=True)} if held else set()
        if cell.tools:
            found |= _of_calls(cell)
        condition = load_condition(cell.condition)
        if needs_video(condition):
            found |= {"video"}
        if hears(condition):
            found |= {"audio"}
        if found:
            needs[cell.id] = found
    return needs


def _of_calls(cell: Cell) -> frozenset[Need]:
    """What the calls of a cell's tools need. Before a reply that is held to a call most models do not think, so none is
    where thinking is asked for."""
    found = needs_of(load_protocol(cell.protocol))
    return found - {"calls"} if cell.thinking not in {"", OFF} else found


def _of_channel(
    cell: Cell, plan: Plan, library: Library, asked: Collection[tuple[str, ...]]
) -> frozenset[Need]:
    task, prompt = plan.tasks[cell.task].task, plan.prompts[cell.prompt]
    awaited = library.survey(prompt).replies
    return frozenset[Need]().union(
        *(need_of(task, prompt, cell.channel, asks, awaited) for asks in sorted(asked))
    )
