"""`harness schema`: print the JSON schema of a file format, for editors."""

from __future__ import annotations

import argparse
import json


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness schema`."""
    parser.add_argument(
        "what", choices=["experiment", "task", "prompt"],
        help="an experiment file, a task file, or the head of a prompt",
    )  # fmt: skip


def execute(args: argparse.Namespace) -> int:
    """Print the schema."""
    from harness.api.experiment import schema
    from harness.core.prompt import PromptHead
    from harness.core.task import Task

    found = {
        "experiment": schema, "task": Task.model_json_schema, "prompt": PromptHead.model_json_schema
    }[args.what]()  # fmt: skip
    print(json.dumps(found, indent=1, ensure_ascii=False))
    return 0
