"""Options that say how models are reached, and when a run stops."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.numbers import natural, positive, rate, seconds, share

Arguments = argparse._ActionsContainer
"""A parser, or a group of its options."""


def add_serving(parser: argparse.ArgumentParser, *, planned: bool = False) -> None:
    """How models are reached, and when a run stops; `planned`: for a command that opens no model."""
    said = "as for harness run, whose options can so be planned unchanged; a plan opens no model"
    _add_reach(parser.add_argument_group("how to reach models", said if planned else None))
    _add_replicas(parser.add_argument_group("where models compute", said if planned else None))
    _add_limits(limits := parser.add_argument_group("limits", said if planned else None))
    if not planned:
        limits.add_argument(
            "--again", metavar="N", type=positive,
            help="ask N finished trials of each cell again instead of pending ones, and report how many answers "
            "changed. Scores do not change. One round a day; run the same command again to continue one",
        )  # fmt: skip


def _add_reach(group: Arguments) -> None:
    group.add_argument(
        "--allow-remote", metavar="HOST", action="append", default=[],
        help="allow pictures to be sent to this host. Repeatable. Default: only this machine",
    )  # fmt: skip
    group.add_argument(
        "--key-file", metavar="FILE", type=Path,
        help="file with the API key, readable only by you. Default: the environment variable OPENAI_API_KEY",
    )  # fmt: skip
    group.add_argument(
        "--vllm-arg", metavar="[MODEL=]ARG", action="append", default=[],
        help="for vllm:MODEL, an argument of `vllm serve`, such as --vllm-arg=--tensor-parallel-size=2; for one model "
        "only, such as --vllm-arg vllm:OWNER/NAME=--enforce-eager. Repeatable",
    )  # fmt: skip
    group.add_argument(
        "--vllm-python", metavar="[MODEL=]PYTHON", action="append", default=[],
        help="for vllm:MODEL, the Python interpreter of the environment with vLLM, for all models or for one. "
        "Repeatable. Default: this environment if it has vLLM, otherwise that of the vllm command",
    )  # fmt: skip
    group.add_argument(
        "--adapter", metavar="[MODEL=]PATH", action="append", default=[],
        help="LoRA or other PEFT adapter for affect-tiny, a transformers: or a vllm: model, as a folder or a hub id. 'loso/{fold}': a "
        "folder for each fold of subjects; each subject is asked of the adapter that never saw it. Repeatable",
    )  # fmt: skip
    group.add_argument(
        "--folds", metavar="FILE", type=Path,
        help="folds of the adapters in --adapter 'loso/{fold}', or of the names a server gives them "
        "(openai:NAME-{fold}@URL): folds.json of `harness export TASK --training`. Default: folds.json next to the adapters",
    )  # fmt: skip
    group.add_argument(
        "--trust-remote-code", metavar="MODEL", action="append", default=[],
        help="run the Python code that comes with this model's checkpoint; write MODEL as after --model. Repeatable. "
        "Default: no such code is run",
    )  # fmt: skip
    group.add_argument(
        "--check-model", action="store_true",
        help="open every model, even if no request is left for it; if the model has changed since its replies were "
        "recorded, ask again",
    )  # fmt: skip
    group.add_argument(
        "--batch", action="store_true",
        help="send the requests to openai: models through the server's batch API: half the price, and replies within a "
        "day. Run the same command again to continue; --concurrency is then the size of a batch (default: 5000)",
    )  # fmt: skip
    group.add_argument(
        "--batch-poll", metavar="SECONDS", type=seconds,
        help="with --batch, how often to ask whether a batch has ended. Default: 60",
    )  # fmt: skip


def _add_replicas(group: Arguments) -> None:
    group.add_argument(
        "--replicas", metavar="N", type=positive,
        help="run N replicas of each model that computes here (affect-tiny, transformers:, vllm:, clip:, specialist:), "
        "each in a process of its own. Scores are the same. Default: in this process",
    )  # fmt: skip
    group.add_argument(
        "--on", metavar="PLACE",
        help="where replicas run: processes (this machine), ray (this machine) or ray:HOST:PORT (a Ray cluster; needs "
        "--allow-remote HOST). Default: processes",
    )  # fmt: skip
    group.add_argument(
        "--gpus-per-replica", metavar="K", type=natural,
        help="GPUs of each replica; 0: on the CPU. Default: 1 if there are any",
    )  # fmt: skip


def _add_limits(group: Arguments) -> None:
    group.add_argument(
        "--concurrency", metavar="N", type=positive,
        help="maximum number of requests in flight; lowered automatically when a server is overloaded. "
        "Default: 64 for a server",
    )  # fmt: skip
    group.add_argument(
        "--timeout", metavar="SECONDS", type=seconds,
        help="maximum time to wait for one reply. Default: 120",
    )  # fmt: skip
    group.add_argument(
        "--rpm", metavar="N", type=rate,
        help="maximum number of requests per minute to each server or provider",
    )  # fmt: skip
    group.add_argument(
        "--tpm", metavar="N", type=rate,
        help="maximum number of tokens per minute, prompts and replies together, to each server or provider",
    )  # fmt: skip
    group.add_argument(
        "--give-up-after", metavar="SECONDS", type=seconds,
        help="how long to wait out a server's rate limit without any reply before stopping. Default: 900",
    )  # fmt: skip
    group.add_argument(
        "--max-error-rate", metavar="SHARE", type=share,
        help="stop when more than this share of the last 100 requests failed; 1 never stops. Default: 0.2",
    )  # fmt: skip
    group.add_argument(
        "--max-cost", metavar="AMOUNT",
        help="stop before the replies in the run folder cost more than this, such as 5 or 5EUR; needs the models' "
        "prices. Run the same command with a larger amount to continue",
    )  # fmt: skip
    group.add_argument(
        "--stop-after", metavar="SECONDS", type=seconds,
        help="stop sending requests after this time; run the same command again to continue",
    )  # fmt: skip
