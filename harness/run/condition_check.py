"""Whether the conditions of a plan can show any sample at all, found out before anything is asked."""

from __future__ import annotations

from collections.abc import Iterator

from harness.conditions.mixture import mixes
from harness.conditions.registry import load_condition
from harness.conditions.sound import hears
from harness.core.condition import Condition
from harness.core.errors import HarnessError, MediaError
from harness.core.sample import Sample
from harness.run.plan import Plan
from harness.run.planned_task import PlannedTask
from harness.run.presentation import as_shown


def check_conditions(plan: Plan) -> None:
    """Raises HarnessError for a condition that suits no sample of its task, such as `face-crop` where nothing says
    where any face lies.

    Samples are looked at up to the first that it suits, or whose picture is missing or broken: mostly one. Mixtures
    find their partners later.
    """
    for cell in plan.cells:
        if cell.shots and hears(load_condition(cell.condition)):
            raise HarnessError(
                f"condition {cell.condition} cannot be combined with few-shot examples: their sound is not sent",
                hint="leave --shots out, or use --condition picture",
            )
    for task, name in dict.fromkeys((cell.task, cell.condition) for cell in plan.cells):
        condition = load_condition(name)
        if not mixes(condition):
            _check(task, plan.tasks[task], condition)


def _check(name: str, planned: PlannedTask, condition: Condition) -> None:
    first: MediaError | None = None
    for sample in _chosen(planned):
        try:
            as_shown(sample.medium, condition, planned.task)
            return
        except MediaError as error:
            if error.kind != "unsupported":
                return
            first = first or error
    if first is not None:
        raise HarnessError(
            f"condition {condition.name} can show no sample of task {name}; the first: {first.message}",
            hint=first.hint,
        )


def _chosen(planned: PlannedTask) -> Iterator[Sample]:
    chosen = planned.summary.chosen
    return (s for s in planned.every if chosen is None or s.id in chosen)
