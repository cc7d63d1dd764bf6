"""What is asked of a benchmark and what was measured, for its page and for `--json`."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.bench.markdown import table
from harness.run.provenance import package_versions

_HELD = {True: "yes", False: "**no**", None: "not judged"}


@dataclass(frozen=True, slots=True)
class Target:
    """One bound, beside what was measured."""

    target: str
    asked: str
    measured: str
    held: bool | None
    """None where it is not judged: it holds at another size, or for other settings."""


def none_missed(targets: Iterable[Target]) -> bool:
    """Whether no target that is judged was missed."""
    return all(one.held is not False for one in targets)


def targets_table(targets: Iterable[Target]) -> str:
    """All targets, as Markdown."""
    return table(
        ("what", "asked", "measured", "held"),
        [(one.target, one.asked, one.measured, _HELD[one.held]) for one in targets],
    )


def as_json(
    benchmark: str, *, rounds: int, targets: Sequence[Target], found: dict[str, Any]
) -> dict[str, Any]:
    """What `--json` prints of each benchmark: its name, its rounds, what was found, and the targets."""
    told = [
        {name: getattr(one, name) for name in ("target", "asked", "measured", "held")}
        for one in targets
    ]
    return {"schema": 1, "benchmark": benchmark, "rounds": rounds, **found, "targets": told}


def machine(*packages: str) -> str:
    """`affect-harness 0.3, Python 3.11.7, aiohttp 3.14, Linux x86_64, 2 cores`, with these packages."""
    versions = package_versions()
    named = ("affect-harness", *packages)
    told = ", ".join(f"{name} {versions.get(name, 'unknown')}" for name in named)
    return (
        f"{told}, Python {versions['python']}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores"
    )
