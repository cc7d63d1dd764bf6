"""Blocks for a terminal of at most 100 columns, or for a pipe."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING

from harness.analyses.words import visible
from harness.core.blocks import (
    Bars,
    Block,
    Cell,
    Lines,
    Matrix,
    Note,
    Number,
    Points,
    Preformatted,
    Row,
    Table,
)
from harness.report.writers.cells import bar_words, cell_words, is_numeric

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Grid

WIDTH = 100
BAR = 40
"""Columns of the longest bar."""
LEAST_FIRST = 18
"""What the first column keeps before a table is told in parts; its words fold."""


def open_console(file: IO[str]) -> Console:
    """A console of at most WIDTH columns; plain text where `file` is no terminal."""
    from rich.console import Console

    probe = Console(file=file, force_jupyter=False)
    width = min(WIDTH, probe.width) if probe.is_terminal else WIDTH
    return Console(
        file=file, force_jupyter=False, width=width, markup=False, highlight=False, emoji=False
    )


def say(console: Console, text: str, style: str = "") -> None:
    """A line, folded where it is too long."""
    from rich.text import Text

    console.print(Text(visible(text), style=style), overflow="fold")


def say_below(console: Console, line: str, style: str = "") -> None:
    """A line beneath tables, indented and wrapped."""
    for part in textwrap.wrap(
        visible(line), WIDTH - 4, initial_indent="  ", subsequent_indent="    "
    ):
        say(console, part, style)


def show(console: Console, grid: Grid) -> None:
    """Print a table; in a pipe without the blanks that would fill its lines."""
    if console.is_terminal:
        console.print(grid)
        return
    with console.capture() as captured:
        console.print(grid)
    for line in captured.get().splitlines():
        console.file.write(f"{line.rstrip()}\n")


def grid(headings: Sequence[str], first: str = "") -> Grid:
    """An empty table: a first column of words, and columns of numbers."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as Grid

    table = Grid(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column(visible(first), overflow="fold")
    for heading in headings:
        table.add_column(visible(heading), justify="right", no_wrap=True)
    return table


def is_line(block: Block) -> bool:
    """Whether a block is told in lines beneath the tables."""
    return isinstance(block, Lines | Note)


def print_lines(console: Console, blocks: Iterable[Block]) -> None:
    """The lines and notes among blocks."""
    for block in blocks:
        if isinstance(block, Lines):
            for line in block.lines:
                say_below(console, f"{block.title}: {line}" if block.title else line, "dim")
        elif isinstance(block, Note) and block.warning:
            title = f"{block.title.lower()}: " if block.title else ""
            say_below(console, f"warning: {title}{block.text}", "bold red")
        elif isinstance(block, Note):
            say_below(console, f"{block.title}: {block.text}" if block.title else block.text, "dim")


def print_tables(console: Console, blocks: Iterable[Block], *, heading: str = "") -> None:
    """The blocks that are no lines. `heading` stands above a block without a title of its own."""
    for block in blocks:
        if isinstance(block, Preformatted):
            for line in (*(("", block.title) if block.title else ()), *block.lines):
                say(console, line)
        elif not is_line(block):
            console.print()
            title = ": ".join(text for text in (heading, block.title) if text)
            if title:
                say(console, title, "bold")
            for table in _packed(_as_table(block), console.width):
                show(console, _grid_of(table, console.width))
            for line in getattr(block, "caption", "").splitlines():
                say_below(console, line, "dim")


def _as_table(block: Block) -> Table:
    """Figures as the table of their numbers."""
    if isinstance(block, Bars):
        values = [value for _, value in block.bars]
        most = 1.0 if block.unit == "share" else max(values, default=0.0) or 1.0
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (label, bar_words(value, block.unit), "█" * round(BAR * value / most))
            for label, value in block.bars
        )
        return Table(columns=("", block.unit, ""), rows=rows)
    if isinstance(block, Matrix):
        corner = f"{block.row_name} \\ {block.column_name}"
        counts = zip(block.rows, block.counts, strict=True)
        return Table(columns=(corner, *block.columns), rows=tuple((n, *c) for n, c in counts))
    if isinstance(block, Points):
        return Table(
            columns=("", block.x_name, block.y_name, "n"),
            rows=tuple(("", p.x, Number(p.y, p.low, p.high), p.n) for p in block.points),
        )
    assert isinstance(block, Table)
    return block


_GAP = 2
"""Blanks between two columns."""


def _packed(table: Table, width: int) -> list[Table]:
    """The table, in parts beside which the first column is repeated where it is too wide."""
    widths = [_least(table, place) + _GAP for place in range(len(table.columns))]
    first = _first(table) + _GAP
    parts: list[list[int]] = [[]]
    for place in range(1, len(widths)):
        used = first + sum(widths[p] for p in parts[-1])
        if parts[-1] and used + widths[place] - 1 > width:  # the last has one blank
            parts.append([])
        parts[-1].append(place)
    if len(parts) == 1:
        return [table]
    return [
        Table(
            columns=tuple(table.columns[p] for p in (0, *part)),
            rows=tuple(
                row if row.role == "heading" else Row(tuple(row.cells[p] for p in (0, *part)), row.role)
                for row in table.lines
            ),
        )
        for part in parts
    ]  # fmt: skip


def _width(table: Table, place: int) -> int:
    """The columns that a column takes at least: its longest cell; a heading may fold."""
    cells = (row.cells[place] for row in table.lines if row.role != "heading")
    return max((len(visible(cell_words(cell))) for cell in cells), default=0)


def _least(table: Table, place: int) -> int:
    """As `_width`, and no less than the longest word of the heading, so that no word is broken."""
    heading = table.headings[place]
    words = f"{heading.group} {heading.heading}".split()
    return max([_width(table, place), *(len(visible(word)) for word in words)])


def _first(table: Table) -> int:
    """What the first column keeps."""
    return min(_width(table, 0), LEAST_FIRST)


def _grid_of(table: Table, width: int) -> Grid:
    from rich.text import Text as Styled

    headings = table.headings
    names = [f"{c.group}\n{c.heading}" if c.group else c.heading for c in headings]
    made = grid(names[1:], names[0])
    made.columns[0].min_width = _first(table)
    wide = [
        max(_width(table, at), *map(len, name.splitlines() or [""]), 0)
        for at, name in enumerate(names)
    ]
    tight = sum(wide) + _GAP * (len(wide) - 1) >= width
    intervals = width >= WIDTH
    for place, name in enumerate(names):
        column = made.columns[place]
        longest = max(map(len, name.splitlines()), default=0)
        if place and longest > _width(table, place):
            column.min_width = _least(table, place)
            column.max_width = column.min_width if tight else None
            column.no_wrap, column.overflow = False, "fold"
        if place and not is_numeric(table, place):
            column.justify, column.no_wrap, column.overflow = "left", False, "fold"
    for row in table.lines:
        style = {"model": "", "total": "bold", "heading": "bold"}.get(row.role, "dim")
        cells = [*row.cells, *[""] * (len(names) - len(row.cells))]
        shown = [
            cell_words(cell, intervals=intervals or place < _FIRST_NUMBERS)
            for place, cell in enumerate(cells)
        ]
        made.add_row(*(Styled(visible(cell), style=style) for cell in shown))
    return made


_FIRST_NUMBERS = 4
"""On a narrow terminal, the columns of a table that keep their intervals."""
