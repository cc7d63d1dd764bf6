"""The measurements of `harness bench sweep` as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from harness.bench import prompt_sweep, server_sweep
from harness.bench.prompt_sweep import Swept
from harness.bench.server_sweep import Served
from harness.bench.targets import machine, targets_table


def markdown(
    cases: Sequence[Swept],
    servers: Sequence[Served],
    *,
    rounds: int,
    own: Sequence[str] = (),
    started: bool = False,
) -> str:
    """The page. `own` are the servers that were named, `started` says whether some were started."""
    words = [f" --server {spec}" for spec in own] + [" --vllm-python PYTHON"] * started
    targets = [*prompt_sweep.targets(cases), *server_sweep.targets(servers)]
    parts = [
        "# Cost of a sweep of prompts",
        f"`harness bench sweep --rounds {rounds}{''.join(words)}`: many prompts of each picture.",
        f"{machine('torch', 'transformers')}, no GPU used in place.",
        "## Targets",
        targets_table(targets),
        *prompt_sweep.sections(cases, rounds=rounds),
        *server_sweep.sections(servers, rounds=rounds),
    ]
    return "\n\n".join(parts) + "\n"
