"""An overview for a terminal: the answer, the ranking and the differences, in one or two screens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.compare.board import Board, Overview, ScoredCell
from harness.compare.tables import Block, bounds, decimal, probability
from harness.core.text import counted

LINES = 60
"""Lines of a terminal that all tables together may take, headings included."""
FEWEST = 3
"""Rows of a table, however many tables there are."""
FRAME = 7
"""Lines of a table besides its rows: blank line, heading, header, rule, remarks."""


def brief(found: Overview) -> Iterator[Block]:
    """The blocks from top to bottom; what does not fit is counted."""
    answer = tuple(str(sentence) for sentence in found.answer)
    boards = found.boards
    room = max(LINES - 4 - 2 * len(answer), 2 * (FRAME + FEWEST))
    shown = boards[: max(1, room // (2 * (FRAME + FEWEST)))]
    rows = max(FEWEST, (room // len(shown) - 2 * FRAME) // 2) if shown else 0
    yield Block(heading=found.name or "Overview", lines=answer)
    for board in shown:
        yield _ranking(board, rows)
        if board.differences:
            yield _differences(board, rows)
    more = []
    if len(boards) > len(shown):
        names = ", ".join(board.name for board in boards[len(shown) :])
        more.append(f"not shown: {names}")
    more += found.notes
    more.append("--all shows every pair, class by class and slice by slice")
    yield Block(lines=tuple(more))


def _ranking(board: Board, rows: int) -> Block:
    names = short_names(board.cells)
    compared = bool(board.comparable)
    remarks = [_basis(board)] if compared else []
    several = len({cell.n for cell in board.cells}) > 1 and any(c.apart for c in board.cells)
    left = len(board.cells) - len(board.comparable)
    if left:
        remarks.append(f"{counted(left, 'cell')} without a rank: over other samples or classes")
    if board.baselines:
        said = ", ".join(f"{name} {decimal(value)}" for name, value in board.baselines.items())
        remarks.append(f"without a model: {said}")
    blanks = [one for one in board.blanks if not one.apart]
    remarks += [f"blank picture: {_blank(blanks)}"] if blanks else []
    if len(board.cells) > rows:
        remarks.append(
            f"{len(board.cells) - rows} more cells with lower scores"
            + (" or no rank" if left else "")
        )
    return Block(
        heading=f"{board.name}, {'ranking by ' if compared else ''}{board.title}",
        header=("cell", "rank", board.title, "95% interval", *(["n"] if several else [])),
        rows=tuple(
            (
                names[cell],
                ""
                if cell.rank is None
                else f"{cell.rank}{' =' if cell.tied and cell.rank > 1 else ''}",
                "" if cell.value is None else decimal(cell.value),
                ""
                if cell.low is None or cell.high is None
                else bounds(cell.low, cell.high, signed=False),
                *([f"{cell.n:,}"] if several else []),
            )
            for cell in board.cells[:rows]
        ),
        remarks=tuple(remarks),
    )


def _differences(board: Board, rows: int) -> Block:
    both = (cell for one in board.differences for cell in (one.cell, one.reference))
    names = short_names(list(dict.fromkeys(both)))
    found = sorted(board.differences, key=lambda one: (not one.shown, -abs(one.value)))
    remarks = [
        "significant differences first, then by size; each interval is for one difference alone, p is "
        f"corrected (Holm) for {counted(len(found), 'difference')}, so an interval without 0 may have a p above .05"
    ]
    if len(found) > rows:
        left = found[rows:]
        remarks.append(f"{len(left)} more, {sum(one.shown for one in left)} of them significant")
    return Block(
        header=("cell", "compared with", f"{board.title} difference", "95% interval", "p (Holm)"),
        rows=tuple(
            (
                names[one.cell],
                names[one.reference],
                decimal(one.value, signed=True),
                "" if one.low is None or one.high is None else bounds(one.low, one.high),
                "" if one.adjusted is None else probability(one.adjusted),
            )
            for one in found[:rows]
        ),
        remarks=tuple(remarks),
    )


def short_names(cells: Sequence[ScoredCell]) -> dict[ScoredCell, str]:
    """Cell -> its name without what all cells have in common."""
    parts = {cell: (cell.folder, *cell.key) for cell in cells}
    differ = [len(set(column)) > 1 for column in zip(*parts.values(), strict=True)]
    return {
        cell: " ".join(
            part for part, told in zip(named, differ, strict=True) if told and part not in {"", "-"}
        )
        or cell.name
        for cell, named in parts.items()
    }


def _basis(board: Board) -> str:
    """What the ranking is over."""
    return (
        f"{_n(board)} samples, {board.clusters:,} clusters by {board.unit}"
        + (" (independence assumed)" if board.unit == "image" else "")
        + "; = : not significantly different from the best (paired tests, 5% level over all pairs)"
    )


def _n(board: Board) -> str:
    counts = sorted({cell.n for cell in board.comparable})
    if not counts:
        return "0"
    return f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"


def _blank(cells: Sequence[ScoredCell]) -> str:
    values = sorted(cell.value for cell in cells if cell.value is not None)
    if not values:
        return "no score"
    low, high = decimal(values[0]), decimal(values[-1])
    return low if low == high else f"{low} to {high} in {len(values)} cells"
