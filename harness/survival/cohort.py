"""A cohort: times, events, risks and covariates of people, read from a table and checked."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.core.text import counted
from harness.sources.cells import NO_VALUE, NO_VALUE_MARKS
from harness.sources.rows import TableRow, open_table

Floats = NDArray[np.float64]
LEAST = 20
"""People, and LEAST_EVENTS events, below which nothing is computed."""
LEAST_EVENTS = 5
MOST = 200_000
"""People: Cox models of so many take about a minute."""
FAR = 20
"""Ranges of the middle half: a risk that lies farther from the median is told."""
MOST_LEVELS = 12
"""Values of a covariate or stratum that is not a number."""
_EVENT = {"1": True, "yes": True, "true": True, "y": True, "t": True, "dead": True, "deceased": True, "died": True, "event": True,
          "0": False, "no": False, "false": False, "n": False, "f": False, "alive": False, "living": False, "censored": False,
          "1.0": True, "0.0": False}  # fmt: skip
_BLANK = NO_VALUE | NO_VALUE_MARKS
_COMMA = re.compile(r"\s*-?\d+(?:,\d+)+(?:\.\d+)?\s*")
_DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|.*\bdays?\b")


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """n people."""

    name: str
    """The file."""
    time: Floats
    """(n,) time to the event or to censoring, at least 0, in the unit of the table."""
    event: NDArray[np.bool_]
    """(n,) whether the event happened; False: censored."""
    risk: Floats
    """(n,) higher for those who are expected to have the event earlier."""
    risk_name: str
    time_name: str
    adjust: Mapping[str, Floats] = field(default_factory=dict)
    """Name of a covariate, of other values than numbers with one of them (`sex=male`) -> (n,)."""
    strata: Sequence[str] = ()
    """(n,) the stratum of each, or none at all."""
    notes: Sequence[str] = ()
    """What was left out, and what to know of the times."""

    def __len__(self) -> int:
        return int(self.time.size)


def read_cohort(
    path: Path,
    *,
    time: str,
    event: str,
    risk: str,
    adjust: Sequence[str] = (),
    strata: Sequence[str] = (),
) -> Cohort:
    """Read a table with one row a person. `risk` and a name of `adjust` may be a column, or a difference of two columns
    written `predicted-age`.

    Rows with an empty cell in a column that is used are left out and counted. Raises HarnessError for a missing column, a
    negative or infinite time, an event that is neither yes nor no, a risk that is no number (each with its row); for
    fewer than 20 people or 5 events, no spread of the risk, more than 200,000 people, and a column that is asked for twice.
    """
    table = open_table(path)
    used = [
        time,
        event,
        *(p for name in (risk, *adjust) for p in _parts(name, table.columns)),
        *strata,
    ]
    missing = [name for name in used if name not in table.columns]
    if missing:
        raise HarnessError(
            f"{path.name} has no column {missing[0]!r}",
            hint=f"its columns: {', '.join(table.columns)}",
        )
    if outcome := next((name for name in used[2:] if name in (time, event)), None):
        which = "time" if outcome == time else "event"
        raise HarnessError(
            f"column {outcome!r} is the {which}, and cannot be a risk, covariate or stratum too",
            hint="name another column with --risk, --adjust or --strata",
        )
    _refuse_twice((risk, *adjust, *strata))
    rows, left = _complete(table, used)
    _check_size(path, len(rows))
    times = np.array([_time(row, time, path) for row in rows])
    events = np.array([_event(row, event, path) for row in rows], dtype=np.bool_)
    risks = _numbers(rows, risk, table.columns, path)
    _check_cohort(path, events, risks, event, risk)
    groups = (
        [", ".join(str(row.cells[name]).strip() for name in strata) for row in rows]
        if strata
        else []
    )
    notes = (
        [f"{left} of {left + len(rows)} rows are left out: a cell that is used is empty"]
        if left
        else []
    )
    notes += [*_repeats(rows), *_odd(rows, times, events, risks)]
    if (alone := sum(n == 1 for n in Counter(groups).values())) > 0:
        notes.append(
            f"{counted(alone, 'person is', 'people are')} alone in a stratum, and compared with no one"
        )
    for name in dict.fromkeys((*adjust, *strata)):
        notes += _spellings(rows, name)
    return Cohort(
        path.name, times, events, risks, risk, time,
        adjust={k: v for name in adjust for k, v in _covariate(rows, name, table.columns, path).items()},
        strata=groups, notes=notes,
    )  # fmt: skip


def _odd(
    rows: Sequence[TableRow], times: Floats, events: NDArray[np.bool_], risks: Floats
) -> list[str]:
    """Sentences on times of zero, a risk far off the others, and events at the same time."""
    notes = []
    if (zeros := int((times == 0).sum())) > 0:
        notes.append(f"{counted(zeros, 'person', 'people')} with a time of 0")
    if (far := _far(risks)) is not None:
        notes.append(
            f"the risk {risks[far]:g} ({rows[far].where}) lies more than {FAR} times the range of the middle half away; the "
            "ratio per standard deviation rests on such values"
        )
    ties = len(times[events]) - np.unique(times[events]).size
    if ties > events.sum() / 4:
        notes.append(
            f"{ties} of {int(events.sum())} events share their time with another (Efron's correction is used)"
        )
    return notes


def _refuse_twice(names: Sequence[str]) -> None:
    """Raise HarnessError for a name that is there twice, as risk, covariate or stratum."""
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise HarnessError(
            f"{twice!r} is given twice among --risk, --adjust and --strata",
            hint="a model cannot hold a column twice, and strata need no adjustment: name it once",
        )


def _repeats(rows: Sequence[TableRow]) -> list[str]:
    """A sentence on rows that are the same in every cell, as when tables were joined twice."""
    more = len(rows) - len({tuple(map(str, row.cells.values())) for row in rows})
    if not more:
        return []
    return [
        f"{counted(more, 'row repeats', 'rows repeat')} another in every cell; each row counts as a person"
    ]


def _spellings(rows: Sequence[TableRow], name: str) -> list[str]:
    """A sentence on values that differ in small and capital letters only."""
    found = {str(row.cells[name]).strip() for row in rows if name in row.cells}
    spellings: dict[str, list[str]] = {}
    for value in sorted(found):
        spellings.setdefault(value.casefold(), []).append(value)
    double = next((alike for alike in spellings.values() if len(alike) > 1), None)
    if double is None:
        return []
    return [f"{' and '.join(map(repr, double))} in {name!r} are taken for different values"]


def _far(risks: Floats) -> int | None:
    """The place of the risk farthest from the middle, if that is far off the others."""
    low, middle, high = np.quantile(risks, (0.25, 0.5, 0.75))
    away = np.abs(risks - middle)
    return int(away.argmax()) if away.max() > FAR * (high - low) > 0 else None


def _parts(name: str, columns: Sequence[str]) -> Sequence[str]:
    """The columns that a name stands for: itself, or the two of a difference."""
    if name in columns:
        return (name,)
    for place, mark in enumerate(name):
        if mark == "-" and {name[:place], name[place + 1 :]} <= set(columns):
            return (name[:place], name[place + 1 :])
    return (name,)


def _complete(rows: Iterable[TableRow], used: Sequence[str]) -> tuple[list[TableRow], int]:
    kept: list[TableRow] = []
    left = 0
    for row in rows:
        if any(_blank(row.cells.get(name)) for name in used):
            left += 1
        elif len(kept) > MOST:
            break
        else:
            kept.append(row)
    return kept, left


def _blank(cell: Any) -> bool:
    return cell is None or str(cell).strip().lower() in _BLANK


def _check_size(path: Path, count: int) -> None:
    if count < LEAST:
        raise HarnessError(
            f"{path.name}: {count} people with all columns filled in, of which at least {LEAST} are needed",
            hint="check the columns, or collect more people",
        )
    if count > MOST:
        raise HarnessError(f"{path.name}: more than {MOST:,} people", hint="draw a sample of them")


def _check_cohort(
    path: Path, events: NDArray[np.bool_], risks: Floats, event: str, risk: str
) -> None:
    found = int(events.sum())
    if found < LEAST_EVENTS:
        raise HarnessError(
            f"{path.name}: {found or 'no'} events in column {event!r}, of which at least {LEAST_EVENTS} are needed",
            hint="an event is 1, yes, true, dead, died or deceased; none is 0, no, false, alive, living or censored",
        )
    if np.unique(risks).size < 2:
        raise HarnessError(
            f"{path.name}: all risks in {risk!r} are equal", hint="name another column"
        )


def _time(row: TableRow, name: str, path: Path) -> float:
    value = _number(row, name, path)
    if value < 0:
        raise HarnessError(
            f"{row.where}: {name} is negative ({value:g})",
            hint="times run from the picture to the event or to the last time the person was seen",
        )
    return value


def _event(row: TableRow, name: str, path: Path) -> bool:
    cell = row.cells[name]
    word = (
        str(int(cell))
        if isinstance(cell, bool | float) and cell in {0, 1}
        else str(cell).strip().lower()
    )
    if word not in _EVENT:
        raise HarnessError(
            f"{row.where}: {name} is {str(cell)[:40]!r}, neither an event nor censored",
            hint="an event is 1, yes, true, dead, died or deceased; none is 0, no, false, alive, living or censored. Where 2 is an "
            "event and 1 is none, subtract 1",
        )
    return _EVENT[word]


def _number(row: TableRow, name: str, path: Path) -> float:
    try:
        value = float(row.cells[name])
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        cell = str(row.cells[name])
        raise HarnessError(
            f"{row.where}: {name} is {cell[:40]!r}, not a number", hint=_mended(cell)
        )
    return value


def _mended(cell: str) -> str:
    """What to do about a cell that should hold a number."""
    if _COMMA.fullmatch(cell):
        return "write numbers with a decimal point, and without marks between thousands"
    if _DATE.match(cell):
        return "times are numbers: take the days or years from the picture to the event or to the last sight of the person"
    return "correct the cell, or leave it empty so that the row is left out"


def _numbers(rows: Sequence[TableRow], name: str, columns: Sequence[str], path: Path) -> Floats:
    parts = _parts(name, columns)
    found = [np.array([_number(row, part, path) for row in rows]) for part in parts]
    return found[0] - found[1] if len(found) == 2 else found[0]


def _covariate(
    rows: Sequence[TableRow], name: str, columns: Sequence[str], path: Path
) -> Mapping[str, Floats]:
    """One column of numbers, or one of zeros and ones for each value but the most frequent one."""
    parts = _parts(name, columns)
    cells = [str(row.cells[parts[0]]).strip() for row in rows]
    if len(parts) == 2 or all(_is_number(cell) for cell in cells):
        values = _numbers(rows, name, columns, path)
        if np.unique(values).size < 2:
            raise HarnessError(
                f"{path.name}: all values of {name!r} are equal", hint="leave it out of --adjust"
            )
        return {name: values}
    counts = Counter(cells)
    levels = sorted(counts, key=lambda level: (-counts[level], level))
    if not 2 <= len(levels) <= MOST_LEVELS:
        raise HarnessError(
            f"{path.name}: {name!r} has {counted(len(levels), 'different value')}",
            hint=f"a covariate is a number, or has 2 to {MOST_LEVELS} values",
        )
    return {
        f"{name}={level}": np.array([cell == level for cell in cells], dtype=np.float64)
        for level in levels[1:]
    }


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
