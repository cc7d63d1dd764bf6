"""The run folder of answers made elsewhere: manifest, plan, and a journal of what was said."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from harness.core.cell import Cell, trial_id
from harness.core.errors import HarnessError
from harness.core.generation import Finish
from harness.core.model import Card
from harness.core.prompt import Prompt, PromptHead
from harness.core.text import canonical_json, digest_file, digest_json
from harness.run.columns import write_table
from harness.run.folder import RunFolder
from harness.run.journal import AppendLog, read_log
from harness.run.manifest import build_manifest, write_manifest
from harness.run.plan import COLUMNS, Axes, Plan, PlannedTask
from harness.run.sample_file import read_samples
from harness.score.columns import NO_PROMPT
from harness.score.prediction_columns import Columns
from harness.score.prediction_files import AnswerFile

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


def write_prediction_run(
    folder: RunFolder,
    planned: PlannedTask,
    said: Mapping[str, Said],
    file: AnswerFile,
    *,
    form: Literal["text", "json"],
    ranked: Sequence[str],
    columns: Columns,
    command: Sequence[str],
    seed: int,
) -> tuple[Cell, tuple[str, ...], int]:
    """Write all but the samples; returns the cell, ids of no sample, and how many samples have no answer.

    Raises HarnessError when file and task share no id, or the disk is full.
    """
    samples = [row.sample for row in read_samples(folder.samples(planned.task.name))]
    known = set(samples)
    unmatched = tuple(name for name in said if name not in known)
    if len(unmatched) == len(said):
        raise HarnessError(
            f"{file.path.name} and task {planned.task.name} share no id: {unmatched[0]!r} there, {samples[0]!r} here",
            mend="name the column of ids with --id COL, or give --truth COL to take the truths from the file",
        )
    card = Card(
        name=MODEL + file.path.name,
        identity=f"predictions sha256:{digest_file(file.path)}",
        details=_details(file, columns, ranked),
    )
    cell = Cell(planned.task.name, card.name, NO_PROMPT, "none", "single")
    head = PromptHead(
        description="answers made elsewhere",
        fields=tuple(planned.task.fields) if form == "text" else tuple(columns.answer),
        answer=form,
    )
    basis = _basis(cell, card, head, planned)
    _write_plan(folder, cell, samples)
    _write_journal(folder, cell, basis, {name: said.get(name) for name in samples}, file)
    _write_manifest(folder, planned, cell, card, head, basis=basis, command=command, seed=seed)
    return cell, unmatched, len(known) - (len(said) - len(unmatched))


def _details(file: AnswerFile, columns: Columns, ranked: Sequence[str]) -> dict[str, str]:
    answer = columns.answer if isinstance(columns.answer, str) else canonical_json(columns.answer)
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
        [asdict(cell), card.identity, dict(card.details), head.model_dump(mode="json"), fields]
    )[:8]


def _write_plan(folder: RunFolder, cell: Cell, samples: Sequence[str]) -> None:
    fixed = {"cell": cell.id, **asdict(cell)}
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
        entry["basis"] = basis
        entry["sampling"] = {}  # nobody here knows how it was sampled
    write_manifest(folder, manifest)


def _write_journal(
    folder: RunFolder,
    cell: Cell,
    basis: str,
    said: Mapping[str, Said | None],
    file: AnswerFile,
) -> None:
    """One reply and one trial a sample; lines that stand there already are not written again."""
    known = {line["key"] for _, line in read_log(folder.generations)}
    last = {line["trial"]: line for _, line in read_log(folder.trials)}
    generations, trials = AppendLog(folder.generations), AppendLog(folder.trials)
    try:
        for name, one in said.items():
            line = _trial_line(cell, basis, name, one, file)
            if one is not None and line["keys"] and line["keys"][0] not in known:
                generations.append(_reply_line(line["keys"][0], one))
            if last.get(line["trial"]) != line:
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


def read_rankings(
    folder: RunFolder, manifest: Mapping[str, Any]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Trial -> field -> ranked items, as the journal last has them; empty where nothing was ranked."""
    ranked = {
        cell["id"]: cell["basis"]
        for cell in manifest["cells"]
        if manifest["models"][cell["model"]]["details"].get("ranked")
    }
    if not ranked:
        return {}
    lists = dict(_ranked_replies(folder))
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for _, line in read_log(folder.trials):
        if ranked.get(line["trial"].partition("/")[0]) == line["basis"]:
            found.pop(line["trial"], None)
            if line["keys"] and line["keys"][-1] in lists:
                found[line["trial"]] = lists[line["keys"][-1]]
    return found


def _ranked_replies(folder: RunFolder) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
    for _, line in read_log(folder.generations):
        if line.get("ranked"):
            yield line["key"], {name: tuple(items) for name, items in line["ranked"].items()}
