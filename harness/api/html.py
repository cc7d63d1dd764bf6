"""The scores of a run as HTML for notebooks."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from harness.analyses.keys import heading
from harness.analyses.words import visible
from harness.report.inputs import RunView
from harness.report.notices import run_notices
from harness.report.tables import ScoreTable, score_tables
from harness.report.terminal import sample_lines

MOST = 6
"""Tables shown; a run with more says how many it leaves out."""

_CAPTION = Markup('<caption style="text-align:left">{}</caption>')
_HEAD = Markup("<th>{}</th>")
_CELL = Markup('<td style="text-align:left">{}</td>')
_NUMBER = Markup("<td>{}{}</td>")
_SMALL = Markup(' <span style="opacity:.6">{}</span>')
_LINE = Markup('<div style="opacity:.7">{}</div>')


def run_html(view: RunView) -> str:
    """The score tables, strict, with what they rest on; everything escaped."""
    parts: list[Markup] = []
    for name in view.tasks:
        tables = list(score_tables(view, name))
        parts += [_table(table) for table in tables[:MOST]]
        if len(tables) > MOST:
            parts.append(_said(f"{len(tables) - MOST} more tables of {name}: see run.scores()"))
        parts += [_said(line) for line in sample_lines(view.scores, name, view.manifest)]
    parts += [
        _said(f"Notice, {', '.join(names)}: {said}") for said, names in run_notices(view.manifest)
    ]
    parts.append(_said(f"run folder: {view.folder.path}"))
    return str(Markup("\n").join(parts))


def _said(line: str) -> Markup:
    return _LINE.format(visible(line))


def _table(table: ScoreTable) -> Markup:
    heads = ("", "n", "coverage", *(heading for _, heading in table.columns))
    head = Markup("").join(_HEAD.format(visible(name)) for name in heads)
    rows = Markup("\n").join(Markup("<tr>{}</tr>").format(row) for row in _rows(table))
    caption = _CAPTION.format(visible(f"{table.task}: {table.name}, 95% intervals in brackets"))
    return Markup("<table>{}<thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(
        caption, head, rows
    )


def _rows(table: ScoreTable) -> Iterator[Markup]:
    for line in table.lines:
        who = " ".join((*heading(line.key), f"({line.note})" if line.note else "")).strip()
        numbers = Markup("").join(
            _NUMBER.format(one.value, _SMALL.format(one.interval) if one.interval else "")
            for one in line.strict
        )
        n = "–" if line.n is None else f"{line.n:,}"
        yield (
            _CELL.format(visible(who))
            + Markup("<td>{}</td><td>{}</td>").format(n, line.coverage)
            + numbers
        )
