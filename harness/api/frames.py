"""Numbers and answers of a run as pandas tables of plain values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, TypeAlias

from harness.compare.comparison import Change, Comparison, Report
from harness.core.cell import thinking_in, tools_in
from harness.core.field import FieldSpec
from harness.core.kind import kind_of
from harness.core.task import Task
from harness.run.cell_entry import cell_of
from harness.run.sample_file import PlannedSample
from harness.score.table import ScoreRow

CATEGORIES = (
    "task", "model", "prompt", "condition", "protocol", "channel", "slice", "field", "metric", "outcome", "part",
    "axis", "what", "thinking", "tools",
)  # fmt: skip
"""Columns of few words, which are kept as pandas categories."""
NUMBERS = (
    "value", "low", "high", "coverage", "share", "a", "b", "difference", "p", "p_holm", "p_bh", "captured_mass",
)  # fmt: skip
"""Columns of numbers: float64, NaN where there is none."""


def frame(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, mixed: Sequence[str] = ()
) -> Any:
    """The rows as a DataFrame with these columns.

    Categories and numbers as above; texts as pandas' `str`; columns of `mixed` hold values of several types.
    """
    import pandas as pd

    rows = list(rows)
    text = pd.StringDtype(na_value=math.nan)
    made = {}
    for name in columns:
        values = [row.get(name) for row in rows]
        if name in mixed:
            made[name] = pd.Series(values, dtype=object)
        elif name in CATEGORIES:
            words = list(dict.fromkeys(value for value in values if value is not None))
            made[name] = pd.Series(pd.Categorical(values, categories=words))
        elif name in NUMBERS:
            made[name] = pd.Series([math.nan if v is None else v for v in values], dtype="float64")
        elif all(isinstance(value, bool) for value in values) and values:
            made[name] = pd.Series(values, dtype="bool")
        elif all(isinstance(value, int) for value in values) and values:
            made[name] = pd.Series(values, dtype="int64")
        elif all(value is None or isinstance(value, str) for value in values):
            made[name] = pd.Series(values, dtype=text)
        else:
            made[name] = pd.Series(values)
    return pd.DataFrame(made, columns=list(columns))


ASKED = ("thinking", "tools")
"""Columns that stand behind `channel`, each where a row was asked for it."""


def _asked(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str]
) -> tuple[list[Mapping[str, Any]], Sequence[str]]:
    """Rows and columns with those of ASKED that any row has."""
    made = [
        {
            **row,
            "thinking": thinking_in(row["channel"]),
            "tools": tools_in(row["channel"]),
        }
        for row in rows
    ]
    return list(made), _with_asked(made, columns, behind="channel")


def _with_asked(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, behind: str
) -> Sequence[str]:
    place = list(columns).index(behind) + 1
    asked = [name for name in ASKED if any(row[name] for row in rows)]
    return (*columns[:place], *asked, *columns[place:])


SCORE_COLUMNS = (
    "task", "model", "prompt", "condition", "channel", "slice", "field", "metric", "value", "low", "high", "n",
    "coverage", "estimator",
)  # fmt: skip


def scores_frame(rows: Sequence[ScoreRow]) -> Any:
    """One row a score."""
    return frame(*_asked(map(asdict, rows), SCORE_COLUMNS))


RECORD_COLUMNS = (
    "trial", "task", "model", "prompt", "condition", "protocol", "channel", "sample", "repeat", "cluster", "part",
    "field", "outcome", "value", "target", "rule", "text", "failure", "fallback", "estimator", "probabilities",
    "captured_mass", "length_normalised", "conversation",
)  # fmt: skip


def records_frame(rows: Iterable[Mapping[str, Any]], tasks: Mapping[str, Task]) -> Any:
    """One row a trial and field."""
    mixed = ("value", "target", "probabilities")
    made, columns = _asked((_record(row, tasks) for row in rows), RECORD_COLUMNS)
    if any(row.get("fold") for row in made):
        place = list(columns).index("cluster") + 1
        columns = (*columns[:place], "fold", *columns[place:])
    return frame(made, columns, mixed=mixed)


def _record(row: Mapping[str, Any], tasks: Mapping[str, Task]) -> dict[str, Any]:
    spec = tasks[row["task"]].fields[row["field"]]
    made = dict(row)
    made["repeat"] = int(row["trial"].split("/", 2)[1])
    for name in ("value", "target"):
        made[name] = plain(_loaded(row.get(name)), spec)
    made["probabilities"] = _loaded(row.get("probabilities"))
    mass = row.get("captured_mass")
    made["captured_mass"] = None if mass is None else float(mass)
    return made


def _loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def plain(value: Any, spec: FieldSpec) -> Any:
    """A value as it is: a label str, a set of names a tuple, a number float, yes or no bool, none None."""
    if value is None:
        return None
    return kind_of(spec).python(tuple(value) if isinstance(value, list) else value)


OUTCOME_COLUMNS = (
    "task", "model", "prompt", "condition", "channel", "field", "outcome", "n", "share", "failures",
)  # fmt: skip


def outcomes_frame(entries: Iterable[Mapping[str, Any]]) -> Any:
    """One row a cell, field and outcome."""
    rows = [
        {
            **entry,
            "outcome": outcome,
            "n": n,
            "share": n / sum(entry["counts"].values()),
            "failures": dict(entry.get("failures", {})) if outcome == "failed" else {},
        }
        for entry in entries
        for outcome, n in entry["counts"].items()
    ]
    return frame(*_asked(rows, OUTCOME_COLUMNS), mixed=("failures",))


def samples_frame(rows: Sequence[PlannedSample], task: Task) -> Any:
    """One row a sample: `target.FIELD` and `annotation.NAME` beside what it is."""
    fields_of = [name for name in task.fields if any(name in row.targets for row in rows)]
    notes = list(dict.fromkeys(name for row in rows for name in row.annotations))
    made = [
        {
            "sample": row.sample,
            "cluster": row.cluster,
            "question": row.question,
            "asks": row.asks,
            "media": row.media,
            **{f"target.{n}": plain(row.targets.get(n), task.fields[n]) for n in fields_of},
            **{f"annotation.{n}": row.annotations.get(n) for n in notes},
        }
        for row in rows
    ]
    targets = [f"target.{n}" for n in fields_of]
    annotations = [f"annotation.{n}" for n in notes]
    columns = ("sample", "cluster", "question", "asks", "media", *targets, *annotations)
    mixed = ["asks", "media", *(t for t in targets if not _simple(made, t))]
    return frame(made, columns, mixed=[*mixed, *(a for a in annotations if not _simple(made, a))])


def _simple(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether a column holds texts alone, or numbers alone."""
    kinds = {type(row[name]) for row in rows if row[name] is not None}
    return len(kinds) == 1 and kinds <= {str, float, int, bool}


CELL_COLUMNS = (
    "cell", "task", "model", "prompt", "condition", "protocol", "channel", "trials", "done", "failed",
)  # fmt: skip


TrialCell: TypeAlias = tuple[str, ...]


def trial_cell(row: Mapping[str, Any]) -> TrialCell:
    """The cell of a record: an earlier version of an edited prompt has the id of the one that stands."""
    return tuple(row[name] for name in CELL_COLUMNS[1:7])


def cells_frame(
    cells: Iterable[Mapping[str, Any]],
    done: Mapping[TrialCell, int],
    failed: Mapping[TrialCell, int],
) -> Any:
    """One row a cell, with its trials."""
    rows = []
    for entry in cells:
        found = cell_of(entry)
        row = found.as_row()
        cell = trial_cell({**row, "channel": found.taken})
        counts = {"done": done.get(cell, 0), "failed": failed.get(cell, 0)}
        rows.append({**row, "cell": entry["id"], "trials": int(entry["trials"]), **counts})
        rows[-1] |= {"thinking": found.thinking, "tools": found.tools}
    return frame(rows, _with_asked(rows, CELL_COLUMNS, behind=CELL_COLUMNS[6]))


COMPARISON_COLUMNS = (
    "task", "field", "slice", "axis", "a_run", "a_model", "a_prompt", "a_condition", "a_channel", "b_run", "b_model",
    "b_prompt", "b_condition", "b_channel", "what", "of", "a", "b", "difference", "low", "high", "p", "p_holm", "p_bh",
    "n", "clusters", "only_a", "only_b", "test", "interval", "reason", "unlike",
)  # fmt: skip


def comparison_frame(report: Report) -> Any:
    """One row a metric, class and slice of each pair; the notes of the report under `attrs["notes"]`."""
    rows = [
        _change_row(one, what, change)
        for one in report.comparisons
        for what, found in (("metric", one.metrics), ("class", one.classes), ("slice", one.slices))
        for change in found
    ]
    columns = list(COMPARISON_COLUMNS)
    for name in reversed(ASKED):
        if any(row[f"a_{name}"] or row[f"b_{name}"] for row in rows):
            for side in "ab":
                columns.insert(columns.index(f"{side}_channel") + 1, f"{side}_{name}")
    made = frame(rows, columns, mixed=("only_a", "only_b"))
    made[["only_a", "only_b"]] = made[["only_a", "only_b"]].astype("Int64")
    made.attrs["notes"] = list(report.notes)
    return made


def _change_row(one: Comparison, what: str, change: Change) -> dict[str, Any]:
    parties = {"a": one.a, "b": one.b}
    names = {
        f"{side}_{name}": getattr(party, "side" if name == "run" else name)
        for side, party in parties.items()
        for name in ("run", "model", "prompt", "condition", "channel", "thinking", "tools")
    }
    own = {field.name: getattr(change, field.name) for field in fields(change)}
    return {
        "task": one.task, "field": one.field, "slice": one.slice, "axis": one.axis, **names, "what": what, **own,
        "clusters": one.clusters, "unlike": "; ".join(one.unlike),
    }  # fmt: skip
