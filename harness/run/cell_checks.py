"""Whether the cells of a plan can have the tools, regions and thinking that they ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from harness.core.cell import Cell
from harness.core.prompt import Prompt
from harness.run.axes import Axes, sampling_for
from harness.run.basis import tool_settings
from harness.run.thinking_check import check_thinking
from harness.run.tools_check import check_regions, check_tools

if TYPE_CHECKING:
    from harness.run.planned_task import PlannedTask


def check_cells(
    cells: Iterable[Cell],
    planned: Mapping[str, PlannedTask],
    prompts: Mapping[str, Prompt],
    axes: Axes,
) -> None:
    """Raise HarnessError for tools, regions or thinking that a cell cannot have."""
    for cell in cells:
        task = planned[cell.task]
        check_tools(cell, tool_settings(cell) if cell.tools else {})
        check_regions(cell, task.source)
        check_thinking(cell, sampling_for(task.task, prompts[cell.prompt], axes, cell.model))
