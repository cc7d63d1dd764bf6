"""Read the answers of a scored run or an export from records.parquet instead of from the replies."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from harness.answers.majority import recorded_share
from harness.core.answer import Answer
from harness.core.cell import Cell
from harness.core.generation import LabelScores
from harness.core.outcome import Outcome
from harness.run.cell_entry import cell_of
from harness.run.columns import read_table
from harness.run.folder import RunFolder
from harness.score.records import TaskRecords

_COLUMNS = ("trial", "sample", "prompt", "field", "outcome", "value", "rule")
_SURE = ("estimator", "probabilities")


def read_recorded(
    folder: RunFolder,
    manifest: Mapping[str, Any],
    records: Mapping[str, TaskRecords],
    *,
    sure: bool = False,
) -> None:
    """Put the answers of every cell that stands into the records of its task, which hold the samples; counts of replies
    are not read, and how sure an answer is (probabilities, shares of votes) only if `sure`. Raises HarnessError where the file is broken, KeyError for a sample or cell that
    is not known."""
    entries = [entry for entry in manifest["cells"] if not entry.get("asked_as")]
    cells = {(entry["id"], entry["prompt"]): cell_of(entry) for entry in entries}
    places = {
        name: {sample: place for place, sample in enumerate(found.samples.ids)}
        for name, found in records.items()
    }
    done: dict[Cell, int] = dict.fromkeys(cells.values(), 0)
    known: dict[tuple[str, str | None, str], Answer] = {}
    trial = ""
    for row in read_table(folder.records, (*_COLUMNS, *_SURE) if sure else _COLUMNS):
        name, repeat, _ = row["trial"].split("/", 2)
        cell = cells.get((name, row["prompt"]))
        if cell is None:  # an earlier version of an edited prompt
            continue
        done[cell] += row["trial"] != trial
        trial = row["trial"]
        said = (row["outcome"], row["value"], row["rule"])
        answer = known.get(said)
        if answer is None:
            value = None if row["value"] is None else _value(json.loads(row["value"]))
            answer = known[said] = Answer(Outcome(row["outcome"]), value, row["rule"])
        place = places[cell.task][row["sample"]]
        records[cell.task].put(cell, row["field"], place, answer, repeat=int(repeat))
        if sure and repeat == "0":
            _put_sure(records[cell.task], cell, row, place, answer)
    for entry in entries:
        cell = cells[entry["id"], entry["prompt"]]
        records[cell.task].repeats[cell] = int(entry.get("repeats", manifest.get("repeats", 1)))
        if (left := int(entry["trials"]) - done[cell]) > 0:
            records[cell.task].pending[cell] = left


def _put_sure(
    records: TaskRecords, cell: Cell, row: Mapping[str, Any], place: int, answer: Answer
) -> None:
    if row["probabilities"]:
        told = json.loads(row["probabilities"])
        logs = tuple(math.log(share) if share > 0 else -math.inf for share in told.values())
        scores = LabelScores(tuple(told), logs, (1,) * len(told), row["estimator"])
        records.put_scores(cell, row["field"], place, scores)
    share = None if answer.value is None else recorded_share(answer.rule, answer.value)
    if share is not None:
        records.put_share(cell, row["field"], place, share)


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
