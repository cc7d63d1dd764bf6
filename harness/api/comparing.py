"""`Run.compare`: cells of one run that differ in one axis, or of two runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.api.frames import comparison_frame
from harness.compare import Among, compare, run_side
from harness.compare.candidates import by_content
from harness.compare.comparability import UNASKED
from harness.core.errors import HarnessError
from harness.core.thinking import read_thinking
from harness.run.folder import RunFolder


def compare_runs(
    folders: Sequence[RunFolder],
    axes: Mapping[str, Sequence[str] | None],
    *,
    by: str,
    unlike: bool,
    seed: int,
) -> Any:
    """The report as a DataFrame. Raises HarnessError for two axes, or names that cannot be compared."""
    named = {axis: names for axis, names in axes.items() if names is not None}
    if len(named) > 1:
        raise HarnessError(
            f"only one axis can be compared at a time, not {' and '.join(named)}",
            hint="name one axis, such as prompt=('emotion/plain', 'emotion/defined')",
        )
    among = None
    for axis, names in named.items():
        if isinstance(names, str) or len(set(names)) < 2 or len(set(names)) < len(names):
            raise HarnessError(
                f"{axis.replace(' ', '_')}={names!r} must name at least two values",
                hint=f"for example: {axis.replace(' ', '_')}=(A, B)",
            )
        among = Among(axis, tuple(map(_level, names) if axis == "thinking" else names))
    if by not in ("id", "content"):
        raise HarnessError(f"by={by!r} is not supported", hint="use by='id' or by='content'")
    sides = [run_side(folder) for folder in folders]
    if by == "content":
        sides = by_content(sides, here=Path.cwd())
    return comparison_frame(compare(sides, unlike=unlike, seed=seed, among=among))


def _level(name: str) -> str:
    return name if name == UNASKED else read_thinking(name)
