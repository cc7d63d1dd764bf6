"""A scored cell as columns: truths, answers and annotations, sample by sample."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.run.cell_entry import version_names
from harness.run.columns import read_table
from harness.run.folder import RunFolder
from harness.run.sample_file import read_samples
from harness.run.scoring import scored_manifest
from harness.score.records import NEEDED

_NAMED = ("task", "model", "prompt", "condition", "channel")


@dataclass(frozen=True, slots=True)
class AnswerSheet:
    """What one cell answered. All sequences are in the order of `samples`."""

    task: str
    model: str
    prompt: str
    condition: str
    channel: str
    samples: tuple[str, ...]
    clusters: tuple[str, ...]
    truth: Mapping[str, Sequence[Any]]
    """Field -> true values, None where not known."""
    said: Mapping[str, Sequence[Any]]
    """Field -> answers, None where there is no valid one."""
    probabilities: Mapping[str, Sequence[Mapping[str, float] | None]]
    """Field -> probability of each label, where the channel gives it."""
    annotations: Sequence[Mapping[str, Any]]

    @property
    def name(self) -> tuple[str, str, str, str]:
        """All but the condition."""
        return (self.task, self.model, self.prompt, self.channel)


def read_sheets(folder: RunFolder) -> tuple[dict[str, Task], list[AnswerSheet]]:
    """Tasks and cells of a scored run, without earlier versions of edited prompts. Raises HarnessError where it was never scored."""
    manifest = scored_manifest(folder)
    tasks = {name: Task.model_validate(t["config"]) for name, t in manifest["tasks"].items()}
    if not folder.records.is_file():
        raise HarnessError(
            f"{folder.path} holds no records", hint=f"score it first: harness score {folder.path}"
        )
    cells: dict[tuple[str, ...], dict[str, dict[str, Any]]] = {}
    versions = version_names(manifest)
    for row in read_table(folder.records, needs=NEEDED):
        if row["prompt"] in versions:
            continue
        key = tuple(str(row.get(name) or "free") for name in _NAMED)
        samples = cells.setdefault(key, {})
        samples.setdefault(row["sample"], {"cluster": row["cluster"]})[row["field"]] = row
    annotations: dict[str, dict[str, Mapping[str, Any]]] = {
        name: {s.sample: s.annotations for s in read_samples(folder.scored_samples(name))}
        for name in tasks
    }
    return tasks, [
        _sheet(key, rows, tasks[key[0]], annotations[key[0]]) for key, rows in cells.items()
    ]


def _sheet(
    key: tuple[str, ...],
    rows: Mapping[str, Mapping[str, Any]],
    task: Task,
    annotations: Mapping[str, Mapping[str, Any]],
) -> AnswerSheet:
    samples = tuple(sorted(rows))

    def column(field: str, name: str) -> list[Any]:
        cells = [rows[sample].get(field) for sample in samples]
        return [None if cell is None else _read(cell.get(name)) for cell in cells]

    asked = [field for field in task.fields if any(field in rows[s] for s in samples)]
    return AnswerSheet(
        task=key[0],
        model=key[1],
        prompt=key[2],
        condition=key[3],
        channel=key[4],
        samples=samples,
        clusters=tuple(rows[sample]["cluster"] for sample in samples),
        truth={field: column(field, "target") for field in asked},
        said={field: column(field, "value") for field in asked},
        probabilities={field: column(field, "probabilities") for field in asked},
        annotations=[annotations.get(sample, {}) for sample in samples],
    )


def _read(text: str | None) -> Any:
    return None if text is None else json.loads(text)
