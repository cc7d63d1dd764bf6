"""Cells to compare, from run folders and prediction tables, with one field of their answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as member
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.compare.content import content_keys
from harness.core.cell import Cell, spelled_condition
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.prompt import PromptHead
from harness.core.prompt_family import PromptFamily
from harness.core.sample import Value
from harness.core.task import Task
from harness.exports.export import Kept, write_export
from harness.exports.reader import is_zip, read_export, unpack
from harness.imports.columns import PredictionMap
from harness.imports.folder import MODEL
from harness.imports.predictions import OWN_SOURCE, import_predictions
from harness.run.cell_entry import cell_of, identity_of
from harness.run.folder import RunFolder, open_run
from harness.run.scoring import scored_manifest
from harness.run.workspace import Workspace
from harness.score.cell_records import read_cell
from harness.score.columns import BASELINE
from harness.score.recorded import read_recorded
from harness.score.records import TaskRecords, load_samples, repeated_answers
from harness.score.replies import Replies


@dataclass(frozen=True, slots=True)
class Side:
    """One argument of the command."""

    label: str
    """As it was given."""
    folder: RunFolder
    manifest: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    content: Mapping[str, Mapping[str, str]] | None = None
    """Task -> sample id -> digest of what it shows, where samples are paired by that."""

    @property
    def exported(self) -> bool:
        """Whether it is an export: ids and clusters under made-up names."""
        return "export" in self.manifest


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
    content: Mapping[str, str] | None = member(default=None, repr=False)
    """Sample id -> what it is paired by in place of its id (`harness.compare.content`)."""

    @property
    def spec(self) -> FieldSpec:
        return self.records.task.fields[self.field]

    @property
    def identity(self) -> str:
        """All that determines the model's replies."""
        return identity_of(self.entry, self.manifest)

    @property
    def prompt_digest(self) -> str:
        return str(self.manifest["prompts"][self.cell.prompt]["digest"])

    @property
    def family(self) -> PromptFamily:
        """The family of its prompt; `chat` where the run says nothing of it."""
        head = self.manifest["prompts"][self.cell.prompt].get("head", {})
        family: PromptFamily = head.get("family", "chat")
        return family

    @property
    def predicted(self) -> bool:
        """Made elsewhere or by a trained baseline: it has no prompt and no sampling that is known."""
        return self.cell.model.startswith((MODEL, BASELINE))

    @property
    def own_truth(self) -> bool:
        """Its truths come from the file of answers itself."""
        return bool(self.records.task.source.get("family") == OWN_SOURCE)

    @property
    def shown(self) -> str:
        """The condition but for the label order and how pictures are sent."""
        return spelled_condition(self.cell.condition, self.cell.shots)

    @property
    def order(self) -> str:
        """The order in which labels were listed."""
        return self.cell.label_order

    @cached_property
    def _answered(self) -> tuple[Sequence[int], Sequence[Sequence[Value | None]]]:
        return repeated_answers(self.records, self.cell, self.field)

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """What a sample is paired by (its id) -> position, of samples whose every trial is finished and whose truth is
        known."""
        named = ((self.records.samples.ids[p], p) for p in self._answered[0])
        if self.content is None:
            return dict(named)
        return {self.content[name]: p for name, p in named if name in self.content}

    @property
    def pending(self) -> int:
        """Trials not finished."""
        return self.records.pending.get(self.cell, 0)

    def truths(self, samples: Sequence[str]) -> list[Value]:
        """The true values of these samples."""
        known = self.records.samples.truths(self.field)
        return [value for s in samples if (value := known[self.positions[s]]) is not None]

    def repeats(self, samples: Sequence[str]) -> list[list[Value | None]]:
        """The answers to these samples, repeat by repeat; None where there was none."""
        places, answers = self._answered
        row_of = {place: row for row, place in enumerate(places)}
        rows = [row_of[self.positions[s]] for s in samples]
        return [[repeat[row] for row in rows] for repeat in answers]


def open_sides(
    paths: Sequence[Path],
    *,
    scratch: Path,
    workspace: Workspace | None = None,
    task: Task | None = None,
    asked: PredictionMap | None = None,
    secret: str | None = None,
) -> list[Side]:
    """Run folders and exports as they are; files of answers as run folders made in `scratch` (they answer `task`).
    Without a task and a workspace, files of answers are refused.

    Beside an export, all that is no export is held as one, made in `scratch` with the same key: ids then have
    the same names. `secret` is what a key file holds. Raises HarnessError for what is none of the three, and
    for exports made with different keys.
    """
    sides = []
    for number, path in enumerate(paths):
        place = scratch / str(number)
        if is_zip(path):
            sides.append(_open(str(path), RunFolder(unpack(path, place))))
        elif path.is_dir():
            sides.append(_open(str(path), open_run(path)))
        elif task is None or workspace is None or not path.exists():
            raise HarnessError(
                f"{path} is {'neither a run folder nor an export' if path.exists() else 'not there'}",
                hint="name what `harness run` or `harness export` wrote; a file of answers becomes a run folder by "
                "harness score --predictions FILE --task TASK",
            )
        else:
            imported = import_predictions(
                path, task, asked or PredictionMap(), RunFolder(place), workspace=workspace,
                command=["harness", "compare"],
            )  # fmt: skip
            sides.append(_open(str(path), imported.folder, imported.notes))
    if any(side.exported for side in sides):
        sides = [
            side if side.exported else _as_export(side, scratch / f"export-{number}", sides, secret)
            for number, side in enumerate(sides)
        ]
        _check_keys(sides)
    return sides


def run_side(folder: RunFolder) -> Side:
    """A run folder, named by its path. Raises HarnessError where it lacks its samples."""
    return _open(str(folder.path), folder)


def _open(label: str, folder: RunFolder, notes: tuple[str, ...] = ()) -> Side:
    side = Side(label, folder, scored_manifest(folder), notes)
    if not side.exported and not (folder.private / "samples").is_dir():
        raise HarnessError(
            f"{label}: its samples and truths (private/) are missing",
            hint="compare the original run folder, or an export of it (`harness export`)",
        )
    return side


def _as_export(side: Side, place: Path, sides: Sequence[Side], secret: str | None) -> Side:
    keyed = next(
        (s for s in sides if s.exported and s.manifest["export"]["key"] == "key file"), None
    )
    if keyed is not None and secret is None:
        raise HarnessError(
            f"{keyed.label} was exported with a key file, {side.label} is not exported",
            hint="give the same file with --id-key, so that ids get the same names",
        )
    write_export(side.folder, place, secret=secret if keyed else None, kept=Kept())
    return _open(side.label, RunFolder(place), side.notes)


def _check_keys(sides: Sequence[Side]) -> None:
    """Raise HarnessError where exports of one task name its samples by different keys."""
    first: dict[str, Side] = {}
    for side in sides:
        for name, check in side.manifest["export"]["checks"].items():
            other = first.setdefault(name, side)
            if other.manifest["export"]["checks"][name] != check:
                raise HarnessError(
                    f"{other.label} and {side.label} use different keys for the samples of "
                    f"{name}: their annotations, key files or own truths differ",
                    hint="export both again with the same --id-key",
                )


def by_content(sides: Sequence[Side], *, here: Path) -> list[Side]:
    """The sides with their samples paired by what they show. Raises HarnessError for exports, which hold no pictures."""
    return [_by_content(side, here) for side in sides]


def _by_content(side: Side, here: Path) -> Side:
    if side.exported:
        raise HarnessError(
            f"{side.label}: an export contains no picture data, which --by content needs",
            hint="compare the run folders themselves, or leave out --by content",
        )
    content, notes = {}, list(side.notes)
    for name, entry in side.manifest["tasks"].items():
        task = Task.model_validate(entry["config"])
        content[name], said = content_keys(task, side.label, here=here)
        notes += [said] if said else []
    return replace(side, notes=tuple(notes), content=content)


def contenders(
    sides: Sequence[Side], *, recorded: bool = False, also: Sequence[str] = ()
) -> list[Contender]:
    """Every cell and scored field that has an answer to a sample of known truth.

    `recorded`: read the answers of runs from their records, which takes a fraction of the time, without those of earlier
    versions of prompts; they are to be younger than the replies. `also` names annotations that are kept besides those of
    the task's slices, where they are there.
    """
    return [one for side in sides for one in _of_side(side, recorded=recorded, also=also)]


def _of_side(side: Side, *, recorded: bool, also: Sequence[str]) -> Iterator[Contender]:
    if side.exported:
        records = read_export(side.folder, side.manifest)
    else:
        records = _read_records(side, also) if recorded else _read_run(side, also)
    for entry in side.manifest["cells"]:
        cell = cell_of(entry)
        if recorded and cell.asked_as:
            continue
        for name, spec in records[cell.task].task.fields.items():
            content = None if side.content is None else side.content[cell.task]
            found = Contender(
                side.label, cell, name, entry, side.manifest, records[cell.task], content
            )
            if spec.scored and found.positions:
                yield found


def _samples_of(side: Side, also: Sequence[str]) -> dict[str, TaskRecords]:
    """Task -> its samples, with no answers yet."""
    tasks = {n: Task.model_validate(t["config"]) for n, t in side.manifest["tasks"].items()}
    return {
        name: load_samples(side.folder, tasks[name], cluster_unit=entry["cluster_unit"], also=also)
        for name, entry in side.manifest["tasks"].items()
    }


def _read_records(side: Side, also: Sequence[str]) -> dict[str, TaskRecords]:
    """Task -> its samples and answers, from the records. Raises HarnessError where these are of other samples."""
    records = _samples_of(side, also)
    try:
        read_recorded(side.folder, side.manifest, records)
    except KeyError as error:
        raise HarnessError(
            f"{side.label}: its records and its samples do not go together ({error})",
            hint="score the run again: harness score RUN",
        ) from None
    return records


def _read_run(side: Side, also: Sequence[str]) -> dict[str, TaskRecords]:
    """Task -> its samples and answers, from the journal."""
    manifest, records = side.manifest, _samples_of(side, also)
    standing = Replies.of_run(side.folder, manifest)
    for entry in manifest["cells"]:
        cell = cell_of(entry)
        head = PromptHead.model_validate(manifest["prompts"][cell.prompt]["head"])
        replies, repeats = standing, int(entry.get("repeats", manifest.get("repeats", 1)))
        if cell.asked_as:
            replies = Replies.of_version(side.folder, manifest, entry)
        for _ in read_cell(records[cell.task], cell, head, replies, repeats=repeats):
            pass  # read for what it leaves in the records
    return records
