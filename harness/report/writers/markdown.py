"""Blocks as Markdown with pipe tables. Everything that is markup in Markdown or HTML is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from harness.analyses.words import count, visible
from harness.core.blocks import (
    Bars,
    Block,
    Lines,
    Matrix,
    Note,
    Number,
    Points,
    Preformatted,
    Table,
)
from harness.report.writers.cells import bar_words, cell_words, fits, is_numeric

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&$])")
_OPENS = re.compile(r"^(\s*)([-+]|\d+[.)])(\s)")


def blocks_markdown(blocks: Iterable[Block], *, level: int = 3) -> str:
    """The blocks that have room on a page, parted by empty lines. Titles are headings of `level`, 1 to 6."""
    return "\n".join(
        line for block in blocks if fits(block, "much") for line in _block(block, level)
    )


def escaped(text: str) -> str:
    """`text` on one line, with nothing in it that Markdown or HTML would read as markup."""
    line = " ".join(visible(text).split())
    return _OPENS.sub(r"\1\\\2\3", _MARKUP.sub(r"\\\1", line))


def _block(block: Block, level: int) -> Iterator[str]:
    if block.title and not (isinstance(block, Note) and block.warning):
        yield from (f"{'#' * level} {escaped(block.title)}", "")
    if isinstance(block, Note):
        title = f"**{escaped(block.title)}:** " if block.warning and block.title else ""
        yield from (f"{title}{escaped(block.text)}", "")
    elif isinstance(block, Lines):
        yield from (*(f"- {escaped(line)}" for line in block.lines), "")
    elif isinstance(block, Preformatted):
        yield from (*(f"    {visible(line)}" for line in block.lines), "")
    else:
        caption = getattr(block, "caption", "")
        if caption:
            yield from (escaped(caption), "")
        yield from (*_table(block), "")


def _table(block: Table | Bars | Matrix | Points) -> Iterator[str]:
    if isinstance(block, Bars):
        told = [(name, bar_words(value, block.unit)) for name, value in block.bars]
        yield from _pipes(["", block.unit], [False, True], told)
    elif isinstance(block, Matrix):
        corner = f"{block.row_name} by {block.column_name.lower()}"
        rows = [(name, *map(count, c)) for name, c in zip(block.rows, block.counts, strict=True)]
        yield from _pipes([corner, *block.columns], [False, *[True] * len(block.columns)], rows)
    elif isinstance(block, Points):
        words = [
            (cell_words(p.x), cell_words(Number(p.y, p.low, p.high)), count(p.n))
            for p in block.points
        ]
        yield from _pipes([block.x_name, block.y_name, "n"], [True] * 3, words)
    else:
        width = len(block.columns)
        headings = [" ".join(f"{c.group}\n{c.heading}".split("\n")).strip() for c in block.headings]
        right = [is_numeric(block, place) for place in range(width)]
        rows = [
            (*map(cell_words, row.cells), *[""] * (width - len(row.cells))) for row in block.lines
        ]
        yield from _pipes(headings, right, rows)


def _pipes(
    headings: Sequence[str], right: Sequence[bool], rows: Iterable[Sequence[str]]
) -> Iterator[str]:
    yield f"| {' | '.join(escaped(heading) for heading in headings)} |"
    yield f"| {' | '.join('---:' if one else '---' for one in right)} |"
    for row in rows:
        yield f"| {' | '.join(escaped(cell) for cell in row)} |"
