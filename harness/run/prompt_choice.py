"""Which prompts of a task a command runs, and under which conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.conditions.presentation import Presentation, read_presentation
from harness.core.cell import AS_WRITTEN
from harness.core.errors import HarnessError
from harness.core.prompt import Prompt
from harness.core.prompt_family import CHAT, NO_PROMPT, PromptFamily, families_in_words
from harness.core.task import Task
from harness.prompting.library import Library
from harness.run.axes import Axes
from harness.run.families import first_prompts

ALL_PROMPTS = "all"
"""Given as a prompt: every prompt the task lists, and those of a person's own folders that fit it."""


def choose_prompts(
    task: Task,
    wanted: Sequence[str],
    library: Library,
    *,
    families: Sequence[PromptFamily] = CHAT,
) -> tuple[Prompt, ...]:
    """The prompts that run on a task: its first of each family, or those asked for that fit it.

    `all` asks for those that the task lists and for all of a person's own that fit; a name may hold `*`, `?` and
    `[...]`. Raises HarnessError where nothing has the name, and when none of those asked for fills a field of the
    task.
    """
    names = [name for word in wanted for name in _named(word, task, library)]
    if "none" in families:  # what such a model is given no --prompt decides
        names.append(NO_PROMPT)
    if not wanted:
        names = [prompt.name for prompt in first_prompts(task, families, library).values()]
    prompts = [library.prompt(name) for name in dict.fromkeys(names)]
    if not prompts:
        raise _no_family(task, families, library)
    fitting = tuple(prompt for prompt in prompts if prompt.head.fills(task.fields))
    if not fitting:
        raise HarnessError(
            f"no requested prompt answers a field of task {task.name} ({', '.join(task.fields)}): "
            + "; ".join(f"{p.name} answers {', '.join(p.head.fields)}" for p in prompts),
            hint=f"use --prompt {task.prompts[0]}, or --prompt all for each task's own",
        )
    return fitting


def _no_family(task: Task, families: Sequence[PromptFamily], library: Library) -> HarnessError:
    """The error for models that take none of the families of a task's prompts."""
    own = dict.fromkeys(library.prompt(name).head.family for name in task.prompts)
    return HarnessError(
        f"task {task.name} has no prompt for the models, which take {families_in_words(families)} alone",
        hint=f"use a model that takes {families_in_words(own)} ({'; '.join(_EXAMPLES[one] for one in own)}), "
        f"or write a prompt of family {families[0]} that answers {', '.join(task.fields)} and name it with --prompt",
    )


_EXAMPLES: Mapping[PromptFamily, str] = {
    "chat": "affect-tiny, openai:MODEL@URL, vllm:MODEL, transformers:MODEL",
    "dual": "clip:MODEL",
    "none": "specialist:fer",
}
"""Family of prompts -> models that take them."""


def _named(word: str, task: Task, library: Library) -> Sequence[str]:
    """The prompts that one `--prompt` names."""
    if word != ALL_PROMPTS:
        return library.matching(word)
    own = [library.prompt(name) for name in library.own_names()]
    return [*task.prompts, *(prompt.name for prompt in own if prompt.head.fills(task.fields))]


def refuse_overruled(axes: Axes, prompts: Sequence[Prompt]) -> None:
    """Raise HarnessError where the command sets for the task what an option or a prompt decides otherwise."""
    given = {"channel": axes.channels, "shots": axes.shots, "max_tokens": axes.max_tokens}
    for key in sorted(axes.changed & {name for name, value in given.items() if value}):
        flag = "--" + key.replace("_", "-")
        raise HarnessError(
            f"--set {key} has no effect together with {flag}",
            hint=f"leave out --set {key} or {flag}",
        )
    limited = [p for p in prompts if p.head.max_tokens is not None]
    if "max_tokens" in axes.changed and limited:
        told = ", ".join(f"{p.name} ({p.head.max_tokens})" for p in limited)
        raise HarnessError(
            f"--set max_tokens has no effect on prompts with their own limit: {told}",
            hint="use --max-tokens N for all prompts, or change max_tokens in the front matter of the prompt",
        )


def conditions_of(
    task: Task, axes: Axes, prompts: Sequence[Prompt], library: Library
) -> dict[str, tuple[Presentation, ...]]:
    """Prompt -> what its samples are shown as: each condition behind every number of few-shot examples asked for.

    A prompt that shows none runs without. Raises HarnessError where none of the prompts shows those asked for.
    """
    numbers = axes.shots or (task.shots,)
    written = [read_presentation(name) for name in axes.conditions]
    # the order of labels is one of chat prompts, which list them
    unordered = [replace(one, label_order=AS_WRITTEN) for one in written]
    set_by_task = "shots" in axes.changed and task.shots > 0
    asked = any(axes.shots) or any(one.shots for one in written) or set_by_task
    showing = {p.name for p in prompts if "exemplars" in library.variables(p)}
    if prompts and asked and not showing:
        raise HarnessError(
            f"task {task.name}: none of the prompts shows few-shot examples: {', '.join(p.name for p in prompts)}",
            hint="use one that does, such as --prompt emotion/few-shot-image, or write "
            "{% for shot in exemplars %} into yours",
        )
    return {
        prompt.name: tuple(
            dict.fromkeys(
                replace(one, shots=shots if prompt.name in showing else 0)
                for one in (written if prompt.head.family == "chat" else unordered)
                for shots in ((one.shots,) if one.shots else numbers)
            )
        )
        for prompt in prompts
    }
