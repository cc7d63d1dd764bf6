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
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}", "†": r"\dag{}",
    "·": r"\textperiodcentered{}", "–": "--", "±": r"\textpm{}", "×": r"\texttimes{}", "[": "{[}", "]": "{]}",
    "²": r"\textsuperscript{2}", "≥": r"$\geq$", "≤": r"$\leq$", "…": r"\dots{}",
}  # fmt: skip
_SLUG = re.compile(r"[^a-z0-9]+")


def escaped(text: str) -> str:
    """A text in which nothing is a command: names of models and prompts may hold anything."""
    return "".join(_SPECIAL.get(letter, letter) for letter in " ".join(visible(text).split()))


def latex(tables: Sequence[PaperTable], besides: Sequence[Sequence[Beside]] = ()) -> str:
    """The source of the tables. They need `\\usepackage{booktabs}` and `\\usepackage{textcomp}`."""
    lines = [r"% needs \usepackage{booktabs,textcomp}"]
    for at, table in enumerate(tables):
        lines += ["", *_table(table), *_published(besides[at] if besides else ())]
    return "\n".join(lines) + "\n"


def _table(table: PaperTable) -> Iterator[str]:
    yield r"\begin{table}[t]"
    yield r"\centering"
    yield rf"\caption{{{escaped(table.title)}.}}"
    yield rf"\label{{tab:{_SLUG.sub('-', table.title.lower()).strip('-')}}}"
    yield rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}"
    yield r"\toprule"
    yield rf"{escaped(table.corner)} & {' & '.join(map(escaped, table.columns))} \\"
    yield r"\midrule"
    for row in table.rows:
        places = (table.entries.get((row, column)) for column in table.columns)
        yield rf"{escaped(row)} & {' & '.join(map(_entry, places))} \\"
    yield r"\bottomrule"
    yield r"\end{tabular}"
    yield r"\par\smallskip"
    yield rf"{{\footnotesize {' '.join(map(escaped, table.notes))}\par}}"
    yield r"\end{table}"


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
    yield r"\begin{tabular}{lrp{.2\linewidth}p{.25\linewidth}p{.3\linewidth}}"
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
        yield rf"{' & '.join(map(escaped, cells))} \\"
    yield r"\bottomrule"
    yield r"\end{tabular}"
    yield r"\end{table}"
