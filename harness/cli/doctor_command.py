"""`harness doctor`: check the installation, or one model, with a hint for each problem."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.cli.options import add_folders, workspace

if TYPE_CHECKING:
    from harness.run.doctor import Check


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness doctor`."""
    add_folders(parser)
    parser.add_argument(
        "--model", metavar="M", action="append", default=[],
        help="check this model instead: vllm:PATH_OR_ID, transformers:PATH_OR_ID, a model whose files are on this machine, or a "
        "NAME from harness.toml. Says which "
        "vLLM and transformers it needs, whether it fits into memory, and which command to type. Repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--vllm-python", metavar="[MODEL=]PYTHON", action="append", default=[],
        help="Python interpreter of the environment with vLLM",
    )  # fmt: skip
    parser.add_argument(
        "--vllm-arg", metavar="[MODEL=]ARG", action="append", default=[],
        help="with --model: an argument for `vllm serve`. Repeatable",
    )  # fmt: skip


def execute(args: argparse.Namespace) -> int:
    """Print one line per check; returns 1 if a required one fails, or a model cannot be run."""
    failed = False
    for check in _of_models(args) if args.model else _of_installation(args):
        print(f"{check.mark:5}{check.what}")
        if check.hint:
            print(f"     hint: {check.hint}")
        failed = failed or check.mark == "BAD"
    return 1 if failed else 0


def _of_installation(args: argparse.Namespace) -> Iterator[Check]:
    from pathlib import Path

    from harness.core.errors import refuse_unused
    from harness.run.doctor import check_installation

    refuse_unused("without --model", {"--vllm-arg": args.vllm_arg})
    python = args.vllm_python[-1] if args.vllm_python else None
    yield from check_installation(workspace(args), Path.cwd(), vllm_python=python)


def _of_models(args: argparse.Namespace) -> Iterator[Check]:
    from harness.api.per_model import for_each
    from harness.core.errors import refuse_unused
    from harness.models.registry import takes
    from harness.run.doctor import check_model

    known = workspace(args).models
    pythons = for_each(args.vllm_python, args.model, flag="--vllm-python")
    arguments = for_each(args.vllm_arg, args.model, flag="--vllm-arg")
    specs = [known[name].model if name in known else name for name in args.model]
    if not any(takes(spec, "vllm_python") for spec in specs):
        refuse_unused(
            f"with --model {', '.join(args.model)}",
            {"--vllm-python": args.vllm_python, "--vllm-arg": args.vllm_arg},
        )
    for name in args.model:
        settings = known.get(name)
        spec = name if settings is None else settings.model
        own = None if settings is None else settings.python
        given = () if settings is None else settings.arguments
        yield from check_model(
            spec,
            vllm_python=pythons[name][-1] if pythons[name] else own,
            vllm_args=(*given, *arguments[name]),
        )
