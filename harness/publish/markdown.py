"""Tables as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.analyses.words import interval, number
from harness.core.text import markdown_escaped
from harness.publish.published import Beside
from harness.publish.table import Entry, PaperTable


def markdown(tables: Sequence[PaperTable], besides: Sequence[Sequence[Beside]] = ()) -> str:
    """The tables, each with its note line."""
    lines: list[str] = []
    for at, table in enumerate(tables):
        lines += ["", *_table(table), *published_lines(besides[at] if besides else ())]
    return "\n".join(lines[1:]) + "\n"


def entry_words(entry: Entry | None) -> tuple[str, str]:
    """(`.812†`, `[.77, .85]`); a dash where there is no number."""
    if entry is None or entry.cell.value is None:
        return "–", ""
    mark = "†" if entry.tied else ""
    return f"{number(entry.cell.value)}{mark}", interval(entry.cell.low, entry.cell.high)


def _table(table: PaperTable) -> Iterator[str]:
    yield f"**{markdown_escaped(table.title)}**"
    yield ""
    yield f"| {markdown_escaped(table.corner)} | {' | '.join(map(markdown_escaped, table.columns))} |"
    yield f"|---|{'---:|' * len(table.columns)}"
    for row in table.rows:
        cells = (_entry(table.entries.get((row, column))) for column in table.columns)
        yield f"| {markdown_escaped(row)} | {' | '.join(cells)} |"
    yield ""
    yield markdown_escaped(" ".join(table.notes))


def _entry(entry: Entry | None) -> str:
    value, bounds = entry_words(entry)
    value = f"**{value}**" if entry is not None and entry.best else value
    return f"{value} {bounds}".rstrip()


def published_lines(rows: Sequence[Beside]) -> Iterator[str]:
    """Published numbers as a table of their own, so that none is taken for a measured one."""
    if not rows:
        return
    yield ""
    yield "**Published elsewhere, not measured here**"
    yield ""
    yield "| system | value | set | source | what differs |"
    yield "|---|---:|---|---|---|"
    for one in rows:
        cells = (
            one.system, f"{one.metric} {number(one.value)}", one.set, f"{one.source} ({one.status})",
            "; ".join(one.differs),
        )  # fmt: skip
        yield f"| {' | '.join(map(markdown_escaped, cells))} |"
