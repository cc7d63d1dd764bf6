"""Find problems of a plan's prompts before the first request."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from harness.conditions.registry import load_condition
from harness.core.cell import Cell
from harness.core.condition import variables_of
from harness.core.message import Image
from harness.core.prompt import Prompt
from harness.prompting.faults import PromptError
from harness.prompting.library import Library
from harness.prompting.variables import PROMPT_VARIABLES, made_up_examples
from harness.run.plan import Plan
from harness.run.prepare import prompt_variables, second_variable

_COUNTS = (1, 2, 16)
"""Pictures of a made-up sample; a prompt may want several."""


def check_prompts(plan: Plan, library: Library) -> None:
    """Raises PromptError (file, line, hint) for a prompt that uses a variable that no prompt has, and for one that
    cannot be rendered for samples that the task holds.

    Each is rendered up to its first reply with the fields and a question of the task, and with made-up pictures. What
    depends on the pictures of one sample shows only when that one is rendered.
    """
    for prompt in plan.prompts.values():
        _refuse_unknown(prompt, library)
    tried: set[tuple[Any, ...]] = set()
    for cell in plan.cells:
        prompt = plan.prompts[cell.prompt]
        for asked, question in plan.tasks[cell.task].summary.forms:
            asks = prompt.head.fills(asked)
            form = (cell.task, cell.prompt, cell.condition, bool(cell.shots), asks, question)
            if asks and form not in tried:
                tried.add(form)
                _try(cell, plan, library, asks=asks, question=question)


def _refuse_unknown(prompt: Prompt, library: Library) -> None:
    """Raises PromptError for a variable that no prompt has, unless the prompt asks whether it is defined."""
    found = library.survey(prompt)
    for name in sorted(found.variables - PROMPT_VARIABLES.keys() - found.optional):
        file, line = found.place(name)
        known = [*PROMPT_VARIABLES, *found.replies]
        near = difflib.get_close_matches(name, known, n=1)
        raise PromptError(
            file,
            line,
            f"unknown variable {name}",
            hint=f"did you mean {near[0]}?" if near else f"variables: {', '.join(known)}",
        )


def _try(
    cell: Cell, plan: Plan, library: Library, *, asks: Sequence[str], question: str | None
) -> None:
    """Render with made-up pictures; the first error counts where no number of them helps."""
    task, prompt = plan.tasks[cell.task].task, plan.prompts[cell.prompt]
    variables: dict[str, object] = {
        **prompt_variables(task, asks, question=question),
        **variables_of(load_condition(cell.condition)),
    }
    if cell.shots:
        fields = {name: task.fields[name] for name in asks}
        variables["exemplars"] = made_up_examples(fields, cell.shots)
    first: PromptError | None = None
    for count in _COUNTS:
        pictures = [Image(f"picture {k}", b"picture %d" % k) for k in range(count)]
        for second in ({}, second_variable(pictures[:1])):
            try:
                library.render(prompt, variables={**variables, **second}, pictures=pictures)
                return
            except PromptError as error:
                first = first or error
    if first is not None:
        raise PromptError(
            first.file,
            first.line,
            f"{first.fault}, for samples of task {cell.task} under the condition {cell.condition}",
            hint="the samples of this task have no question of their own; choose another prompt"
            if question is None and "'question'" in first.fault
            else first.hint,
        )
