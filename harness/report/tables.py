"""Score tables as data, before they are drawn or printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as given
from types import MappingProxyType
from typing import Any, Literal

from harness.analyses.against_baselines import KEY
from harness.analyses.keys import BLANK, Numbers, RowKey, heading, is_baseline, row_key
from harness.analyses.rows.against_baselines import judged
from harness.analyses.words import interval, metric_name, number, percent, table_metrics
from harness.core.field import FieldSpec
from harness.core.kind import kind_of
from harness.metrics import Metric, missing_said, named
from harness.report.inputs import RunView, asked_by, scored_fields
from harness.report.versions import asked_note
from harness.score.baselines import CEILINGS
from harness.score.table import ScoreRow

LineKind = Literal["ceiling", "baseline", "model", "blank", "pending", "not-run"]
Verdict = Literal["above", "not-above", "withheld", ""]

_VERDICTS: Mapping[str, Verdict] = MappingProxyType(
    {"above": "above", "not-above": "not-above", "withheld": "withheld"}
)

FEW_ANSWERED = 0.5
"""Below this coverage a strict value rests mostly on what missing answers are given in place of an error."""
SUMMARY_TABLES = 8
"""A task with more tables than this is summed up by its main field."""


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """A number as printed, with the row behind it."""

    value: str
    interval: str
    row: ScoreRow | None


@dataclass(frozen=True, slots=True)
class TableLine:
    """One row of a score table."""

    kind: LineKind
    key: RowKey
    """Model, prompt, condition."""
    note: str
    """`in-sample`, `not run`, `nothing finished yet`."""
    n: int | None
    coverage: str
    strict: tuple[PrintedNumber, ...]
    """One for each column of the table."""
    answered: tuple[PrintedNumber, ...]
    """The same over answered samples only."""


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """One field on one slice: baselines first, then every cell."""

    task: str
    slice: str
    field: str
    spec: FieldSpec
    columns: tuple[tuple[str, str], ...]
    """(metric, heading), the main one first."""
    lines: tuple[TableLine, ...]
    against: Mapping[RowKey, tuple[str, str]] = given(default_factory=dict)
    """Who answered -> whether the main metric is shown to be better than both baselines (`Verdict`), and where that is
    withheld the reason."""

    @property
    def main(self) -> str:
        """The metric of the first column."""
        return self.columns[0][0]

    @property
    def name(self) -> str:
        """The field, with its part where that says more."""
        if self.slice in {"all", "", self.field}:
            return self.field
        return f"{self.field} ({self.slice})"

    @property
    def baselines(self) -> tuple[TableLine, ...]:
        return tuple(line for line in self.lines if line.kind == "baseline")


def score_tables(view: RunView, task: str) -> Iterator[ScoreTable]:
    """The tables of a task: one for each part (or the whole) and scored field."""
    specs = dict(scored_fields(view.tasks[task]))
    for slice_name, field, block in view.whole(task):
        if field in specs:
            columns = table_metrics(specs[field])
            yield ScoreTable(
                task=task,
                slice=slice_name,
                field=field,
                spec=specs[field],
                columns=columns,
                lines=tuple(_lines(view, task, field, block, [m for m, _ in columns])),
                against=_against(view, task, slice_name, field),
            )


def _against(view: RunView, task: str, part: str, name: str) -> dict[RowKey, tuple[str, str]]:
    """Who answered -> the verdict, and its reason."""
    rows: dict[RowKey, list[Mapping[str, Any]]] = {}
    for row in view.scores.found.get(KEY, ()):
        if (row["task"], row["slice"], row["field"]) == (task, part, name):
            rows.setdefault(row_key(row), []).append(row)
    return {key: judged(found) for key, found in rows.items()}


def _lines(
    view: RunView, task: str, field: str, block: Numbers, metrics: Sequence[str]
) -> Iterator[TableLine]:
    state: Mapping[str, Any] = next((s for s in view.scores.tasks if s["task"] == task), {})
    for key, rows in block.items():
        if key[0] not in CEILINGS or metrics[0] in rows:  # some are held against the votes alone
            yield _line(_kind(key), key, rows, metrics, asked=asked_note(state, key))
    cells = [cell for cell in view.cells(task) if asked_by(view, cell, field)]
    for cell in cells:
        key = row_key(cell)
        if key not in block and not _has_other_part(view, task, field, key):
            yield _empty("pending", key, "nothing finished yet", metrics)
    if not any(cell["condition"] == BLANK for cell in cells):
        yield _empty("not-run", ("blank picture", "", BLANK), "not run", metrics)


def _has_other_part(view: RunView, task: str, field: str, key: RowKey) -> bool:
    return any(field == name and key in block for _, name, block in view.whole(task))


def _kind(key: RowKey) -> LineKind:
    if is_baseline(key):
        return "baseline"
    if key[0] in CEILINGS:
        return "ceiling"
    return "blank" if key[2] == BLANK else "model"


def _line(
    kind: LineKind,
    key: RowKey,
    rows: Mapping[str, ScoreRow],
    metrics: Sequence[str],
    *,
    asked: str = "",
) -> TableLine:
    first = rows.get(metrics[0])
    in_sample = first is not None and "in-sample" in first.estimator
    return TableLine(
        kind=kind,
        key=key,
        note="in-sample" if kind == "baseline" and in_sample else CEILINGS.get(key[0], asked),
        n=first.n if first else None,
        coverage=percent(first.coverage if first else None),
        strict=tuple(shown(rows.get(metric)) for metric in metrics),
        answered=tuple(shown(rows.get(f"{metric}_answered")) for metric in metrics),
    )


def _empty(kind: LineKind, key: RowKey, note: str, metrics: Sequence[str]) -> TableLine:
    nothing = tuple(shown(None) for _ in metrics)
    return TableLine(kind, key, note, None, "–", nothing, nothing)


def shown(row: ScoreRow | None) -> PrintedNumber:
    """A score row as printed."""
    if row is None:
        return PrintedNumber("–", "", None)
    return PrintedNumber(number(row.value), interval(row.low, row.high), row)


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """The number that matters most of one field, with what it has to beat."""

    task: str
    name: str
    """The field, with its part."""
    metric: str
    key: RowKey
    score: PrintedNumber
    majority: PrintedNumber
    prior: PrintedNumber
    blank: str
    """The blank-picture number of the same model and prompt, or `not run`."""
    verdict: Verdict
    reason: str = ""
    """Why nothing is said."""


def summary(tables: Sequence[ScoreTable]) -> tuple[SummaryLine, ...]:
    """One line for each model and prompt on the fields of one task, under the plain condition.

    A task of more than SUMMARY_TABLES fields and parts gives the first field of each part only.
    """
    if len(tables) > SUMMARY_TABLES:
        tables = list({table.slice: table for table in reversed(tables)}.values())[::-1]
    return tuple(line for table in tables for line in _summary_lines(table))


def _summary_lines(table: ScoreTable) -> Iterator[SummaryLine]:
    baselines = {line.key[0]: line.strict[0] for line in table.baselines}
    blanks = {line.key[:2]: line.strict[0] for line in table.lines if line.kind == "blank"}
    lines = [line for line in table.lines if line.kind == "model"]
    for line in [line for line in lines if line.key[2] == "none"] or lines:
        blank = blanks.get(line.key[:2])
        verdict, reason = table.against.get(line.key, ("", "no interval of the difference"))
        yield SummaryLine(
            task=table.task,
            name=table.name,
            metric=metric_name(table.main, table.spec),
            key=line.key,
            score=line.strict[0],
            majority=baselines.get("majority", shown(None)),
            prior=baselines.get("prior", shown(None)),
            blank=blank.value if blank else "not run",
            verdict=_VERDICTS.get(verdict, ""),
            reason=reason,
        )


def imputed_lines(table: ScoreTable) -> Iterator[str]:
    """For each cell of few answers, that its main metric rests on what missing answers were given; none for metrics that
    count them as wrong."""
    known = known_metric(table)
    if known is None or not known.imputes:
        return
    for line in table.lines:
        row = line.strict[0].row
        if (
            line.kind in {"model", "blank"}
            and row
            and (row.coverage or 0) < FEW_ANSWERED
            and row.coverage is not None
        ):
            answered = line.answered[0]
            over = f"; over the answered it is {answered.value}" if answered.row else ""
            yield (
                f"{' '.join(heading(line.key))} answered {percent(row.coverage)}: its {known.title} ({line.strict[0].value}) "
                f"rests mostly on missing answers, each of which {known.missing}{over}"
            )


def missing_words(table: ScoreTable) -> str:
    """What a missing answer counts in the columns of a table, as the end of a sentence that begins with `a missing answer`."""
    family, said = kind_of(table.spec).family_name, dict[str, list[str]]()
    for metric, title in table.columns:
        said.setdefault(missing_said(metric, family), []).append(title)
    if len(said) == 1:
        return next(iter(said))
    return "; ".join(f"{words} ({', '.join(titles)})" for words, titles in said.items())


def known_metric(table: ScoreTable) -> Metric | None:
    """What the main metric of a table is; None where no installed package knows it."""
    return named(table.main, kind_of(table.spec).family_name)
