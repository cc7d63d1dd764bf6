"""Score tables as blocks, and which blocks of the analyses go below each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from harness.analyses.keys import UNSEEN_SAID, measured, said
from harness.analyses.sections import Section
from harness.core.blocks import Block, Cell, Column, Number, Place, Row, RowRole, Share, Table, Who
from harness.report.tables import LineKind, ScoreTable, TableLine, imputed_lines, missing_words
from harness.score.table import ScoreRow

MISS = "counts as a miss"
MOST_INTERVALS = 3
"""Where there is little room: with more metrics than this, all but the first two stand without their intervals."""


def under(sections: Sequence[Section], table: ScoreTable) -> Iterator[Block]:
    """The blocks of all analyses that belong under one score table."""
    place = Place(table.field, table.slice)
    return (block for section in sections for block in section.blocks if block.at == place)


def apart(sections: Sequence[Section], tables: Sequence[ScoreTable]) -> Iterator[Section]:
    """The sections with the blocks that belong under none of the score tables; empty ones are left out."""
    headed = {Place(table.field, table.slice) for table in tables}
    for one in sections:
        blocks = tuple(block for block in one.blocks if block.at not in headed)
        if blocks:
            yield Section(one.name, one.title, one.task, one.package, blocks)


def score_block(table: ScoreTable) -> Table:
    """A score table where there is much room: strict beside answered only."""
    missing = missing_words(table)
    alike = missing == MISS
    strict, answered = f"Strict: a missing answer {MISS}" if alike else "Strict", "Answered only"
    told = "" if alike else f". Strict: a missing answer {missing}"
    rows = [one.row for line in table.lines for one in (*line.strict, *line.answered)]
    return Table(
        room="much",
        caption=f"Scores of {table.name}, 95% intervals in brackets{told}{_unseen(rows, '. ')}"
        + "".join(f". {line}" for line in imputed_lines(table)),
        columns=(
            "", "n", "Coverage", *(Column(heading, group=strict) for _, heading in table.columns),
            *(Column(heading, group=answered) for _, heading in table.columns),
        ),
        rows=tuple(_row(line) for line in table.lines),
    )  # fmt: skip


def brief_block(table: ScoreTable) -> Table:
    """A score table where there is little room: strict, and the main metric over answered samples."""
    answered = table.columns[0][1].partition(" =")[0]
    bounds = len(table.columns) if len(table.columns) <= MOST_INTERVALS else 2
    unseen = _unseen([one.row for line in table.lines for one in line.strict[:bounds]])
    return Table(
        room="little",
        title=f"{table.task}: {table.name}",
        columns=(
            "", "n", "cov.", *(heading for _, heading in table.columns), f"{answered}\nanswered",
        ),
        rows=tuple(_brief(line, bounds) for line in table.lines),
        caption="\n".join(filter(None, (unseen, *imputed_lines(table)))),
    )  # fmt: skip


def _unseen(rows: Iterable[ScoreRow | None], before: str = "") -> str:
    """What the mark beside numbers without spread means, where there are any."""
    return before + UNSEEN_SAID if any(row and not row.spread for row in rows) else ""


_ROLES: Mapping[LineKind, RowRole] = MappingProxyType(
    {
        "ceiling": "ceiling", "baseline": "baseline", "model": "model", "blank": "blank", "pending": "missing",
        "not-run": "missing",
    }
)  # fmt: skip


def _who(line: TableLine) -> Who:
    return Who(*line.key, note=line.note)


def _row(line: TableLine) -> Row:
    first = line.strict[0].row
    cells: list[Cell] = [_who(line), line.n, Share(first.coverage) if first else None]
    cells += [measured(shown.row) for shown in (*line.strict, *line.answered)]
    return Row(tuple(cells), _ROLES[line.kind])


def _brief(line: TableLine, bounds: int) -> Row:
    if line.n is None:
        model, *rest = line.key if line.kind == "pending" else ("blank picture",)
        told = " ".join((model, *(word for word in rest if said(word))))
        return Row((f"{told}: {line.note}", *[""] * (len(line.strict) + 3)), "missing")
    first = line.strict[0].row
    numbers = [measured(shown.row) for shown in line.strict]
    return Row(
        (
            _who(line), line.n, Share(first.coverage if first else None), *numbers[:bounds],
            *(Number(one.value) for one in numbers[bounds:]), Number(measured(line.answered[0].row).value),
        ),
        _ROLES[line.kind],
    )  # fmt: skip
