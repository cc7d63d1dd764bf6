"""Options that several commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.numbers import natural, positive, repeats, temperature, tokens

if TYPE_CHECKING:
    from harness.api.options import Evaluation, RunOptions
    from harness.core.source import Source
    from harness.core.task import Task
    from harness.models import ModelSettings
    from harness.run.workspace import Workspace

Arguments = argparse._ActionsContainer
"""A parser, or a group of its options."""
ALLOW_OUTSIDE = "source.allow_outside=true"
"""The change that `--allow-outside` is."""


def add_axes(parser: argparse.ArgumentParser) -> None:
    """What `harness run` asks: tasks, models, prompts, conditions, and how each sample is asked about."""
    parser.add_argument(
        "task", nargs="+", metavar="TASK",
        help="name of a task, or its YAML file; or one YAML file that describes an experiment",
    )  # fmt: skip
    _add_questions(parser.add_argument_group("what to evaluate"))
    _add_manner(parser.add_argument_group("how to ask"))
    _add_price(parser.add_argument_group("cost"))


def _add_questions(group: Arguments) -> None:
    group.add_argument(
        "--model", metavar="MODEL", action="append", default=[],
        help="model to evaluate: affect-tiny, vllm:MODEL, openai:MODEL@URL, transformers:MODEL or "
        "langchain:PROVIDER:MODEL, where MODEL is a name or a path; or a NAME that harness.toml defines in "
        "[models.NAME]. Repeatable. Without a model, only the majority and prior baselines are scored",
    )  # fmt: skip
    group.add_argument(
        "--prompt", metavar="PROMPT", action="append", default=[],
        help="name of a prompt, a pattern such as 'mine/*', or `all` for the task's prompts and your own that "
        "fit it. Repeatable. Default: the task's first prompt",
    )  # fmt: skip
    group.add_argument(
        "--condition", metavar="CONDITION", action="append", default=[],
        help="how samples are shown, such as none, blank or optical-flow; see `harness list conditions`. "
        "Repeatable; only the conditions you name are run. Default: none (samples as they are)",
    )  # fmt: skip
    group.add_argument(
        "--channel", choices=["free", "choice", "logprob"], action="append", default=[],
        help="how the answer is taken. free: parse free text. choice: constrain the reply to the labels, a JSON "
        "schema or a pattern. logprob: take the label with the highest probability, with calibration scores. "
        "Repeatable. Default: the task's own channel, usually free",
    )  # fmt: skip
    add_changes(group)
    group.add_argument(
        "--spots", metavar="FILE|RUN|truth",
        help="for spotting tasks: ask about these intervals instead of windows. A table with the columns video, onset and "
        "offset (frames), and optionally subject, apex and score; a run folder of a spotting task or of `harness baseline "
        "flow`; or truth for the true intervals. Spotting, recognition and STRS are then scored apart",
    )  # fmt: skip
    group.add_argument(
        "--limit", metavar="N", type=positive,
        help="use a seeded random choice of N samples per task instead of all",
    )  # fmt: skip
    group.add_argument(
        "--skip-missing", action="store_true",
        help="leave out tasks whose data folder harness.toml does not define (source.root: ${data.NAME}), and name them, "
        "instead of stopping",
    )  # fmt: skip
    group.add_argument(
        "--preview", metavar="N", type=positive,
        help="ask only N samples per task now, and show the replies side by side; they count as part of the run",
    )  # fmt: skip
    group.add_argument(
        "--exclude", metavar="AXIS=VALUE,...", action="append", default=[],
        help="leave out the cells that match, such as 'model=llama11,prompt=mine/long*'. Repeatable",
    )  # fmt: skip
    group.add_argument(
        "--against", metavar="AXIS=VALUE,...",
        help="the cells to compare all others with, such as prompt=emotion/plain",
    )  # fmt: skip


def _add_manner(group: Arguments) -> None:
    group.add_argument(
        "--protocol", metavar="NAME",
        help="protocol to use instead of the prompt's own: single, describe-then-answer, vote (the --repeats "
        "replies to a sample vote; needs --temperature; ties are ambiguous) or another from `harness list "
        "protocols`",
    )  # fmt: skip
    group.add_argument(
        "--shots", metavar="K", type=natural, action="append", default=[],
        help="number of few-shot examples, for prompts that show them (such as emotion/few-shot-image). Examples "
        "are drawn for each sample, balanced over labels and never from its own subject, from the task's "
        "`exemplars:` if set, otherwise from its samples. Repeatable; 0 shows none. Default: the task's own number",
    )  # fmt: skip
    group.add_argument(
        "--thinking", metavar="LEVEL", action="append", default=[],
        help="how much a model reasons before it answers: off, on, low, medium, high, or a number of tokens. "
        "Repeatable; each level is run with every prompt. A model that cannot be asked for it stops the run. "
        "Default: the model's own default",
    )  # fmt: skip
    group.add_argument(
        "--tools", metavar="TOOLS", action="append", default=[],
        help="tools that a model may use before it answers, joined by + (zoom+measure; see `harness list tools`), or none. "
        "zoom+measure:swap makes them lie, to see whether the model uses what they show: blank, echo, swap, noise=P or "
        "unavailable. zoom:perfect shows the true region whatever box was asked for. Repeatable: an axis. Default: none",
    )  # fmt: skip
    group.add_argument(
        "--second-model", metavar="MODEL",
        help="model whose answer the tool second_opinion gives (--tools zoom+second_opinion); a name as for --model. Its replies "
        "are kept under its own identity",
    )  # fmt: skip
    group.add_argument(
        "--temperature", metavar="T", type=temperature,
        help="sampling temperature, 0 to 10. Default: the model's own setting in harness.toml, otherwise 0 (greedy "
        "decoding)",
    )  # fmt: skip
    group.add_argument(
        "--repeats", metavar="N", type=repeats,
        help="ask about each sample N times, with seeds S, S+1, and so on; use with --temperature. Scores are "
        "means over repeats, and the share of answers that change is reported. Default: 1",
    )  # fmt: skip
    group.add_argument(
        "--max-tokens", metavar="N", type=tokens,
        help="maximum number of tokens in a reply, reasoning included. Default: the prompt's limit, otherwise the "
        "task's",
    )  # fmt: skip
    group.add_argument(
        "--label-order", metavar="ORDER", action="append", default=[],
        help="order in which prompts list the labels: as-written, reversed, rotated-K or shuffled-SEED. "
        "Repeatable; each order is run with every condition. With several orders, the report shows accuracy "
        "under every order and the bias towards each position. Default: as-written",
    )  # fmt: skip
    group.add_argument(
        "--max-images", metavar="[MODEL=]N", action="append", default=[],
        help="maximum number of pictures per request, for one model or for all. Use it for models that were "
        "trained with fewer pictures than they accept (Llama-3.2-Vision: 1). Neighbouring frames are then "
        "combined into one numbered contact sheet. Repeatable",
    )  # fmt: skip
    group.add_argument(
        "--pixels", metavar="N", action="append", default=[],
        help="scale pictures of more than N pixels down before they are sent, such as 0.25MP or 250000; smaller ones "
        "are not enlarged. full: as they are. Repeatable: an axis, compared in pairs",
    )  # fmt: skip
    group.add_argument(
        "--detail", metavar="DETAIL", action="append", default=[],
        help="image detail asked of an OpenAI-like server: low, high or auto. Tested before the run; a server that does "
        "not accept it stops the run. Repeatable: an axis",
    )  # fmt: skip
    group.add_argument("--seed", metavar="S", type=natural, help="random seed. Default: 0")


def _add_price(parser: Arguments) -> None:
    parser.add_argument(
        "--price", metavar="[MODEL=]IN/OUT", action="append", default=[],
        help="price of a million prompt tokens and a million reply tokens, in USD or the currency after it, such as "
        "2.50/10 or 2.50/10EUR; a third number is the price of reasoning tokens. Tables and plans then show costs. "
        "Repeatable",
    )  # fmt: skip


def add_folders(parser: argparse.ArgumentParser) -> None:
    """`--prompts DIR` and `--tasks DIR`."""
    group = parser.add_argument_group("your own prompts and tasks")
    group.add_argument(
        "--prompts", metavar="DIR", action="append", default=[], type=Path,
        help="folder with your own prompts, searched before the built-in ones. Repeatable",
    )  # fmt: skip
    group.add_argument(
        "--tasks", metavar="DIR", action="append", default=[], type=Path, dest="task_folders",
        help="folder with your own tasks, searched before the built-in ones. Repeatable",
    )  # fmt: skip


def add_shard(parser: Arguments) -> None:
    """`--shard I/N`."""
    parser.add_argument(
        "--shard", metavar="I/N",
        help="ask only part I of N, in a folder of its own: for array jobs of a cluster. The samples of a picture are "
        "never separated. `harness merge` makes one run of all N folders",
    )  # fmt: skip


def add_reuse(parser: Arguments) -> None:
    """`--reuse FOLDER`."""
    parser.add_argument(
        "--reuse", metavar="FOLDER", action="append", default=[], type=Path,
        help="another run folder: replies it already has to the same requests (same model, prompt, pictures and "
        "settings) are copied into this run instead of being asked again. Repeatable",
    )  # fmt: skip


def add_changes(parser: Arguments) -> None:
    """`--set field.path=value`."""
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], dest="changes",
        help="override a value of the task file, such as --set source.file=labels.csv. Repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--allow-outside", action="append_const", const=ALLOW_OUTSIDE, dest="changes",
        help="allow a table to name pictures outside its own folder and media.root",
    )  # fmt: skip


def given_changes(args: argparse.Namespace) -> dict[str, object]:
    """The options of `add_changes` as they are written, and whether they were given."""
    return {
        "--set": any(one != ALLOW_OUTSIDE for one in args.changes),
        "--allow-outside": ALLOW_OUTSIDE in args.changes,
    }


def add_id_key(parser: argparse.ArgumentParser) -> None:
    """`--id-key FILE`."""
    parser.add_argument(
        "--id-key", metavar="FILE", type=Path,
        help="file with a secret shared by everyone who compares these exports. Sample names are derived from it "
        "instead of from the data's digest. Required if tables bring their own truth",
    )  # fmt: skip


def workspace(args: argparse.Namespace) -> Workspace:
    """The workspace of the current folder with the folders given."""
    from harness.run.workspace import open_workspace

    return open_workspace(Path.cwd(), prompts=args.prompts, tasks=args.task_folders)


def opened_task(args: argparse.Namespace) -> tuple[Workspace, Task, Source]:
    """The workspace, the task of the argument TASK with the changes given, and its data. Raises HarnessError."""
    from harness.run.data_roots import naming_roots
    from harness.run.task_files import load_task
    from harness.sources import open_source

    place = workspace(args)
    task = load_task(args.task, place, changes=args.changes)
    with naming_roots(task, place.data):
        return place, task, open_source(task.source, fields=task.fields, base=place.here)


def evaluation(args: argparse.Namespace, *, out: Path | None) -> Evaluation:
    """What the arguments of `add_axes` ask for, and those of `add_serving` where the command has them.

    Where the one TASK is an experiment file, the options of the command line are added to it. Without the options of
    `add_serving` nothing may leave this machine.
    """
    from harness.api.options import prepare

    asked, settings = run_options(args, out=out)
    return prepare(asked, command=["harness", *sys.argv[1:]], settings=settings)


_GIVEN = {
    "models": "model", "prompts": "prompt", "conditions": "condition", "channels": "channel",
    "max_images": "max_images", "pixels": "pixels", "details": "detail", "prices": "price",
    "label_orders": "label_order", "shots": "shots", "thinking": "thinking", "tools": "tools", "second_model": "second_model",
    "protocol": "protocol", "repeats": "repeats", "spots": "spots", "limit": "limit", "skip_missing": "skip_missing",
    "preview": "preview", "changes": "changes",
    "name": "name", "prompts_folders": "prompts", "tasks_folders": "task_folders",
    "temperature": "temperature", "seed": "seed", "max_tokens": "max_tokens",
    "allow_remote": "allow_remote", "key_file": "key_file", "vllm_python": "vllm_python", "vllm_args": "vllm_arg",
    "adapters": "adapter", "folds": "folds", "trust_remote_code": "trust_remote_code",
    "concurrency": "concurrency", "timeout": "timeout", "rpm": "rpm", "tpm": "tpm",
    "give_up_after": "give_up_after", "max_error_rate": "max_error_rate",
    "on": "on", "replicas": "replicas", "gpus_per_replica": "gpus_per_replica", "shard": "shard",
    "stop_after": "stop_after", "again": "again", "max_cost": "max_cost", "fit_on": "fit_on", "check_models": "check_model",
    "reuse": "reuse", "batch": "batch", "batch_poll": "batch_poll",
}  # fmt: skip
"""Option of a run -> argument of the command."""


def run_options(
    args: argparse.Namespace, *, out: Path | None
) -> tuple[RunOptions, Mapping[str, ModelSettings]]:
    """The options of the command line and of an experiment file, and the settings of models that the file describes.

    Raises HarnessError where both give the same option.
    """
    from harness.api.experiment import experiment_file, with_experiment
    from harness.api.options import RunOptions, flag

    asked = RunOptions(tasks=tuple(args.task), **_given(args, out))
    path = experiment_file(args.task)
    return (asked, {}) if path is None else with_experiment(path, asked, spelled=flag)


def _given(args: argparse.Namespace, out: Path | None) -> dict[str, Any]:
    """The options given on the command line. The others keep their defaults, or those of a model's own settings."""
    from harness.core.cell_pattern import read_pattern
    from harness.core.thinking import read_thinking

    given: dict[str, Any] = {}
    for name, argument in _GIVEN.items():
        value = getattr(args, argument, None)
        if value is not None and value != [] and value is not False:
            given[name] = tuple(value) if isinstance(value, list) else value
    if out is not None:
        given["out"] = out
    if "thinking" in given:
        given["thinking"] = tuple(map(read_thinking, given["thinking"]))
    if args.exclude:
        given["exclude"] = tuple(read_pattern(one, option="--exclude") for one in args.exclude)
    if args.against:
        given["against"] = read_pattern(args.against, option="--against")
    return given


def tasks(args: argparse.Namespace, names: list[str], place: Workspace) -> list[Task]:
    """The named tasks with `--set` applied."""
    from harness.run.task_files import load_task

    return [load_task(name, place, changes=args.changes) for name in dict.fromkeys(names)]
