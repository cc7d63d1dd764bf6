"""Which prompts meet which models: a cell needs a prompt of a family that its model takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from harness.answers.outputs import without_output
from harness.core.cell import FREE, Cell, Channel
from harness.core.errors import HarnessError, refuse_unused
from harness.core.kind import kind_of
from harness.core.model import Card
from harness.core.prompt import Prompt
from harness.core.prompt_family import NO_PROMPT, PromptFamily, families_in_words
from harness.core.task import Task
from harness.models import kinds_of, outputs_of
from harness.prompting.library import Library
from harness.run.axes import Axes

if TYPE_CHECKING:
    from harness.run.plan import Plan

OWN_CHANNEL: Channel = "logprob"
"""The channel of models that write no text: they give each label its share and nothing else."""


def families_of(axes: Axes) -> tuple[PromptFamily, ...]:
    """The families that the models take, each once, in the order of the models; `chat` where there is no model."""
    found = (family for model in axes.models for family in axes.families_of(model))
    return tuple(dict.fromkeys(found)) or ("chat",)


def first_prompts(
    task: Task, families: Sequence[PromptFamily], library: Library
) -> dict[PromptFamily, Prompt]:
    """Family -> the first prompt of the task that is of it; families of which the task has none are left out."""
    found: dict[PromptFamily, Prompt] = {}
    for name in (*task.prompts, NO_PROMPT):
        if set(families) <= set(found):
            break
        prompt = library.prompt(name)
        if prompt.head.family in families:
            found.setdefault(prompt.head.family, prompt)
    return found


def suits(prompt: Prompt, model: str, axes: Axes) -> bool:
    """Whether a model takes prompts of this family."""
    return prompt.head.family in axes.families_of(model)


def left_out(task: Task, prompts: Sequence[Prompt], axes: Axes) -> Iterator[str]:
    """A line for each model and family of prompts that do not meet, where prompts were asked for by name, and one for
    each model that is asked otherwise than the command says. Raises HarnessError where no model meets any prompt."""
    named = {name for name in axes.prompts if name != "all"}
    met = {model: [p for p in prompts if suits(p, model, axes)] for model in axes.models}
    if axes.models and not any(met.values()):
        raise HarnessError(
            f"{task.name}: no model takes the prompts "
            f"({', '.join(p.name for p in prompts) or ', '.join(task.prompts)}): "
            + "; ".join(f"{m} takes {families_in_words(axes.families_of(m))}" for m in axes.models),
            hint="choose prompts of that family (harness list prompts), or leave out --prompt",
        )
    for model, suiting in met.items():
        others = [p for p in prompts if p not in suiting and p.head.family != "none"]
        if (named and others) or not suiting:
            told = f" ({', '.join(p.name for p in others)})" if others else ""
            yield (
                f"{task.name}: {model} takes {families_in_words(axes.families_of(model))}; cells with other prompts are "
                f"left out{told}"
                + (
                    ""
                    if suiting
                    else f": none is left for {model}, name a prompt for it with --prompt"
                )
            )
        if "chat" not in axes.families_of(model) and (ignored := _for_chat(axes)):
            yield (
                f"{task.name}: {model} writes no text; {', '.join(ignored)} concern other models"
            )


def refuse_chat_options(axes: Axes) -> None:
    """Raise HarnessError for options of conversations where no model holds one."""
    if not axes.models or "chat" in families_of(axes):
        return
    told = f"with {', '.join(axes.models)}, which write{'s' * (len(axes.models) == 1)} no text"
    given: dict[str, object] = dict.fromkeys(_for_chat(axes), True)
    given |= {"--temperature": axes.temperature or None, "--max-tokens": axes.max_tokens}
    if set(families_of(axes)) == {"none"}:
        given |= {"--prompt": [p for p in axes.prompts if p not in {"all", NO_PROMPT}]}
    refuse_unused(told, given, hint="leave it out, or name a model that takes chat prompts as well")


def check_families(plan: Plan, cards: Mapping[str, Card]) -> None:
    """Raise HarnessError where a model's card names other families than those that its cells were planned with."""
    for cell in plan.cells:
        family, taken = plan.prompts[cell.prompt].head.family, cards[cell.model].families
        if family not in taken:
            raise HarnessError(
                f"{cell.model} takes {families_in_words(taken)}, and was planned with {cell.prompt} (family: {family})",
                hint="a package that brings such a model says so before it is opened: give its entry point the "
                f"attribute `families = {taken!r}`",
            )


def answerable(
    cells: Sequence[Cell], task: Task, prompts: Mapping[str, Prompt], axes: Axes
) -> tuple[list[Cell], list[str]]:
    """The cells of a task whose models have an output for every label, and a line for each model that has not."""
    kept, lines = [], []
    for cell in cells:
        written = axes.settings_of(cell.model).model
        prompt = prompts[cell.prompt]
        lacking = _other_kind(cell, task, prompt, kinds_of(written)) or _lacking(
            cell, task, prompt, outputs_of(written)
        )
        if lacking:
            lines.append(f"{lacking}; left out")
        else:
            kept.append(cell)
    return kept, list(dict.fromkeys(lines))


def check_outputs(plan: Plan, cards: Mapping[str, Card]) -> None:
    """Raise HarnessError where a model with a fixed set of outputs has none for a label that it would be asked for."""
    for cell in plan.cells:
        task, prompt = plan.tasks[cell.task].task, plan.prompts[cell.prompt]
        card = cards[cell.model]
        lacking = _other_kind(cell, task, prompt, card.kinds) or _lacking(
            cell, task, prompt, card.labels
        )
        if lacking:
            raise HarnessError(lacking, hint=NO_OUTPUT)


NO_OUTPUT = "choose a task whose labels it has, or leave it out of this one"


def _other_kind(cell: Cell, task: Task, prompt: Prompt, kinds: Sequence[str]) -> str:
    """What a model of these kinds of fields cannot be asked in a cell; empty where it can, or answers any."""
    for name in prompt.head.fills(task.fields) if kinds else ():
        if task.fields[name].kind not in kinds:
            return (
                f"{cell.model} answers fields of kind {' and '.join(kinds)} alone, and {task.name} asks for {name} of "
                f"kind {task.fields[name].kind}"
            )
    return ""


def _lacking(cell: Cell, task: Task, prompt: Prompt, outputs: Sequence[str]) -> str:
    """What a model of these outputs cannot be asked in a cell; empty where it can, or has no fixed outputs."""
    for name in prompt.head.fills(task.fields) if outputs else ():
        labels = kind_of(task.fields[name]).candidates(task.fields[name])
        if not labels:
            return (
                f"{cell.model} has no output for {name}, which {task.name} asks for and which has no list of labels "
                f"(its outputs: {', '.join(outputs)})"
            )
        missing = without_output(labels, outputs)
        if missing:
            return (
                f"{cell.model} has no output for {', '.join(missing)}, which {task.name} asks for in {name} "
                f"(its outputs: {', '.join(outputs)})"
            )
    return ""


def _for_chat(axes: Axes) -> list[str]:
    """The options given that say how a conversation is held."""
    given = {
        "--channel": set(axes.channels) - {OWN_CHANNEL},
        "--label-order": any("label-order:" in name for name in axes.conditions),
        "--shots": any(axes.shots) or any("shots-" in name for name in axes.conditions),
        "--thinking": axes.thinking,
        "--tools": any(axes.tools),
        "--protocol": axes.protocol,
    }
    return [name for name, value in given.items() if value]


def channels_for(prompt: Prompt, task: Task, axes: Axes) -> tuple[Channel, ...]:
    """The channels on which a prompt's cells are asked."""
    if prompt.head.family == "none" and not _listed(prompt, task):
        return (FREE,)  # a number, which has no list of answers
    if prompt.head.family != "chat":
        return (OWN_CHANNEL,)
    return axes.channels or (task.channel,)


def _listed(prompt: Prompt, task: Task) -> bool:
    """Whether the answers to every field that a prompt asks for can be listed."""
    specs = [task.fields[name] for name in prompt.head.fills(task.fields)]
    # labels that are still a name, such as from-data, are a list once the data are read
    return all(isinstance(spec.labels, str) or kind_of(spec).candidates(spec) for spec in specs)
