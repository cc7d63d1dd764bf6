"""Means and deviations over folds beside pooled values, as the page and the terminal show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.report.inputs import RowKey, RunView, row_key
from harness.report.tables import ScoreTable, is_baseline
from harness.report.words import number, table_metrics
from harness.score.naming import who_answered


@dataclass(frozen=True, slots=True)
class FoldRow:
    """One model and prompt: for each metric its pooled value, its mean over folds, and what each fold has."""

    key: RowKey
    kind: str
    """`baseline` or `model`."""
    pooled: tuple[str, ...]
    means: tuple[str, ...]
    """`.412 ± .013`; a dash where there is none."""
    each: tuple[tuple[str, ...], ...]
    """The folds' own values, metric by metric."""


@dataclass(frozen=True, slots=True)
class FoldTable:
    """One field on the whole task or one part."""

    column: str
    metrics: tuple[str, ...]
    folds: tuple[tuple[str, int], ...]
    """(fold, its samples)."""
    rows: tuple[FoldRow, ...]
    notes: tuple[str, ...]


def fold_table(view: RunView, table: ScoreTable) -> FoldTable | None:
    """The folds of a field on its part; None where the task has none. One column for metrics that are the same."""
    found: dict[RowKey, dict[str, Mapping[str, Any]]] = {}
    for entry in view.scores.folds:
        if (entry["task"], entry["slice"], entry["field"]) == (
            table.task,
            table.slice,
            table.field,
        ):
            found.setdefault(row_key(entry), {})[entry["metric"]] = entry
    if not found:
        return None
    columns = table_metrics(table.spec)
    first = next(iter(found.values()))[columns[0][0]]
    return FoldTable(
        column=first["column"],
        metrics=tuple(name for _, name in columns),
        folds=tuple((fold["name"], fold["n"]) for fold in first["folds"]),
        rows=tuple(
            FoldRow(
                key=key,
                kind="baseline" if is_baseline(key) else "model",
                pooled=tuple(number(by_metric[m]["pooled"]) for m, _ in columns),
                means=tuple(_mean(by_metric[m]) for m, _ in columns),
                each=tuple(
                    tuple(number(fold["value"]) for fold in by_metric[m]["folds"]) for m, _ in columns
                ),
            )
            for key, by_metric in found.items()
        ),
        notes=tuple(dict.fromkeys(n for by in found.values() for e in by.values() if (n := e["note"]))),
    )  # fmt: skip


def _mean(entry: Mapping[str, Any]) -> str:
    if entry["mean"] is None:
        return "–"
    return f"{number(entry['mean'])} ± {number(entry['deviation'])}"


def fold_lines(view: RunView, table: ScoreTable) -> Iterator[str]:
    """`..., emotion, mean ± deviation of 5 folds: UAR .412 ± .013 (pooled .410), ...` for each model and prompt."""
    found = fold_table(view, table)
    for row in found.rows if found else ():
        if found is None or is_baseline(row.key):
            continue
        told = [
            f"{name} {mean} (pooled {pooled})"
            for name, mean, pooled in zip(found.metrics, row.means, row.pooled, strict=True)
            if mean != "–"
        ]
        model, prompt, condition = row.key
        entry = {"model": model, "prompt": prompt, "condition": condition, "field": table.name}
        of = f"mean ± deviation of {len(found.folds)} folds"
        yield f"{who_answered(entry)}, {of}: {', '.join(told) or '; '.join(found.notes)}"
