"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api.options import Evaluation
    from harness.core.task import Task
    from harness.run.workspace import Workspace


def add_axes(parser: argparse.ArgumentParser) -> None:
    """What `harness run` asks: tasks, models, prompts, conditions, a limit, changes, folders."""
    parser.add_argument("task", nargs="+", metavar="TASK", help="a task's name or YAML file")
    parser.add_argument(
        "--model", metavar="M", action="append", default=[],
        help="affect-tiny, transformers:PATH_OR_ID, vllm:PATH_OR_ID, openai:MODEL@URL, "
        "langchain:PROVIDER:MODEL, or NAME of a [models.NAME] in harness.toml (repeatable); "
        "without one only the baselines majority and prior are scored",
    )  # fmt: skip
    parser.add_argument(
        "--prompt", metavar="P", action="append", default=[],
        help="a prompt's name, a pattern ('mine/*'), or `all`: those the task lists and your own that fit it "
        "(repeatable); default: the task's first",
    )  # fmt: skip
    parser.add_argument(
        "--condition", metavar="C", action="append", default=[],
        help="none (default), blank, ... (repeatable): exactly those named are run",
    )  # fmt: skip
    parser.add_argument(
        "--channel", choices=["free", "choice", "logprob"], action="append", default=[],
        help="how answers are taken: free (read from free text), choice (the reply is held to the labels, a JSON "
        "schema or a pattern), logprob (the label with the greatest probability, with calibration); "
        "repeatable; default: the task's own, which is free unless it says otherwise",
    )  # fmt: skip
    parser.add_argument(
        "--max-images", metavar="[MODEL=]N", action="append", default=[],
        help="the most pictures that one request to MODEL (to any model) may hold, for models that take more than "
        "they were trained with (Llama-3.2-Vision: 1); neighbouring frames become one numbered contact sheet "
        "(repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--limit", metavar="N", type=positive,
        help="a seeded random choice of N samples of each task instead of all",
    )  # fmt: skip
    parser.add_argument(
        "--label-order", metavar="O", action="append", default=[],
        help="the order in which prompts list the labels: as-written (default), reversed, rotated-K, shuffled-SEED; "
        "repeatable, each with every condition; with several, right under all and the pull of each place are told",
    )  # fmt: skip
    parser.add_argument(
        "--shots", metavar="K", type=natural, action="append", default=[],
        help="K worked examples first, pictures with their answers, for prompts that show them (emotion/few-shot-image); "
        "drawn anew for each sample, balanced over labels, never of its own subject, from what the task names under "
        "exemplars:, else from its samples; repeatable (0: none); default: the task's own",
    )  # fmt: skip
    _add_asking(parser)
    add_changes(parser)
    add_folders(parser)


def _add_asking(parser: argparse.ArgumentParser) -> None:
    """How replies are drawn, and how often."""
    parser.add_argument(
        "--thinking", metavar="T", action="append", default=[],
        help="how much a model is to think before it answers: off, on, low, medium, high, or a number of tokens; an axis "
        "like prompts (repeatable); how a server wants that asked is tried first, and one that cannot stops the run",
    )  # fmt: skip
    parser.add_argument(
        "--repeats", metavar="N", type=positive, default=1,
        help="ask about each sample N times, with the seeds S, S+1, ...; scores are means over them, and how many "
        "answers change is told (with --temperature)",
    )  # fmt: skip
    parser.add_argument(
        "--protocol", metavar="NAME",
        help="how a sample becomes an answer, in place of what prompts say: single, describe-then-answer, vote (the "
        "--repeats replies to a sample vote, which needs a --temperature; ties are ambiguous), or another of "
        "`harness list protocols`",
    )  # fmt: skip
    parser.add_argument(
        "--temperature", metavar="T", type=_temperature,
        help="draw replies at this temperature; default 0: the likeliest word each time",
    )  # fmt: skip
    parser.add_argument(
        "--max-tokens", metavar="N", type=positive,
        help="most tokens of a reply, its reasoning included, for all prompts; default: each prompt's own limit, "
        "else the task's",
    )  # fmt: skip
    parser.add_argument("--seed", metavar="S", type=int, help="seed of everything drawn (0)")
    _add_price(parser)


def _add_price(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--price", metavar="[MODEL=]IN/OUT", action="append", default=[],
        help="what a million tokens of prompts and of replies cost, in USD or the currency behind it (2.50/10, "
        "2.50/10EUR; a third number: reasoning): tables and plans then show money (repeatable)",
    )  # fmt: skip


def add_serving(parser: argparse.ArgumentParser) -> None:
    """How models are reached, and when a run gives up."""
    parser.add_argument(
        "--allow-remote", metavar="HOST", action="append", default=[],
        help="let pictures leave this machine for this host (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--key-file", metavar="PATH", type=Path,
        help="file that holds a server's key and that you alone may read; default: OPENAI_API_KEY",
    )  # fmt: skip
    parser.add_argument(
        "--vllm-python", metavar="[MODEL=]PYTHON", action="append", default=[],
        help="for vllm:MODEL, the python of the environment that holds vLLM, of any version; default: this one's, "
        "else that of the command vllm. With MODEL= for that model alone (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--vllm-arg", metavar="[MODEL=]ARG", action="append", default=[],
        help="for vllm:MODEL, an argument of `vllm serve`, as in --vllm-arg=--tensor-parallel-size=2; with MODEL= for "
        "that model alone, as in --vllm-arg vllm:OWNER/NAME=--enforce-eager (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--adapter", metavar="[MODEL=]PATH", action="append", default=[],
        help="a LoRA or other PEFT adapter to put upon a transformers: or vllm: model, a folder or a hub id "
        "(repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--trust-remote-code", metavar="MODEL", action="append", default=[],
        help="run the code that this model's checkpoint brings along, written as after --model (repeatable); "
        "no other model's code is run",
    )  # fmt: skip
    parser.add_argument(
        "--concurrency", metavar="N", type=positive,
        help="most requests in flight (64 for a server); fewer where it shows that it bears no more",
    )  # fmt: skip
    parser.add_argument(
        "--timeout", metavar="S", type=_seconds, help="longest wait for one reply (120)"
    )
    parser.add_argument(
        "--rpm", metavar="N", type=_rate, help="most requests a minute to each server or provider"
    )
    parser.add_argument(
        "--tpm", metavar="N", type=_rate,
        help="most tokens a minute, of conversations and replies together, to each server or provider",
    )  # fmt: skip
    parser.add_argument(
        "--give-up-after", metavar="S", type=_seconds,
        help="a rate limit of a server is waited out; give up after this many seconds without a reply (900)",
    )  # fmt: skip
    parser.add_argument(
        "--max-error-rate", metavar="R", type=_share, default=0.2,
        help="stop when more than this share of the last 100 requests failed (0.2); 1 never stops",
    )  # fmt: skip
    parser.add_argument(
        "--max-cost", metavar="AMOUNT",
        help="stop before the replies in the run folder cost more than this, by the prices of the models (5, or 5EUR); "
        "the same command with a larger amount goes on",
    )  # fmt: skip
    parser.add_argument(
        "--check-model", action="store_true",
        help="open also a model of which nothing is left to ask, and ask again where it is another than the one recorded",
    )  # fmt: skip
    parser.add_argument(
        "--stop-after", metavar="S", type=_seconds,
        help="stop asking after this many seconds; the same command goes on from there",
    )  # fmt: skip


def _temperature(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 10:
        raise argparse.ArgumentTypeError(f"{text} is not a temperature from 0 to 10")
    return number


def positive(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number


def natural(text: str) -> int:
    """A whole number of at least 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return number


def _rate(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number a minute above 0")
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share from 0 to 1")
    return number


def add_folders(parser: argparse.ArgumentParser) -> None:
    """`--prompts DIR` and `--tasks DIR`."""
    parser.add_argument(
        "--prompts", metavar="DIR", action="append", default=[], type=Path,
        help="folder of your own prompts, searched before the shipped ones (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--tasks", metavar="DIR", action="append", default=[], type=Path, dest="task_folders",
        help="folder of your own tasks, searched before the shipped ones (repeatable)",
    )  # fmt: skip


def add_changes(parser: argparse.ArgumentParser) -> None:
    """`--set field.path=value`."""
    parser.add_argument(
        "--set", metavar="FIELD.PATH=VALUE", action="append", default=[], dest="changes",
        help="change a value of the task file, e.g. --set source.file=labels.csv (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--allow-outside", action="append_const", const="source.allow_outside=true", dest="changes",
        help="let a table name pictures outside its own folder and media.root",
    )  # fmt: skip


def add_id_key(parser: argparse.ArgumentParser) -> None:
    """`--id-key FILE`."""
    parser.add_argument(
        "--id-key", metavar="FILE", type=Path,
        help="a secret that those who want to compare exports share; samples are named with it in place of "
        "the data's digest (needed where tables bring truths of their own)",
    )  # fmt: skip


def workspace(args: argparse.Namespace) -> Workspace:
    """The workspace of the current folder with the folders given."""
    from harness.run.workspace import open_workspace

    return open_workspace(Path.cwd(), prompts=args.prompts, tasks=args.task_folders)


def evaluation(args: argparse.Namespace, *, out: Path | None) -> Evaluation:
    """What the arguments of `add_axes` ask for, and those of `add_serving` where the command has them.

    Without these nothing may leave this machine.
    """
    from harness.api.options import RunOptions, prepare
    from harness.core.thinking import read_thinking

    serving = {
        "allow_remote": "allow_remote", "key_file": "key_file", "vllm_python": "vllm_python", "vllm_args": "vllm_arg",
        "adapters": "adapter", "trust_remote_code": "trust_remote_code",
        "concurrency": "concurrency", "timeout": "timeout", "rpm": "rpm", "tpm": "tpm",
        "give_up_after": "give_up_after", "max_error_rate": "max_error_rate",
        "stop_after": "stop_after", "max_cost": "max_cost", "fit_on": "fit_on", "check_models": "check_model",
    }  # fmt: skip
    asked = RunOptions(
        tasks=tuple(args.task),
        models=tuple(args.model),
        prompts=tuple(args.prompt),
        conditions=tuple(args.condition),
        channels=tuple(args.channel),
        max_images=tuple(args.max_images),
        prices=tuple(args.price),
        label_orders=tuple(args.label_order),
        shots=tuple(args.shots),
        thinking=tuple(map(read_thinking, args.thinking)),
        protocol=args.protocol,
        repeats=args.repeats,
        limit=args.limit,
        changes=tuple(args.changes),
        prompts_folders=tuple(args.prompts),
        tasks_folders=tuple(args.task_folders),
        out=out,
        **{name: getattr(args, flag) for name, flag in serving.items() if hasattr(args, flag)},
        **_asked_sampling(args),
    )
    return prepare(asked, command=["harness", *sys.argv[1:]])


def _asked_sampling(args: argparse.Namespace) -> dict[str, Any]:
    """Options that win over a model's own settings where they are given."""
    named = ("temperature", "seed", "max_tokens")
    return {name: value for name in named if (value := getattr(args, name)) is not None}


def tasks(args: argparse.Namespace, names: list[str], place: Workspace) -> list[Task]:
    """The named tasks with `--set` applied."""
    from harness.run.task_files import load_task

    return [load_task(name, place, changes=args.changes) for name in dict.fromkeys(names)]
