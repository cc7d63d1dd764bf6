"""A source: pictures whose file names hold their annotations, such as `s01_happiness_2.png`.

source:
  family: named-files
  root: pictures
  pattern: "{subject}_{emotion}_{take}"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.medium import image
from harness.core.picture import FilePicture
from harness.core.sample import Sample
from harness.core.source import Skipped
from harness.core.text import digest_json
from harness.sources.cells import target
from harness.sources.options import Options, read_options

PICTURES = frozenset({".png", ".jpg", ".jpeg"})


class NamedFilesOptions(Options):
    """Options of the family `named-files`."""

    root: str
    """Folder of the pictures."""
    pattern: str = "{subject}_{emotion}"
    """What a file's name holds, without its ending: names in braces are fields or annotations."""
    subject: str = "subject"
    """The name of the part that is the subject."""


class NamedFiles:
    """A Source over one folder; its order is that of the file names."""

    def __init__(self, options: NamedFilesOptions, root: Path, fields: Mapping[str, FieldSpec]) -> None:  # fmt: skip
        self._options = options
        self._root = root
        self._fields = fields
        self._pattern = _compiled(options.pattern)
        self._skipped: tuple[Skipped, ...] = ()

    def __iter__(self) -> Iterator[Sample]:
        stray = 0
        for path in self._pictures():
            found = self._pattern.fullmatch(path.stem)
            if found is None:
                stray += 1
                continue
            yield self._sample(path, found.groupdict())
        self._skipped = (Skipped("name does not fit source.pattern", stray),) if stray else ()

    def _sample(self, path: Path, parts: dict[str, str]) -> Sample:
        return Sample(
            id=path.name,
            medium=image(FilePicture(path)),
            targets={
                name: target(parts[name], spec, column=name, where=path.name)
                for name, spec in self._fields.items()
                if name in parts
            },
            annotations={name: part for name, part in parts.items() if name not in self._fields},
            cluster=parts.get(self._options.subject),
        )

    def _pictures(self) -> list[Path]:
        return sorted(p for p in self._root.iterdir() if p.suffix.lower() in PICTURES)

    def digest(self) -> str:
        """Over the pattern and the names, which hold all annotations."""
        names = [path.name for path in self._pictures()]
        return digest_json({"pattern": self._options.pattern, "names": names})

    def skipped(self) -> tuple[Skipped, ...]:
        """Pictures whose name does not fit."""
        return self._skipped


def open_named_files(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> NamedFiles:
    """The source that `source: {family: named-files}` asks for. Raises HarnessError."""
    asked = read_options(NamedFilesOptions, options, family="named-files")
    root = base / asked.root
    if not root.is_dir():
        raise HarnessError(f"source.root: folder not found: {root}", hint="check source.root")
    return NamedFiles(asked, root, fields)


def _compiled(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", pattern)
    texts, names = pieces[::2], pieces[1::2]
    if not names or len(set(names)) < len(names):
        raise HarnessError(
            f"source.pattern: {pattern!r} needs names in braces, each once",
            hint='write something like "{subject}_{emotion}"',
        )
    parts = [f"{re.escape(text)}(?P<{name}>[^/]+?)" for text, name in zip(texts, names, strict=False)]  # fmt: skip
    return re.compile("".join(parts) + re.escape(texts[-1]))
