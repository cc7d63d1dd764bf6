"""Ratings as tables: every answer in long form, and what is agreed on in wide form, which a sidecar reads.

Long form, one row an answer: rater, item, condition, field, value, seconds, and what is known of the rater.
Wide form, one row a sample: sample, and a column for each field.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.rating.agreed import Standing, Verdict
from harness.rating.items import PLAIN
from harness.rating.journal import Ratings
from harness.run.folder import write_atomically

LONG = ("rater", "item", "condition", "field", "value", "seconds")
SUFFIXES = (".csv", ".parquet")

Columns = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    long: Path
    answers: int
    wide: Path
    samples: int
    """Samples with an agreed answer to any field."""
    standings: Mapping[Standing, int]
    """How many items times fields stand how."""
    condition: str
    """The condition whose agreed answers the wide form holds."""


def check_out(out: Path) -> None:
    """Raises HarnessError for a name that says no kind of table."""
    if out.suffix.lower() not in SUFFIXES:
        raise HarnessError(
            f"--out {out}: ratings are written as {' or '.join(SUFFIXES)}",
            hint="--out ratings.csv",
        )


def wide_path(out: Path) -> Path:
    """Where the agreed answers lie: beside the table of all answers."""
    return out.with_name(f"{out.stem}-agreed{out.suffix}")


def write_tables(out: Path, ratings: Ratings, found: Sequence[Verdict]) -> Written:
    """Both tables, each replaced in one step; `found` are the verdicts of `ratings`. Raises HarnessError."""
    check_out(out)
    long, wide, condition = long_form(ratings), wide_form(ratings, found), _condition(ratings)
    write_atomically(out, _encoded(long, out.suffix))
    write_atomically(wide_path(out), _encoded(wide, out.suffix))
    return Written(
        long=out, answers=len(long["rater"]), wide=wide_path(out), samples=len(wide["sample"]),
        standings=Counter(one.standing for one in found), condition=condition,
    )  # fmt: skip


def long_form(ratings: Ratings) -> Columns:
    """Column -> cells. Adjudications are no ratings and stand in the wide form alone."""
    more = list(dict.fromkeys(name for about in ratings.about.values() for name in about))
    table: Columns = {name: [] for name in (*LONG, *more)}
    for (rater, item, name), rating in sorted(ratings.given.items()):
        about = ratings.about.get(rater, {})
        cells = (rater, item.sample, item.condition, name, rating.value, round(rating.seconds, 3))
        for column, cell in zip(LONG, cells, strict=True):
            table[column].append(cell)
        for column in more:
            table[column].append(about.get(column))
    return table


def wide_form(ratings: Ratings, found: Sequence[Verdict]) -> Columns:
    """Column -> cells; a sample of which nothing is agreed on has no row."""
    condition, names = _condition(ratings), [field.name for field in ratings.study.fields]
    rows: dict[str, dict[str, str]] = {}
    for one in found:
        if one.value is not None and one.item.condition == condition:
            rows.setdefault(one.item.sample, {})[one.field] = one.value
    table: Columns = {"sample": list(rows)}
    for name in names:
        table[name] = [row.get(name) for row in rows.values()]
    return table


def _condition(ratings: Ratings) -> str:
    """That of the samples as they are, else the first that was rated."""
    conditions = ratings.study.conditions
    return PLAIN if PLAIN in conditions else conditions[0]


def _encoded(table: Columns, suffix: str) -> bytes:
    if suffix.lower() == ".csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
        return text.getvalue().encode("utf-8", "surrogatepass")
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        name: pa.array(cells, pa.float64() if name == "seconds" else pa.string())
        for name, cells in ((n, _texts(n, c)) for n, c in table.items())
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def _texts(name: str, cells: list[Any]) -> list[Any]:
    if name == "seconds":
        return cells
    return [None if cell is None else str(cell) for cell in cells]
