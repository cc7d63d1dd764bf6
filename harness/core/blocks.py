"""Blocks: results of an analysis as data. Writers draw them for a terminal, a page, Markdown or JSON.

The union is closed: a writer that draws these draws every analysis, and an analysis that uses them is drawn
everywhere. Blocks contain values, not formatted text, wherever possible.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Room = Literal["any", "little", "much"]
"""Where a block is drawn: everywhere, only in little space (a terminal), or only where there is much space."""

RowRole = Literal["model", "baseline", "ceiling", "blank", "missing", "heading", "total"]


@dataclass(frozen=True, slots=True)
class Place:
    """Which score table a block belongs under."""

    field: str
    part: str = "all"
    """`all`, or the part of the task."""


@dataclass(frozen=True, slots=True)
class Number:
    """A value with its interval, such as .812 [.77, .85]."""

    value: float | None
    low: float | None = None
    high: float | None = None
    digits: int = 3
    """Decimals of the value; bounds have two."""
    deviation: float | None = None
    """The standard deviation, where the value is a mean: .412 ± .013."""
    mark: str = ""
    """A mark after the interval, explained below the table: `*`."""

    def __post_init__(self) -> None:
        for value in (self.value, self.low, self.high, self.deviation):
            _finite(value)


@dataclass(frozen=True, slots=True)
class Count:
    """A count; `of` is the total, if given."""

    value: int
    of: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class MarkedText:
    """Text with a mark, such as the worst group."""

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """A share from 0 to 1, shown as a percentage; None is a dash."""

    value: float | None
    count: int | None = None
    """The count behind the share, if shown: 12% (3)."""

    def __post_init__(self) -> None:
        _finite(self.value)


@dataclass(frozen=True, slots=True)
class Who:
    """Who answered: model, prompt and condition."""

    model: str
    prompt: str = "-"
    """`-` or empty for baselines and for answers from other tools."""
    condition: str = "none"
    note: str = ""
    """`in-sample`, `worst`."""


Cell: TypeAlias = "str | int | float | MarkedText | Number | Count | Share | Who | None"
"""One cell of a table. An int is a count, a float a number of three decimals, None a dash."""


@dataclass(frozen=True, slots=True)
class Column:
    """The heading of a column."""

    heading: str
    """Lines are parted by line breaks."""
    group: str = ""
    """A heading above neighbouring columns of the same group."""
    strip: bool = False
    """Whether the numbers are also drawn as dot and whisker on a common scale, if there is space."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table. A `heading` has one cell, which stands across the table; of a `missing` one only who it is
    about and its note are told."""

    cells: tuple[Cell, ...]
    role: RowRole = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows and columns. A cell of the type `Who` in the first column stands for model, prompt and condition."""

    columns: tuple[Column | str, ...]
    rows: tuple[Row | tuple[Cell, ...], ...]
    title: str = ""
    caption: str = ""
    """A sentence that explains the numbers."""
    at: Place | None = None
    room: Room = "any"
    folded: str = ""
    """Title under which the block is folded on a page; empty: not folded."""

    def __post_init__(self) -> None:
        for row in self.rows:
            cells = row.cells if isinstance(row, Row) else row
            one = isinstance(row, Row) and row.role == "heading"
            if len(cells) != (1 if one else len(self.columns)):
                raise ValueError(
                    f"a row of {len(cells)} cells in a table of {len(self.columns)} columns"
                )
            for cell in cells:
                _checked(cell)

    @property
    def headings(self) -> tuple[Column, ...]:
        """The columns, each as a `Column`."""
        return tuple(c if isinstance(c, Column) else Column(c) for c in self.columns)

    @property
    def lines(self) -> tuple[Row, ...]:
        """The rows, each as a `Row`."""
        return tuple(row if isinstance(row, Row) else Row(row) for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Sentences, one per line."""

    lines: tuple[str, ...]
    title: str = ""
    at: Place | None = None
    room: Room = "any"
    folded: str = ""

    def __post_init__(self) -> None:
        _texts(self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preformatted:
    """Preformatted lines, drawn unchanged in a monospaced font."""

    lines: tuple[str, ...]
    title: str = ""
    at: Place | None = None
    room: Room = "any"
    folded: str = ""

    def __post_init__(self) -> None:
        _texts(self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Non-negative values by label, as bars on a common scale."""

    bars: tuple[tuple[str, float], ...]
    """(label, value of at least 0)."""
    unit: str = ""
    """Unit of the values, such as `characters`. `share`: shares from 0 to 1, shown as percentages."""
    title: str = ""
    caption: str = ""
    at: Place | None = None
    room: Room = "any"
    folded: str = ""

    def __post_init__(self) -> None:
        for label, value in self.bars:
            _texts((label,))
            _finite(value)
            if value < 0:
                raise ValueError(f"the bar {label!r} is {value}, less than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Counts of rows by columns, shaded by their share of the row, such as true by answered class."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """One tuple for each row, one count of at least 0 for each column."""
    row_name: str = "True"
    column_name: str = "Answered"
    paired: bool = False
    """Whether the first columns have the names of the rows, so that the diagonal counts correct answers."""
    title: str = ""
    caption: str = ""
    at: Place | None = None
    room: Room = "any"
    folded: str = ""

    def __post_init__(self) -> None:
        _texts((*self.rows, *self.columns))
        shape = {len(counts) for counts in self.counts}
        if len(self.counts) != len(self.rows) or shape - {len(self.columns)}:
            raise ValueError(
                f"the counts are no {len(self.rows)} rows of {len(self.columns)} columns"
            )
        for counts in self.counts:
            for count in counts:
                if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                    raise ValueError(f"{count!r} is not a count")


@dataclass(frozen=True, slots=True)
class Point:
    """One point: two shares from 0 to 1 (the first may be a number, see `Points.most`), with an interval of the second, and
    how many samples it stands for."""

    x: float
    y: float
    n: int
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        for value in (self.x, self.y, self.low, self.high):
            _finite(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Points on the unit square, such as confidence by accuracy."""

    points: tuple[Point, ...]
    x_name: str
    y_name: str
    sized: bool = False
    """Whether the area of a point shows its n."""
    joined: bool = False
    """Whether the points are joined to a curve; else the line is drawn on which both shares are equal."""
    most: float = 1.0
    """What the right end of the axis across stands for, where x is no share: 5 for a severity of 0 to 5."""
    title: str = ""
    caption: str = ""
    at: Place | None = None
    room: Room = "any"
    folded: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One or two sentences. A `warning` is shown prominently."""

    text: str
    warning: bool = False
    title: str = ""
    at: Place | None = None
    room: Room = "any"
    folded: str = ""

    def __post_init__(self) -> None:
        _texts((self.text,))


Block: TypeAlias = Table | Lines | Preformatted | Bars | Matrix | Points | Note
BLOCKS = get_args(Block)


def _finite(value: float | None) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")


def _checked(cell: object) -> None:
    if isinstance(cell, float):
        _finite(cell)
    elif isinstance(cell, bool) or not isinstance(
        cell, str | int | MarkedText | Number | Count | Share | Who | None
    ):
        raise ValueError(f"{cell!r} is not a cell of a table")


def _texts(found: object) -> None:
    if not isinstance(found, tuple) or not all(isinstance(text, str) for text in found):
        raise ValueError(f"{found!r} is not a tuple of texts")
