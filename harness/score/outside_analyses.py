"""Analyses of other packages: loaded, computed and validated.

Whatever goes wrong in one becomes a sentence that names it and its package. The others and the scores stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.blocks import BLOCKS, Block
from harness.core.errors import HarnessError
from harness.core.registry import brought
from harness.score.analysis import ANALYSES, Analysis, Entry, ScoredTask, TaskAnswers
from harness.score.table import ScoreRow

MOST_TEXT = 300
"""Characters of a failure that are kept."""


@dataclass(frozen=True, slots=True)
class AnalysisResult:
    """What one analysis of another package has to tell of one task."""

    name: str
    title: str
    package: str
    blocks: tuple[Block, ...]
    failed: str
    """Why there are no blocks; empty where there are."""


def computed(answers: TaskAnswers) -> Iterator[tuple[str, Entry]]:
    """(name, entry) of each analysis: `task`, `package`, and `rows` (none where it does not apply) or why it `failed`."""
    for name, package in _brought().items():
        shared = {"task": answers.task.name, "package": package}
        try:
            analysis: Analysis = ANALYSES.load(name)
            found = analysis.compute(answers) if analysis.applies(answers.task) else ()
            yield name, shared | {"rows": _plain(analysis, list(found))}
        except Exception as error:  # noqa: BLE001 - code of another package may raise anything
            yield name, shared | {"failed": _sentence(name, package, error)}


def unseen(found: Mapping[str, Sequence[Entry]]) -> bool:
    """Whether an analysis is installed, or another version of one, that scores were taken without."""
    return any(
        package not in {entry["package"] for entry in found.get(name, ())}
        for name, package in _brought().items()
    )


def _brought() -> Mapping[str, str]:
    """Every name that another package brings, those of shipped analyses too, with package and version."""
    return {
        entry.name: f"{entry.package} {entry.version}".strip() for entry in brought(ANALYSES.group)
    }


def told(found: Mapping[str, Sequence[Entry]], beside: ScoredTask) -> Iterator[AnalysisResult]:
    """The blocks of every entry of scores.json's `analyses` that belongs to the task."""
    packages = _brought()
    for name, entries in found.items():
        for entry in entries:
            if entry["task"] != beside.task.name:
                continue
            if "failed" in entry:
                yield AnalysisResult(name, name, entry["package"], (), entry["failed"])
            elif not entry["rows"]:
                continue
            elif name not in packages:
                why = (
                    f"analysis {name} of {entry['package']} is not installed; its rows are in "
                    "scores.json"
                )
                yield AnalysisResult(name, name, entry["package"], (), why)
            else:
                yield _told(name, packages[name], entry["rows"], beside)


def _told(name: str, package: str, rows: Sequence[Entry], beside: ScoredTask) -> AnalysisResult:
    try:
        analysis: Analysis = ANALYSES.load(name)
        blocks = tuple(analysis.blocks(_adapter(analysis).validate_python(rows), beside))
        for block in blocks:
            if not isinstance(block, BLOCKS):
                raise TypeError(f"blocks() returned a {type(block).__name__}, which is not a block")
        return AnalysisResult(name, str(analysis.title), package, blocks, "")
    except Exception as error:  # noqa: BLE001 - code of another package may raise anything
        return AnalysisResult(name, name, package, (), _sentence(name, package, error))


def _plain(analysis: Analysis, rows: list[Any]) -> list[Any]:
    """The rows as plain JSON, which must make the same rows again."""
    if any(isinstance(row, ScoreRow) for row in rows):
        raise TypeError("compute() returned a ScoreRow: return it from a metric instead")
    adapter = _adapter(analysis)
    adapter.validate_python(rows)
    dumped = adapter.dump_python(rows, warnings="error")  # as JSON, NaN would become None
    plain = json.loads(json.dumps(dumped, allow_nan=False))
    adapter.validate_python(plain)
    made: list[Any] = plain
    return made


def _adapter(analysis: Analysis) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(list[analysis.row])  # type: ignore[name-defined]


def _sentence(name: str, package: str, error: Exception) -> str:
    said = error.message if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"
    return f"analysis {name} of {package} failed: {' '.join(said.split())[:MOST_TEXT]}"
