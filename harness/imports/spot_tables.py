"""Score spotting results of other tools: tables of intervals against tables, or a task, of true ones.

Columns as the ME-STR challenge has them: subject, video, onset, offset, emotion; a further column `dataset` gives
each set's scores beside the pooled ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.analyses.rows.spotting import score_spots, true_spots
from harness.core.errors import HarnessError
from harness.core.sample import Sample
from harness.core.task import Task
from harness.metrics.spots import Spot
from harness.score.table import ScoreRow
from harness.sources.cells import is_blank, plain
from harness.sources.rows import TableRow, open_table

COLUMNS = ("subject", "video", "onset", "offset", "emotion")
DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class SpotTable:
    """A table of intervals, row by row in its order."""

    name: str
    spots: tuple[Spot, ...]
    sets: tuple[str, ...]
    """Data set of each interval; empty where the table does not say."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What there is to spot."""

    table: SpotTable
    videos: tuple[tuple[str, str], ...] = ()
    """(subject, video) of all videos, where they are known."""


def read_spots(path: Path) -> SpotTable:
    """Read a table of intervals (CSV, TSV, JSON lines, Parquet).

    Raises HarnessError naming row and column: a column missing, a blank cell, a frame that is no whole number,
    an onset behind its offset.
    """
    table = open_table(path)
    for column in COLUMNS:
        if column not in table.columns:
            raise HarnessError(
                f"{path.name} has no column {column!r}",
                hint=f"a table of intervals needs the columns {', '.join(COLUMNS)}; columns: "
                f"{', '.join(table.columns)}",
            )
    rows = list(table)
    sets = [plain(r.cells[DATASET]) for r in rows] if DATASET in table.columns else []
    return SpotTable(path.name, tuple(_spot(row) for row in rows), tuple(sets))


def _spot(row: TableRow) -> Spot:
    for column in COLUMNS:
        if is_blank(row.cells.get(column)):
            raise HarnessError(
                f"{row.where}: no {column}", hint="fill in the cell, or remove the row"
            )
    onset, offset = (_frame(row, column) for column in ("onset", "offset"))
    if onset > offset:
        raise HarnessError(
            f"{row.where}: the onset {onset} is after the offset {offset}",
            hint="correct the interval; both ends belong to it",
        )
    subject, video, emotion = (
        plain(row.cells[column]) for column in ("subject", "video", "emotion")
    )
    return Spot(subject, video, onset, offset, emotion)


def _frame(row: TableRow, column: str) -> int:
    """A frame number; some spotters give one before the video's first."""
    try:
        number = float(plain(row.cells[column]))
        if number.is_integer():
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise HarnessError(
        f"{row.where}, column {column!r}: {plain(row.cells[column])[:40]!r} is not a whole number",
        hint="frame numbers are whole numbers",
    )


def truth_of(task: Task, samples: Iterator[Sample]) -> Truth:
    """The intervals that the windows of a task know of. Raises HarnessError for a task that is no spotting task."""
    if task.spotting is None:
        raise HarnessError(
            f"{task.name} is not a spotting task",
            hint="use a task with `spotting`, such as faces/me-str, or give --events FILE",
        )
    notes: dict[tuple[str, str], Mapping[str, Any]] = {}
    for sample in samples:
        key = (str(sample.annotations["subject"]), str(sample.annotations["video"]))
        notes.setdefault(key, sample.annotations)
    spots = tuple(spot for key, note in notes.items() for spot in true_spots(key, note))
    return Truth(SpotTable(task.name, spots, ()), tuple(notes))


def spot_table_rows(
    predicted: SpotTable, truth: Truth, *, task: str, seed: int = 0
) -> Iterator[ScoreRow]:
    """Scores pooled over everything, and of each data set where both tables name them."""
    names = (task, f"predictions:{predicted.name}", "-", "none")
    yield from score_spots(predicted.spots, truth.table.spots, names, truth.videos, seed=seed)
    if not (predicted.sets and truth.table.sets):
        return
    for name in dict.fromkeys(truth.table.sets):
        ours, theirs = _of(predicted, name), _of(truth.table, name)
        yield from score_spots(ours, theirs, names, seed=seed, slice_name=f"{DATASET}={name}")


def _of(table: SpotTable, name: str) -> list[Spot]:
    return [spot for spot, held in zip(table.spots, table.sets, strict=True) if held == name]


def spot_notes(predicted: SpotTable, truth: Truth) -> Iterator[str]:
    """What looks wrong: names that the other table does not have, intervals that overlap or stand twice."""
    known = {*truth.videos, *((s.subject, s.video) for s in truth.table.spots)}
    strange = [s for s in predicted.spots if (s.subject, s.video) not in known]
    if strange and len({s.subject for s in strange} - {subject for subject, _ in known}) > 0:
        yield (
            f"{len(strange):,} of {len(predicted.spots):,} intervals are for subjects without "
            f"a true interval, such as {strange[0].subject!r}: check that both tables spell "
            "them alike"
        )
    elif strange:
        yield (
            f"{len(strange):,} intervals are in videos without a true interval, such as "
            f"{strange[0].video!r}: they count as false positives in strict scores and are "
            "left out of compat scores"
        )
    labels = {s.emotion for s in truth.table.spots}
    other = sorted({s.emotion for s in predicted.spots} - labels)
    if other:
        yield f"emotions without a true interval: {', '.join(other)}"
    if other and not labels & {s.emotion for s in predicted.spots}:
        yield "no interval names a true emotion: STRS and the scores of analysis below say nothing of recognition"
    overlaps = sum(1 for _ in _overlapping(predicted.spots))
    if overlaps:
        yield f"{overlaps:,} predicted intervals overlap an earlier one of the same video"


def _overlapping(spots: Sequence[Spot]) -> Iterator[Spot]:
    reach: dict[tuple[str, str], int] = {}
    for spot in sorted(spots, key=lambda s: (s.subject, s.video, s.onset)):
        key = (spot.subject, spot.video)
        if spot.onset <= reach.get(key, -1):
            yield spot
        reach[key] = max(spot.offset, reach.get(key, -1))
