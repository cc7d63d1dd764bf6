"""Small pieces of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_ROLE = re.compile(r":[a-z]+:`~?([^`]+)`")
_DOUBLE = re.compile(r"``([^`]+)``")


def code(text: str) -> str:
    """Text as inline code."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def prose(text: str) -> str:
    """A docstring as Markdown: one paragraph a block, roles and double backticks as inline code."""
    text = _DOUBLE.sub(r"`\1`", _ROLE.sub(r"`\1`", text))
    blocks = [" ".join(block.split()) for block in re.split(r"\n\s*\n", text.strip())]
    return "\n\n".join(_escaped(block) for block in blocks)


def _escaped(text: str) -> str:
    """Characters that Markdown or HTML would take for its own, outside inline code."""
    parts = text.split("`")
    for at in range(0, len(parts), 2):
        parts[at] = parts[at].replace("<", "&lt;").replace("*", r"\*").replace("_", r"\_")
    return "`".join(parts)


def cell(text: str) -> str:
    """Text inside a table's cell."""
    return " ".join(text.replace("|", r"\|").split())


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(cell(one) for one in row)} |" for row in rows]
    return "\n".join(lines)


def entry(name: str, facts: str, text: str, *, anchor: str = "") -> str:
    """One name as an item of a definition list: a line of facts behind it, and what it means."""
    mark = f"{{ #{anchor} }}" if anchor else ""
    body = text.replace("\n", "\n    ")
    return f"{code(name)}{mark} {facts}".strip() + f"\n:   {body}"


def page(*blocks: str) -> str:
    """A page out of blocks."""
    return "\n\n".join(block.strip("\n") for block in blocks if block) + "\n"
