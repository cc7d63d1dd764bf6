"""Mean and deviation over folds, next to pooled values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import RowKey, is_baseline, named, places, row_key, who
from harness.analyses.rows.folds import fold_scores
from harness.analyses.words import count, number, table_metrics
from harness.core.blocks import Block, Cell, Column, Lines, Note, Number, Place, Row, RowRole, Table
from harness.core.task import SUBJECT, Task
from harness.core.text import sentence
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.naming import who_answered

_Found = Mapping[RowKey, Mapping[str, Mapping[str, Any]]]
"""Who answered -> metric -> entry."""


def _applies(task: Task) -> bool:
    return task.folds is not None


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    for column, _ in answers.scored:
        yield from fold_scores(column)


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    for part, field in places(beside):
        found: dict[RowKey, dict[str, Mapping[str, Any]]] = {}
        for entry in rows:
            if (entry["slice"], entry["field"]) == (part, field):
                found.setdefault(row_key(entry), {})[entry["metric"]] = entry
        if found:
            columns = table_metrics(beside.task.fields[field])
            lines = tuple(_lines(found, columns, named(field, part)))
            if lines:
                yield Lines(lines=lines, room="little")
            yield from _tables(found, columns, Place(field, part))


def _lines(found: _Found, columns: Sequence[tuple[str, str]], field: str) -> Iterator[str]:
    """`..., emotion, mean ± deviation of 5 folds: UAR .412 ± .013 (pooled .410), ...` for each model and prompt."""
    for key, entries in found.items():
        if is_baseline(key):
            continue
        told = [
            f"{name} {number(e['mean'])} ± {number(e['deviation'])} (pooled {number(e['pooled'])})"
            for metric, name in columns
            if (e := entries[metric])["mean"] is not None
        ]
        entry = {"model": key[0], "prompt": key[1], "condition": key[2], "field": field}
        of = f"mean ± deviation of {len(_folds(found, columns))} folds"
        notes = _notes(found)
        yield f"{who_answered(entry)}, {of}: {'; '.join([*([', '.join(told)] if told else []), *notes])}"


def _folds(found: _Found, columns: Sequence[tuple[str, str]]) -> Sequence[Mapping[str, Any]]:
    folds: Sequence[Mapping[str, Any]] = next(iter(found.values()))[columns[0][0]]["folds"]
    return folds


def _notes(found: _Found) -> tuple[str, ...]:
    return tuple(dict.fromkeys(n for by in found.values() for e in by.values() if (n := e["note"])))


def _tables(found: _Found, columns: Sequence[tuple[str, str]], at: Place) -> Iterator[Block]:
    folds = _folds(found, columns)
    first = next(iter(found.values()))[columns[0][0]]
    yield Table(
        at=at,
        room="much",
        title=f"By {first['column']}",
        caption=f"Mean ± standard deviation (n − 1) over {len(folds)} folds next to the value "
        "pooled over all samples, strict. The deviation is between folds; it is not an "
        "interval of the mean",
        columns=("", *(Column(w, group=name) for _, name in columns for w in ("Pooled", "Folds"))),
        rows=tuple(_row(key, _means(entries, columns)) for key, entries in found.items()),
    )
    for note in _notes(found):
        yield Note(at=at, room="much", text=f"{sentence(note)}.")
    if first["column"] == SUBJECT:
        sizes = sorted(fold["n"] for fold in folds)
        yield Note(
            at=at,
            room="much",
            text=f"A fold is one subject ({len(folds)} folds of {sizes[0]} to {sizes[-1]} samples). Single folds are not "
            "shown: their scores say little, and they are of one person.",
        )
        return
    for metric, name in columns:
        yield Table(
            at=at,
            room="much",
            folded="Each fold",
            caption=f"{name} of each fold",
            columns=("", *(f"{fold['name']}\nn {count(fold['n'])}" for fold in folds)),
            rows=tuple(
                _row(key, [Number(fold["value"]) for fold in entries[metric]["folds"]])
                for key, entries in found.items()
            ),
        )


def _means(
    entries: Mapping[str, Mapping[str, Any]], columns: Sequence[tuple[str, str]]
) -> list[Cell]:
    cells: list[Cell] = []
    for metric, _ in columns:
        e = entries[metric]
        cells += [Number(e["pooled"]), Number(e["mean"], deviation=e["deviation"])]
    return cells


def _row(key: RowKey, cells: Sequence[Cell]) -> Row:
    kind: RowRole = "baseline" if is_baseline(key) else "model"
    return Row((who(key), *cells), kind)


ANALYSIS = ShippedAnalysis(
    name="folds",
    title="Folds",
    about="tasks with `folds`: mean and deviation over folds next to the pooled value",
    applies=_applies,
    compute=_compute,
    blocks=_blocks,
    key="folds",
    order=30,
)
