"""README and the pages of docs/ as blocks of code, each of which is run or checked.

What the language of a block says:

- `sh`: commands that are run, in their order, in an empty folder that all blocks of the page share.
- `bash`: commands that need a model, a server or data that are not here; their options are checked.
- `python`: run in the same folder. `jinja`: a prompt, checked. `yaml`: a task file or a part of one, checked.
- A block with a title is a file of that name, written into the folder in its turn.
- `text`, `json` and others show what comes out.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"

_BLOCK = re.compile(r"^( *)```(\w+)([^\n]*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')
_SNIPPET = re.compile(r'^--8<-- "([^"]+)"$', re.MULTILINE)


def _generated() -> Mapping[str, str]:
    sys.path.insert(0, str(DOCS / "_generate"))
    try:
        from reference import pages  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(DOCS / "_generate"))
    return MappingProxyType({f"reference/{name}.md": text for name, text in pages().items()})


GENERATED: Mapping[str, str] = _generated()
"""Path of a page that is made from the types -> its Markdown."""
WRITTEN: Mapping[str, str] = MappingProxyType(
    {
        "README.md": (ROOT / "README.md").read_text(encoding="utf-8"),
        **{
            path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(DOCS.rglob("*.md"))
        },
    }
)
"""Path of a page that a person wrote -> its Markdown."""
PAGES: Mapping[str, str] = MappingProxyType({**WRITTEN, **GENERATED})


@dataclass(frozen=True)
class Block:
    """A block of code."""

    language: str
    title: str
    """The name of the file that it is; empty for none."""
    text: str
    line: int

    @property
    def snippet(self) -> str:
        """The file that the block includes, from the root; empty for none."""
        found = _SNIPPET.search(self.text)
        return found[1] if found else ""

    @property
    def commands(self) -> list[list[str]]:
        """The commands in it, in words."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [words for line in lines if (words := shlex.split(line, comments=True))]


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, in their order."""
    text = PAGES[page]
    for found in _BLOCK.finditer(text):
        indent = len(found[1])
        body = "".join(line[indent:] for line in found[4].splitlines(keepends=True))
        title = _TITLE.search(found[3])
        line = text.count("\n", 0, found.start()) + 1
        yield Block(found[2], title[1] if title else "", body, line)
