"""The family `composite`: several sources read as one, such as CASME II, SAMM and SMIC together (MEGC 2019)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import Field

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Sample
from harness.core.source import Skipped, Source, source_notes
from harness.core.text import digest_json
from harness.sources.ids import IdCheck
from harness.sources.options import Options, read_options


class CompositeOptions(Options):
    """Options of several sources read as one."""

    sources: tuple[Mapping[str, Any], ...] = Field(min_length=2)
    """The sources in order, each with its `family` and that family's options. Ids and subjects of two sources must
    differ, as those of CASME II, SAMM and SMIC do."""


def open_composite(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """All the sources as one. Raises HarnessError naming the source that cannot be opened."""
    from harness.sources.registry import open_source  # which knows this module

    asked = read_options(CompositeOptions, options, family="composite")
    parts = []
    for place, part in enumerate(asked.sources):
        if part.get("family") == "composite":
            raise HarnessError(
                f"source.sources.{place}: a composite cannot hold another composite",
                hint="list all the sources in one",
            )
        try:
            parts.append(open_source(part, fields=fields, base=base))
        except HarnessError as error:
            raise HarnessError(
                f"source.sources.{place} ({part.get('family', 'no family')}): {error.message}",
                hint=error.hint,
            ) from None
    return CompositeSource(tuple(parts))


class CompositeSource:
    """The samples of several sources, one after the other."""

    __slots__ = ("_ids", "_parts")

    def __init__(self, parts: tuple[Source, ...]) -> None:
        self._parts = parts
        self._ids = IdCheck()

    def __iter__(self) -> Iterator[Sample]:
        seen = self._ids.begin()
        if seen is None:
            yield from chain.from_iterable(self._parts)
            return
        subjects: dict[str, int] = {}
        for place, part in enumerate(self._parts):
            for sample in part:
                if seen.add(sample.id):
                    raise HarnessError(
                        f"the id {sample.id[:80]!r} is in two of the sources, or twice in one",
                        hint="read sets whose ids differ, or give the ids of a table the name of its set",
                    )
                if (
                    sample.cluster is not None
                    and subjects.setdefault(sample.cluster, place) != place
                ):
                    raise HarnessError(
                        f"the subject {sample.cluster[:80]!r} is in two of the sources",
                        hint="two sets may both have a 003: put the name of the set before it",
                    )
                yield sample
        self._ids.end(seen)

    def digest(self) -> str:
        """Over the digests of the sources."""
        return digest_json([part.digest() for part in self._parts])

    def skipped(self) -> tuple[Skipped, ...]:
        """What the sources left out."""
        found: Counter[str] = Counter()
        for part in self._parts:
            for one in part.skipped():
                found[one.reason] += one.count
        return tuple(Skipped(why, n) for why, n in found.items())

    def notes(self) -> tuple[str, ...]:
        """What the sources have to say."""
        return tuple(dict.fromkeys(note for part in self._parts for note in source_notes(part)))
