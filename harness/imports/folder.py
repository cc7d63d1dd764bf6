"""Write the run folder of imported answers: manifest, plan and journal."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.core.cell import Cell, trial_id
from harness.core.errors import HarnessError
from harness.core.finish import Finish
from harness.core.model import Card
from harness.core.prompt import Prompt, PromptHead
from harness.core.text import canonical_json, digest_file, digest_json
from harness.imports.columns import PredictionColumns
from harness.imports.files import AnswerFile
from harness.imports.lines import HELD, PredictionLines
from harness.imports.replies import ReplyMaker
from harness.run.axes import Axes
from harness.run.columns import read_table, write_table
from harness.run.dictionary_encoding import as_codes
from harness.run.digests import KEY, Digests, digest
from harness.run.folder import RunFolder
from harness.run.log import AppendLog, read_log
from harness.run.manifest import build_manifest, read_manifest, write_manifest
from harness.run.plan import COLUMNS, Plan
from harness.run.planned_task import PlannedTask
from harness.score.columns import NO_PROMPT
from harness.sources.places import tidy

MODEL = "predictions:"
"""Opens the name of the model that stands for a file: `predictions:FILE`."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a file says of one sample."""

    text: str
    rankings: Mapping[str, tuple[str, ...]]
    """Field -> items, best first, where the answer is a ranked list."""
    finish: Finish = "stop"
    failure: str | None = None
    """Why there is no reply."""


@dataclass(frozen=True, slots=True)
class ImportedModel:
    """What is known of who gave the answers of a file."""

    name: str = ""
    """Empty: `predictions:FILE`."""
    details: Mapping[str, str] = field(default_factory=dict)
    """Added to what the card says: folds, training subjects, settings of the training."""
    description: str = "answers from another tool"


@dataclass(frozen=True, slots=True)
class Matched:
    """How the ids of a file and of a task meet."""

    count: int
    """Samples that have a row."""
    stray: str | None
    """The first id that is of no sample; None where all are."""


def refuse_other_run(folder: RunFolder, *, task: str, model: str) -> None:
    """Raise HarnessError where a folder holds a run of another task or model, whose scores would be lost."""
    if not folder.manifest.is_file():
        return
    manifest = read_manifest(folder)
    for what, found, wanted in (
        ("task", manifest.get("tasks", {}), task),
        ("model", manifest.get("models", {}), model),
    ):
        if others := sorted(set(found) - {wanted}):
            raise HarnessError(
                f"{folder.path} is a run of the {what} {others[0]}, not of {wanted}",
                hint="name another folder with --out",
            )


def write_prediction_run(
    folder: RunFolder,
    planned: PlannedTask,
    lines: PredictionLines,
    file: AnswerFile,
    make: ReplyMaker,
    *,
    columns: PredictionColumns,
    command: Sequence[str],
    seed: int,
    model: ImportedModel,
) -> tuple[Cell, Matched]:
    """Write all but the samples; `model` says what is known of who answered.

    Raises HarnessError when file and task share no id, or the disk is full.
    """
    places, matched = _matched(folder, planned, lines, file)
    card = Card(
        name=model.name or MODEL + file.path.name,
        identity=f"predictions sha256:{digest_file(file.path)}",
        details={**_details(file, columns, make.ranked), **model.details},
    )
    cell = Cell(planned.task.name, card.name, NO_PROMPT, "none", "single")
    head = PromptHead(
        description=model.description,
        fields=tuple(planned.task.fields) if make.form == "text" else tuple(columns.answer),
        answer=make.form,
    )
    basis = _basis(cell, card, head, planned)
    _write_plan(folder, cell, _samples(folder, planned))
    said = _said(lines, places, make)
    _write_journal(folder, cell, basis, zip(_samples(folder, planned), said, strict=True), file)
    _write_manifest(folder, planned, cell, card, head, basis=basis, command=command, seed=seed)
    return cell, matched


def _samples(folder: RunFolder, planned: PlannedTask) -> Iterator[str]:
    """The ids of the task's samples, in order."""
    return (row["sample"] for row in read_table(folder.samples(planned.task.name), ("sample",)))


def _matched(
    folder: RunFolder, planned: PlannedTask, lines: PredictionLines, file: AnswerFile
) -> tuple[array[int], Matched]:
    """The place of each sample's row, -1 where it has none; raises HarnessError where none has one."""
    found = (lines.place(name) for name in _samples(folder, planned))
    places = array("i", (-1 if place is None else place for place in found))
    if -1 in places:  # a path may be spelt otherwise than the task spells it
        other = _by_path(lines)
        for row, name in enumerate(_samples(folder, planned) if other else ()):
            if places[row] < 0:
                places[row] = other.get(name, -1)
    known = np.zeros(len(lines), dtype=np.bool_)
    taken = as_codes(places)
    known[taken[taken >= 0]] = True
    strays = np.flatnonzero(~known)
    stray = lines.sample(int(strays[0])) if strays.size else None
    if not known.any():
        here = next(_samples(folder, planned))
        raise HarnessError(
            f"{file.path.name} and task {planned.task.name} have no id in common: {stray!r} "
            f"there, {here!r} here",
            hint="name the column of ids with --id COLUMN, or use --truth COLUMN to take the "
            "truths from the file",
        )
    return places, Matched(int(known.sum()), stray)


def _by_path(lines: PredictionLines) -> dict[str, int]:
    """Tidy path -> the place of the row whose id spells it otherwise; not those that two rows spell."""
    spelt: dict[str, list[int]] = {}
    for place in range(len(lines)):
        name = lines.sample(place)
        path = tidy(name)
        if path is not None and path != name and lines.place(path) is None:
            spelt.setdefault(path, []).append(place)
    return {path: places[0] for path, places in spelt.items() if len(places) == 1}


def _said(lines: PredictionLines, places: Iterable[int], make: ReplyMaker) -> Iterator[Said | None]:
    """What the file says of each sample; None where it has no row of it."""
    held: dict[int, Said] = {}
    for place in places:
        if place < 0:
            yield None
            continue
        number = lines.number_at(place)
        said = held.get(number)
        if said is None:
            content = lines.content(number)
            text, rankings = make(content.answers)
            said = Said(text, rankings, finish=content.finish, failure=content.failure)
            if len(held) < HELD:
                held[number] = said
        yield said


def _details(file: AnswerFile, columns: PredictionColumns, ranked: Sequence[str]) -> dict[str, str]:
    answer = columns.answer if isinstance(columns.answer, str) else canonical_json(columns.answer)
    if columns.probabilities:
        answer = f"probabilities {canonical_json(dict(columns.probabilities))}"
    details = {
        "file": file.path.name,
        "written by": file.tool,
        "ids": columns.id,
        "answers": answer,
    }
    if columns.truth:
        details["truths"] = canonical_json(dict(columns.truth))
    if ranked:
        details["ranked"] = " ".join(ranked)
    return details


def _basis(cell: Cell, card: Card, head: PromptHead, planned: PlannedTask) -> str:
    fields = {name: spec.model_dump(mode="json") for name, spec in planned.task.fields.items()}
    return digest_json(
        [cell.as_row(), card.identity, dict(card.details), head.model_dump(mode="json"), fields]
    )[:8]


def _write_plan(folder: RunFolder, cell: Cell, samples: Iterable[str]) -> None:
    fixed = {"cell": cell.id, **cell.as_row()}
    write_table(
        folder.plan,
        COLUMNS,
        ({**fixed, "trial": trial_id(cell, name), "sample": name} for name in samples),
    )


def _write_manifest(
    folder: RunFolder,
    planned: PlannedTask,
    cell: Cell,
    card: Card,
    head: PromptHead,
    *,
    basis: str,
    command: Sequence[str],
    seed: int,
) -> None:
    name = planned.task.name
    prompt = Prompt(NO_PROMPT, folder.path, head, source="", digest="")
    plan = Plan({name: planned}, {NO_PROMPT: prompt}, (cell,), {cell.id: planned.summary.count})
    axes = Axes(models=(cell.model,), seed=seed)
    manifest = build_manifest(plan, axes, {cell.model: card}, command=command, fit_on=None)
    for entry in manifest["cells"]:
        entry["basis"], entry["also"] = basis, []
        entry["sampling"] = {}  # nobody here knows how it was sampled
    write_manifest(folder, manifest)


def _write_journal(
    folder: RunFolder,
    cell: Cell,
    basis: str,
    said: Iterable[tuple[str, Said | None]],
    file: AnswerFile,
) -> None:
    """One reply and one trial a sample; lines that stand there already are not written again."""
    known, last = Digests(0), Digests(KEY)
    for _, line in read_log(folder.generations):
        known.put(digest(line["key"]), b"")
    for _, line in read_log(folder.trials):
        last.put(digest(line["trial"]), digest(canonical_json(line)))
    generations, trials = AppendLog(folder.generations), AppendLog(folder.trials)
    try:
        for name, one in said:
            line = _trial_line(cell, basis, name, one, file)
            if one is not None and line["keys"] and known.get(digest(line["keys"][0])) is None:
                generations.append(_reply_line(line["keys"][0], one))
            if not len(last) or last.get(digest(line["trial"])) != digest(canonical_json(line)):
                trials.append(line)
    finally:
        generations.close()
        trials.close()


def _trial_line(
    cell: Cell, basis: str, name: str, one: Said | None, file: AnswerFile
) -> dict[str, Any]:
    line: dict[str, Any] = {"trial": trial_id(cell, name), "basis": basis, "keys": []}
    if one is None:
        line["failure"] = {"kind": "no-prediction", "detail": f"no prediction in {file.path.name}"}
    elif one.failure is not None:
        line["failure"] = {"kind": "server", "detail": one.failure}
    else:
        parts = canonical_json([cell.id, name, one.text, dict(one.rankings), one.finish])
        digest = hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()
        line["keys"] = [digest[:32]]
    return line


def _reply_line(key: str, one: Said) -> dict[str, Any]:
    line: dict[str, Any] = {
        "key": key, "conversation": "", "text": one.text, "finish": one.finish,
        "usage": [0, 0], "latency": 0.0,
    }  # fmt: skip
    if one.rankings:
        line["ranked"] = {name: list(items) for name, items in one.rankings.items()}
    return line
