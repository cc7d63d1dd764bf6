"""`harness show`: show one sample of a task with the exact messages a model would get."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from harness.cli.numbers import natural
from harness.cli.options import add_changes, add_folders, tasks, workspace

if TYPE_CHECKING:
    from harness.conditions.presentation import Presentation
    from harness.core.prompt import Prompt
    from harness.core.sample import Sample
    from harness.core.task import Task
    from harness.prompting.library import Library
    from harness.run.exemplars import ExamplePool
    from harness.run.mix_pairing import Partners


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness show`."""
    parser.add_argument("task", metavar="TASK", help="name of a task, or its YAML file")
    parser.add_argument(
        "--prompt", metavar="PROMPT", action="append", default=[],
        help="name of a prompt, a pattern such as 'mine/*', or `all` for the task's prompts and your own that "
        "fit it. Repeatable. Default: the task's first prompt",
    )  # fmt: skip
    parser.add_argument(
        "--condition", metavar="CONDITION", default="none",
        help="how the sample is shown; see `harness list conditions`. Default: none (as it is)",
    )  # fmt: skip
    parser.add_argument(
        "--shots", metavar="K", type=natural,
        help="number of few-shot examples, for prompts that show them. Default: the task's own number",
    )  # fmt: skip
    parser.add_argument(
        "--protocol", metavar="NAME",
        help="protocol to use instead of the prompt's own; see `harness list protocols`",
    )  # fmt: skip
    parser.add_argument(
        "--tools", metavar="TOOLS", default="none",
        help="tools that the model may use, such as zoom+measure; see `harness list tools`. Default: none",
    )  # fmt: skip
    parser.add_argument("--sample", metavar="ID", help="show this sample. Default: the first")
    parser.add_argument(
        "--each", metavar="ANNOTATION",
        help="show the first sample for each value of an annotation, such as --each question_kind",
    )  # fmt: skip
    add_changes(parser)
    add_folders(parser)


def execute(args: argparse.Namespace) -> int:
    """Print pictures, targets and messages. Reads the source, asks no model."""
    from harness.conditions.mixture import mixes
    from harness.enhancers.settings import settings_of
    from harness.prompting.library import Library
    from harness.run.axes import Axes
    from harness.run.exemplars import read_pool
    from harness.run.mix_pairing import Partners
    from harness.run.preview import with_labels
    from harness.run.prompt_choice import choose_prompts, conditions_of
    from harness.run.tools_check import offered_tools, protocol_with

    place = workspace(args)
    settings_of([args.condition], place.enhancers)
    (task,) = tasks(args, [args.task], place)
    library = Library(place.prompts)
    prompts = choose_prompts(task, args.prompt, library)
    offered = offered_tools([args.tools], args.protocol)[0]
    protocols = {
        one.name: protocol_with(args.protocol or one.head.protocol, offered) for one in prompts
    }
    requests = _requests(prompts, library, protocols)
    task, source = with_labels(task, here=place.here)
    shots = () if args.shots is None else (args.shots,)
    axes = Axes(models=(), conditions=(args.condition,), shots=shots)
    shown = {name: one for name, (one,) in conditions_of(task, axes, prompts, library).items()}
    pool = None
    if any(one.shots for one in shown.values()):
        pool = read_pool(task, seed=0, here=place.here)
    mixing = any(mixes(one.load()) for one in shown.values())
    pairs = Partners(task, source, seed=0) if mixing else None
    for sample in _choose(source, args):
        _show(
            sample,
            task,
            prompts,
            library,
            conditions=shown,
            protocols=protocols,
            requests=requests,
            tools=args.tools,
            pool=pool,
            pairs=pairs,
        )
    return 0


def _requests(
    prompts: tuple[Prompt, ...], library: Library, protocols: Mapping[str, str]
) -> dict[str, str]:
    """Prompt -> its protocol, and how many requests that makes. Raises HarnessError where it cannot run the prompt."""
    from harness.protocols.registry import load_protocol
    from harness.run.request_count import count_for

    found = {}
    for prompt in prompts:
        name = protocols[prompt.name]
        requests = count_for(load_protocol(name), prompt, library)
        found[prompt.name] = f"{name}, {requests} request{'s' if requests > 1 else ''}"
    return found


def _choose(source: object, args: argparse.Namespace) -> Iterator[Sample]:
    from harness.core.errors import HarnessError

    seen: set[str] = set()
    for sample in source:  # type: ignore[attr-defined]
        if args.sample is not None and sample.id != args.sample:
            continue
        value = str(sample.annotations.get(args.each)) if args.each else ""
        if value in seen:
            continue
        seen.add(value)
        yield sample
        if not args.each:
            return
    if not seen:
        wanted = f"sample {args.sample!r}" if args.sample else "sample"
        raise HarnessError(
            f"the source has no {wanted}", hint="leave out --sample to see the first one"
        )


def _show(
    sample: Sample,
    task: Task,
    prompts: tuple[Prompt, ...],
    library: Library,
    *,
    conditions: Mapping[str, Presentation],
    protocols: Mapping[str, str],
    requests: Mapping[str, str],
    tools: str,
    pool: ExamplePool | None,
    pairs: Partners | None,
) -> None:
    from harness.run.preview import preview
    from harness.run.toolboxes import turns_with_tools

    _say(f"sample    {sample.id}")
    for name, value in sample.targets.items():
        _say(f"target    {name}: {', '.join(value) if isinstance(value, tuple) else value}")
    for prompt in prompts:
        condition = conditions[prompt.name]
        view = preview(sample, task, prompt, library, condition, pool=pool, pairs=pairs)
        if view is None:
            _say(f"\nprompt    {prompt.name}: answers none of the fields this sample asks for")
            continue
        _say(f"\nprompt    {prompt.name} ({requests[prompt.name]})  condition {condition.name}")
        for number, (word, line) in enumerate(view.shown, 1):
            _say(f"{word} {number}   {line}")
        if view.record is not None:
            changes = ", ".join(map(str, view.record["changes"])) or "as they are"
            if "frames" in view.record:
                _say(f"frames    {', '.join(map(str, view.record['frames']))}  ({changes})")
            else:
                _say(f"changed   {changes}")
        for role, text in turns_with_tools(view.turns, tools, protocols[prompt.name]):
            _say(f"--- {role}\n{text}")
        if view.awaiting:
            _say(f"--- assistant\n(the model replies here; its text becomes `{view.awaiting}`)")
    print()


def _say(text: str) -> None:
    """Print text that may come from a data set: without control characters."""
    from harness.analyses.words import visible

    print("\n".join(visible(line) for line in text.split("\n")))
