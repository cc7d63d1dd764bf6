"""The page on data sources."""

from __future__ import annotations

from harness.sources import OF_ANY, describe_sources, options_of
from harness.sources.marks import MarksOptions
from harness.sources.registry import SOURCES
from harness.sources.sidecar import SidecarOptions

from .markdown import code, page, table
from .members import key_entries

_INTRO = """
# Data sources

The key `source` of a task says which data are read. `family` picks the reader. All other keys are options of that
family. Where a reader could not be checked against the licensed set itself, its docstring in `harness/sources/` says
so. `harness data check TASK` reads a source and says what is missing, unreadable or different from the published
counts.
"""


def sources_page() -> str:
    """Every family with its options."""
    told = {one.name: one.line for one in describe_sources() if not one.package}
    blocks = [
        _INTRO,
        "## Families",
        table(("family", "what it reads"), [(_link(name), told[name]) for name in SOURCES.builtin]),
        "## Options of every family",
        table(("option", "what it is"), [(code(name), line) for name, line in OF_ANY.items()]),
        "### Keys of `marks`",
        key_entries(MarksOptions, prefix="marks-"),
        "### Keys of `sidecar`",
        key_entries(SidecarOptions, prefix="sidecar-"),
    ]
    shown: dict[type, str] = {}
    for name in SOURCES.builtin:
        options = options_of(name)
        assert options is not None
        blocks.append(f"## Options of `{name}` {{ #of-{name} }}")
        if options in shown:
            blocks.append(f"The same as those of [`{shown[options]}`](#of-{shown[options]}).")
        else:
            shown[options] = name
            blocks.append(key_entries(options, prefix=f"{name}-"))
    return page(*blocks)


def _link(name: str) -> str:
    return f"[`{name}`](#of-{name})"
