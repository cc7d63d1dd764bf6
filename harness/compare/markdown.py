"""Blocks as Markdown, for pull requests and notes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.compare.tables import Block

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def markdown(blocks: Iterable[Block]) -> str:
    """GitHub-flavoured Markdown; names and ids are escaped, so that they stay text."""
    parts = []
    for block in blocks:
        lines: list[str] = []
        if block.heading:
            mark = "**Warning.** " if block.warning else ""
            lines += [f"## {mark}{_escaped(block.heading)}", ""]
        for line in block.lines:
            bullet = line.removeprefix("- ")
            lines.append(f"- {_escaped(bullet)}")
        if block.lines:
            lines.append("")
        if block.header:
            lines += [*_table(block.header, block.rows), ""]
        lines += [f"- {_escaped(remark)}" for remark in block.remarks]
        parts.append("\n".join(lines).rstrip())
    return "\n\n".join(parts) + "\n"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [_row(header), "|" + "|".join([" :-- ", *[" --: "] * (len(header) - 1)]) + "|"]
    return lines + [_row(row) for row in rows]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_escaped(cell) for cell in cells) + " |"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
