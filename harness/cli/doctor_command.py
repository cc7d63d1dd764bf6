"""`harness doctor`: check the installation, with a hint for each problem."""

from __future__ import annotations

import argparse

from harness.cli.options import add_folders, workspace


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness doctor`."""
    add_folders(parser)
    parser.add_argument(
        "--vllm-python", metavar="PYTHON", help="Python interpreter of the environment with vLLM"
    )


def execute(args: argparse.Namespace) -> int:
    """Print one line per check; returns 1 if a required one fails."""
    from pathlib import Path

    from harness.run.doctor import check_installation

    checks = check_installation(workspace(args), Path.cwd(), vllm_python=args.vllm_python)
    for check in checks:
        print(f"{check.mark:5}{check.what}")
        if check.hint:
            print(f"     hint: {check.hint}")
    return 1 if any(check.mark == "BAD" for check in checks) else 0
