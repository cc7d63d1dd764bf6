"""Tables as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import zip_longest

from harness.analyses.words import number
from harness.core.text import visible
from harness.publish.markdown import entry_words
from harness.publish.published import Beside
from harness.publish.table import Entry, PaperTable
from harness.version import __version__

STYLE = """\
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; border-block: 2px solid; font-variant-numeric: tabular-nums }
thead th { border-bottom: 1px solid; text-align: right; vertical-align: bottom; overflow-wrap: anywhere }
th, td { padding: .25rem .7rem; text-align: right; vertical-align: top }
th:first-child, td:first-child, .words td, .words th { text-align: left; font-weight: normal }
thead th, thead th:first-child, .words thead th { font-weight: 600 }
.board th, .board td { overflow-wrap: normal; white-space: nowrap }
small { opacity: .85; white-space: nowrap }
p { max-width: 60rem }
section { margin-block: 1.5rem }
.elsewhere { border: 2px dashed; padding: .2rem 1rem 1rem }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(
    tables: Sequence[PaperTable],
    besides: Sequence[Sequence[Beside]] = (),
    *,
    title: str = "Tables",
) -> str:
    """The page: a section for each table, published numbers apart from measured ones."""
    body = "".join(
        section_html(table) + published_html(rows)
        for table, rows in zip_longest(tables, besides, fillvalue=())
        if isinstance(table, PaperTable)
    )
    return whole_page(title, body)


def whole_page(title: str, body: str) -> str:
    """A page around `body`, which is HTML; nothing on it can load anything."""
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{said(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{said(title)}</h1>
{body}<p><small>affect-harness {__version__}</small></p>
</main>
</body>
</html>
"""


def said(text: str) -> str:
    """A text of a run, escaped."""
    return escape(visible(text))


def section_html(table: PaperTable) -> str:
    """One table with its notes."""
    heads = "".join(f'<th scope="col">{said(column)}</th>' for column in table.columns)
    rows = "".join(
        f'<tr><th scope="row">{said(row)}</th>'
        + "".join(f"<td>{_entry(table.entries.get((row, c)))}</td>" for c in table.columns)
        + "</tr>\n"
        for row in table.rows
    )
    return f"""\
<section>
<h2>{said(table.title)}</h2>
<div class="wide" tabindex="0" role="region" aria-label="{said(table.title)}"><table>
<thead><tr><th scope="col">{said(table.corner)}</th>{heads}</tr></thead>
<tbody>
{rows}</tbody></table></div>
<p>{said(" ".join(table.notes))}</p>
</section>
"""


def _entry(entry: Entry | None) -> str:
    value, bounds = entry_words(entry)
    shown = f"<b>{value}</b>" if entry is not None and entry.best else value
    return f"{shown} <small>{bounds}</small>" if bounds else shown


def published_html(rows: Sequence[Beside]) -> str:
    """Published numbers in a frame of their own; empty where there are none."""
    if not rows:
        return ""
    lines = "".join(
        f'<tr><th scope="row">{said(one.system)}</th><td>{said(one.metric)} {number(one.value)}</td>'
        f"<td>{said(one.set)}</td><td>{said(one.source)} ({one.status})</td><td>{said('; '.join(one.differs))}</td></tr>\n"
        for one in rows
    )
    return f"""\
<section class="elsewhere">
<h2>Published elsewhere, not measured here</h2>
<div class="wide" tabindex="0" role="region" aria-label="Published elsewhere"><table class="words">
<thead><tr><th scope="col">system</th><th scope="col">value</th><th scope="col">set</th><th scope="col">source</th>\
<th scope="col">what differs</th></tr></thead>
<tbody>
{lines}</tbody></table></div>
</section>
"""
