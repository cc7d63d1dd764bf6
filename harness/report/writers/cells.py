"""The cells of a table as words, the same in every medium."""

from __future__ import annotations

from harness.analyses.keys import said
from harness.analyses.words import count, interval, number, percent
from harness.core.blocks import Block, Cell, Count, MarkedText, Number, Room, Share, Table, Who


def cell_words(cell: Cell, *, intervals: bool = True) -> str:
    """A cell as one text: `.812 [.77, .85]`, `12% (3)`, `28 (14%)`, a dash for None."""
    if isinstance(cell, Who):
        return _who(cell)
    if isinstance(cell, MarkedText):
        return f"{cell.text} ({cell.note})" if cell.note else cell.text
    main, small = number_words(cell)
    return f"{main} {small}" if small and (intervals or not isinstance(cell, Number)) else main


def number_words(cell: Cell) -> tuple[str, str]:
    """What a cell tells, and what is told smaller beside it: (`.812`, `[.77, .85]`)."""
    if isinstance(cell, Number):
        return _number(cell)
    if isinstance(cell, Share):
        return percent(cell.value), "" if cell.count is None else f"({count(cell.count)})"
    if isinstance(cell, Count):
        share = (
            "" if cell.of is None else f" ({percent(cell.value / cell.of if cell.of else None)})"
        )
        return f"{count(cell.value)}{share}", cell.note
    return _plain(cell), ""


def _number(cell: Number) -> tuple[str, str]:
    told = number(cell.value, cell.digits)
    if cell.deviation is not None:
        told = f"{told} ± {number(cell.deviation, cell.digits)}"
    return told, interval(cell.low, cell.high) + cell.mark


def _plain(cell: Cell) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return number(cell)
    if isinstance(cell, int):
        return count(cell)
    return cell if isinstance(cell, str) else cell_words(cell)


def _who(cell: Who) -> str:
    if not said(cell.prompt):
        return f"{cell.model} ({cell.note})" if cell.note else cell.model
    told = " ".join(w for w in (cell.model, cell.prompt, cell.condition) if said(w))
    return f"{told}: {cell.note}" if cell.note else told


def bar_words(value: float, unit: str) -> str:
    """The value of a bar: 75% of the unit `share`, else with as many decimals as its size needs."""
    if unit == "share":
        return percent(value)
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else number(value)


def is_numeric(table: Table, place: int) -> bool:
    """Whether a column holds numbers, which stand to the right."""
    cells = [row.cells[place] for row in table.lines if row.role != "heading"]
    kinds = {type(cell) for cell in cells if cell is not None and cell != ""}
    return bool(kinds) and kinds <= {int, float, Number, Count, Share}


def names_cells(table: Table) -> bool:
    """Whether the first column says who answered."""
    return any(isinstance(row.cells[0], Who) for row in table.lines)


def fits(block: Block, room: Room) -> bool:
    """Whether a block is drawn where there is so much room."""
    return block.room in {"any", room}
