"""Blocks for a page: escaped by the template that draws them, figures as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from jinja2 import Environment
from markupsafe import Markup

from harness.analyses.words import interval, number, visible
from harness.core.blocks import Bars, Block, Cell, Column, Matrix, Number, Points, Row, Table
from harness.report.figures import svg
from harness.report.square import Square
from harness.report.writers.cells import bar_words, fits, is_numeric, names_cells, number_words
from harness.report.writers.shades import Shade, shades

_SQUARE = Square(200, 46)
_WIDE, _HIGH, _EDGE = 170, 18, 6


@dataclass(frozen=True, slots=True)
class Drawn:
    """One block with what the template needs to draw it."""

    shape: str
    """`table`, `lines`, `note` and so on."""
    block: Block
    title: str
    """Empty where the block before it has the same."""
    grid: GridView | None = None
    figure: Markup | None = None
    bars: tuple[tuple[str, float, str], ...] = ()
    """(label, share of the longest, value)."""
    matrix: tuple[tuple[str, int, tuple[Shade, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class GridView:
    """A table: which columns are numbers, and the groups above them."""

    who: bool
    """Whether the first column is model, prompt and condition."""
    columns: tuple[tuple[Column, bool, bool], ...]
    """(column, whether it is numeric, whether its group begins) of all but the first of a table of `who`."""
    groups: tuple[tuple[str, int], ...]
    """(group, its columns); empty where no column has one."""
    lines: tuple[tuple[Row, tuple[Markup | None, ...]], ...]
    """Each row with the strip beside each of its cells."""
    width: int


@dataclass(frozen=True, slots=True)
class BlockGroup:
    """Blocks that are folded away together, or stand open; figures among them stand side by side."""

    folded: str
    parts: tuple[tuple[bool, tuple[Drawn, ...]], ...]
    """(whether these stand side by side, blocks)."""


def blocks_html(blocks: Iterable[Block], environment: Environment) -> Markup:
    """The blocks that have room on a page."""
    runs = _runs([block for block in blocks if fits(block, "much")])
    made = environment.get_template("blocks.html.j2").render(runs=runs, words=number_words)
    return Markup(made)  # noqa: S704 - the template escapes


def _runs(blocks: Sequence[Block]) -> tuple[BlockGroup, ...]:
    drawn = [_drawn(block) for block in blocks]
    return tuple(
        BlockGroup(
            folded,
            tuple(
                (beside, tuple(part))
                for beside, part in groupby(
                    members, key=lambda one: one.shape in {"points", "matrix"}
                )
            ),
        )
        for folded, members in groupby(drawn, key=lambda one: one.block.folded)
    )


def _drawn(block: Block) -> Drawn:
    shape = type(block).__name__.lower()
    if isinstance(block, Table):
        return Drawn(shape, block, block.title, grid=_grid(block))
    if isinstance(block, Points):
        return Drawn(shape, block, block.title, figure=_points(block))
    if isinstance(block, Bars):
        return Drawn(shape, block, block.title, bars=tuple(_bars(block)))
    if isinstance(block, Matrix):
        rows = tuple(
            (name, sum(counts), shades(counts, place, len(block.rows), paired=block.paired))
            for place, (name, counts) in enumerate(zip(block.rows, block.counts, strict=True))
        )
        return Drawn(shape, block, block.title, matrix=rows)
    return Drawn(shape, block, block.title)


def _grid(table: Table) -> GridView:
    who = names_cells(table)
    headings = table.headings
    groups = [(name, len(list(members))) for name, members in groupby(c.group for c in headings)]
    columns = tuple(
        (column, is_numeric(table, place), bool(column.group) and column.group != headings[place - 1].group)
        for place, column in enumerate(headings)
    )  # fmt: skip
    scales = {place: _scale(table, place) for place, c in enumerate(headings) if c.strip}
    strips = sum(column.strip for column in headings)
    return GridView(
        who=who,
        columns=columns,
        groups=tuple(groups) if any(name for name, _ in groups) else (),
        lines=tuple((row, tuple(_strips(row, scales))) for row in table.lines),
        width=len(headings) + strips + (2 if who else 0),
    )


def _scale(table: Table, place: int) -> tuple[float, float]:
    cells = (row.cells[place] for row in table.lines if row.role != "heading")
    reach = [
        value
        for cell in cells
        if isinstance(cell, Number) and cell.value is not None
        for value in (cell.value, cell.low, cell.high)
        if value is not None
    ]
    return (min(reach), max(reach)) if reach else (0.0, 1.0)


def _strips(row: Row, scales: dict[int, tuple[float, float]]) -> Iterator[Markup | None]:
    for place, cell in enumerate(row.cells):
        yield _strip(row.cells[0], cell, scales[place]) if place in scales else None


def _strip(name: Cell, cell: Cell, scale: tuple[float, float]) -> Markup | None:
    """Dot and whisker, to one scale in the whole column."""
    if not isinstance(cell, Number) or cell.value is None:
        return None
    low, high = scale
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return round(_EDGE + (value - low) / span * (_WIDE - 2 * _EDGE), 1)

    parts = []
    if cell.low is not None and cell.high is not None:
        line = Markup('<line class="whisker" x1="{}" x2="{}" y1="{}" y2="{}"/>')
        parts.append(line.format(x(cell.low), x(cell.high), _HIGH / 2, _HIGH / 2))
    dot = Markup('<circle class="dot" cx="{}" cy="{}" r="4.5"/>')
    parts.append(dot.format(x(cell.value), _HIGH / 2))
    told = f"{number_words(name)[0]}: {' '.join(number_words(cell))}"
    return svg(_WIDE, _HIGH, told, parts)


def _points(block: Points) -> Markup:
    """Points on the unit square, each with its numbers as a tooltip."""
    square = replace(_SQUARE, most=block.most)
    parts = square.axes(visible(block.x_name), visible(block.y_name), diagonal=not block.joined)
    if block.joined and block.points:
        path = " ".join(f"{square.x(p.x)},{square.y(p.y)}" for p in block.points)
        parts.append(Markup('<polyline class="whisker" fill="none" points="{}"/>').format(path))
    total = sum(point.n for point in block.points) or 1
    for point in block.points:
        told = f"{number(point.x, 2)}: {number(point.y)} {interval(point.low, point.high)}, n {point.n:,}"
        if point.low is not None and point.high is not None:
            whisker = Markup('<path class="whisker" d="M{0} {1}V{2}"/>')
            x = square.x(point.x)
            parts.append(whisker.format(x, square.y(point.low), square.y(point.high)))
        radius = 2.5 if block.joined else 5
        if block.sized:
            radius = round(2.5 + 8 * (point.n / total) ** 0.5, 1)
        dot = Markup('<circle class="dot" cx="{}" cy="{}" r="{}"><title>{}</title></circle>')
        parts.append(dot.format(square.x(point.x), square.y(point.y), radius, told))
    words = "; ".join(f"{number(point.x, 2)}: {number(point.y, 2)}" for point in block.points)
    told = f"{block.y_name} by {block.x_name}: {words}"
    return svg(square.size, square.size, told, parts)


def _bars(block: Bars) -> Iterator[tuple[str, float, str]]:
    most = 1.0 if block.unit == "share" else max((v for _, v in block.bars), default=0.0) or 1.0
    for label, value in block.bars:
        yield label, round(min(value / most, 1.0), 4), bar_words(value, block.unit)
