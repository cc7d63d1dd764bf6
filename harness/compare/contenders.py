"""What is compared: the cells of run folders and of prediction tables, each with one field of its answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as member
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.prompt import PromptHead
from harness.core.sample import Value
from harness.core.task import Task
from harness.run.folder import RunFolder, open_run
from harness.run.manifest import read_manifest
from harness.run.workspace import Workspace
from harness.score.prediction_columns import PredictionMap
from harness.score.prediction_folder import MODEL
from harness.score.predictions import OWN_SOURCE, import_predictions
from harness.score.records import TaskRecords, load_samples, read_cell
from harness.score.replies import Replies


@dataclass(frozen=True, slots=True)
class Side:
    """One argument of the command."""

    label: str
    """As it was given."""
    folder: RunFolder
    manifest: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contender:
    """One cell's answers to one field."""

    side: str
    cell: Cell
    field: str
    entry: Mapping[str, Any] = member(repr=False)
    """The cell in the manifest."""
    manifest: Mapping[str, Any] = member(repr=False)
    records: TaskRecords = member(repr=False)

    @property
    def spec(self) -> FieldSpec:
        return self.records.task.fields[self.field]

    @property
    def identity(self) -> str:
        """All that determines the model's replies."""
        return str(self.manifest["models"][self.cell.model]["identity"])

    @property
    def prompt_digest(self) -> str:
        return str(self.manifest["prompts"][self.cell.prompt]["digest"])

    @property
    def predicted(self) -> bool:
        """Made elsewhere: its prompt and sampling are not known."""
        return self.cell.model.startswith(MODEL)

    @property
    def own_truth(self) -> bool:
        """Its truths come from the file of answers itself."""
        return bool(self.records.task.source.get("family") == OWN_SOURCE)

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Sample id -> position, of finished trials whose truth is known."""
        samples = self.records.samples
        answers = self.records.answers.get((self.cell, self.field), {})
        return {samples[p].sample: p for p in sorted(answers) if self.field in samples[p].targets}

    @property
    def pending(self) -> int:
        """Trials not finished."""
        return self.records.pending.get(self.cell, 0)

    def truths(self, samples: Sequence[str]) -> list[Value]:
        """The true values of these samples."""
        return [self.records.samples[self.positions[s]].targets[self.field] for s in samples]

    def values(self, samples: Sequence[str]) -> list[Value | None]:
        """The answers to these samples; None where there was none."""
        answers = self.records.answers[self.cell, self.field]
        return [answers[self.positions[s]].value for s in samples]


def open_sides(
    paths: Sequence[Path],
    *,
    task: Task,
    asked: PredictionMap,
    workspace: Workspace,
    scratch: Path,
) -> list[Side]:
    """Run folders as they are; files of answers as run folders made in `scratch` (they answer `task`).

    Raises HarnessError for what is neither, and for an export, whose samples are not in it.
    """
    sides = []
    for number, path in enumerate(paths):
        if path.is_dir():
            run = open_run(path)
            if not (run.private / "samples").is_dir():
                raise HarnessError(
                    f"{path} is an export: its samples and truths (private/) are not in it",
                    mend="compare the run folder that it was made from",
                )
            sides.append(Side(str(path), run, read_manifest(run)))
            continue
        imported = import_predictions(
            path, task, asked, RunFolder(scratch / str(number)), workspace=workspace, command=["harness", "compare"]
        )  # fmt: skip
        made = imported.folder
        sides.append(Side(str(path), made, read_manifest(made), imported.notes))
    return sides


def contenders(sides: Sequence[Side]) -> list[Contender]:
    """Every cell and scored field that has an answer to a sample of known truth."""
    return [one for side in sides for one in _of_side(side)]


def _of_side(side: Side) -> Iterator[Contender]:
    manifest = side.manifest
    tasks = {n: Task.model_validate(t["config"]) for n, t in manifest["tasks"].items()}
    records = {
        name: load_samples(side.folder, tasks[name], cluster_unit=entry["cluster_unit"])
        for name, entry in manifest["tasks"].items()
    }
    replies = Replies(side.folder, {c["id"]: c["basis"] for c in manifest["cells"]})
    for entry in manifest["cells"]:
        cell = Cell(
            entry["task"], entry["model"], entry["prompt"], entry["condition"], entry["protocol"]
        )
        head = PromptHead.model_validate(manifest["prompts"][cell.prompt]["head"])
        for _ in read_cell(records[cell.task], cell, head, replies):
            pass  # read for what it leaves in the records
        for name, spec in tasks[cell.task].fields.items():
            found = Contender(side.label, cell, name, entry, manifest, records[cell.task])
            if spec.scored and found.positions:
                yield found
