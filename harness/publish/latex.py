"""Tables as LaTeX, with booktabs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.analyses.words import interval, number
from harness.core.text import visible
from harness.publish.published import Beside
from harness.publish.table import Entry, PaperTable

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\char34{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}", "†": r"\dag{}",
    "·": r"\textperiodcentered{}", "–": "--", "±": r"\textpm{}", "×": r"\texttimes{}", "[": "{[}", "]": "{]}",
    "²": r"\textsuperscript{2}", "≥": r"$\geq$", "≤": r"$\leq$", "…": r"\dots{}",
}  # fmt: skip
_WIDTH = 66
"""Characters that fit on a line of an article with one column."""
_SMALL = 0.75
"""Width of a character of an interval, as a share."""
_SET = re.compile(
    "[\u0000-\u017f\u02c6-\u02dd\u2010-\u201e\u2020-\u2022\u2026\u2030\u20ac\u2122\u2190-\u2193\u2212]"
)
"""Characters that pdfLaTeX sets with the fonts that every installation has, and those that are spelled out below."""
_SLUG = re.compile(r"[^a-z0-9]+")


def escaped(text: str) -> str:
    """A text in which nothing is a command: names of models and prompts may hold anything."""
    return "".join(_SPECIAL.get(letter, letter) for letter in " ".join(visible(text).split()))


def latex(tables: Sequence[PaperTable], besides: Sequence[Sequence[Beside]] = ()) -> str:
    """The source of the tables, which begins with the packages that they need.

    A table that is wider than a line is made smaller.
    """
    body: list[str] = []
    for at, table in enumerate(tables):
        body += ["", *_table(table), *_published(besides[at] if besides else ())]
    packages = "booktabs,textcomp" + (
        ",graphicx" if any("\\resizebox" in line for line in body) else ""
    )
    lines = [rf"% needs \usepackage{{{packages}}}"]
    unset = dict.fromkeys(letter for line in body for letter in line if not _SET.match(letter))
    if unset:
        lines.append(
            f"% has characters that pdfLaTeX does not set ({''.join(unset)}): use LuaLaTeX or XeLaTeX, with fontspec and a font that has them"
        )
    return "\n".join([*lines, *body]) + "\n"


def _table(table: PaperTable) -> Iterator[str]:
    wide = _width(table) > _WIDTH
    yield r"\begin{table}[t]"
    yield r"\centering"
    yield rf"\caption{{{escaped(table.title)}.}}"
    yield rf"\label{{tab:{_SLUG.sub('-', table.title.lower()).strip('-')}}}"
    if wide:
        yield r"\resizebox{\linewidth}{!}{%"
    yield rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}"
    yield r"\toprule"
    yield rf"{escaped(table.corner)} & {' & '.join(map(escaped, table.columns))} \\"
    yield r"\midrule"
    for row in table.rows:
        places = (table.entries.get((row, column)) for column in table.columns)
        yield rf"{escaped(row)} & {' & '.join(map(_entry, places))} \\"
    yield r"\bottomrule"
    yield r"\end{tabular}" + ("}" if wide else "")
    yield r"\par\smallskip"
    yield rf"{{\footnotesize {' '.join(map(escaped, table.notes))}\par}}"
    yield r"\end{table}"


def _width(table: PaperTable) -> float:
    """About how many characters wide the table is set."""
    total = max(len(row) for row in (table.corner, *table.rows)) + 2.0
    for column in table.columns:
        cells = [table.entries.get((row, column)) for row in table.rows]
        shown = [
            6 + _SMALL * len(interval(e.cell.low, e.cell.high)) for e in cells if e is not None
        ]
        total += max(len(column), *shown, 2) + 2
    return total


def _entry(entry: Entry | None) -> str:
    if entry is None or entry.cell.value is None:
        return "--"
    value = number(entry.cell.value)
    value = rf"\textbf{{{value}}}" if entry.best else value
    mark = r"\textsuperscript{\dag}" if entry.tied else ""
    bounds = escaped(interval(entry.cell.low, entry.cell.high))
    return f"{value}{mark}" + (rf" {{\scriptsize {bounds}}}" if bounds else "")


def _published(rows: Sequence[Beside]) -> Iterator[str]:
    """Published numbers as a table of their own, so that none is taken for a measured one."""
    if not rows:
        return
    yield ""
    yield r"\begin{table}[t]"
    yield r"\centering"
    yield r"\caption{Published elsewhere, not measured here. Each differs in what its last column names.}"
    yield r"\footnotesize\sloppy\hbadness=10000\setlength{\tabcolsep}{3pt}"
    widths = (".17", ".13", ".15", ".23", ".23")
    columns = "".join(rf"p{{{width}\linewidth}}" for width in widths)
    yield rf"\begin{{tabular}}{{{columns}}}"
    yield r"\toprule"
    yield r"system & value & set & source & what differs \\"
    yield r"\midrule"
    for one in rows:
        source = f"{one.source} ({one.status})"
        cells = (
            one.system,
            f"{one.metric} {number(one.value)}",
            one.set,
            source,
            "; ".join(one.differs),
        )
        # Addresses have no blanks to break lines at.
        told = (escaped(cell).replace("/", r"/\allowbreak{}") for cell in cells)
        yield rf"{' & '.join(told)} \\"
    yield r"\bottomrule"
    yield r"\end{tabular}"
    yield r"\end{table}"
