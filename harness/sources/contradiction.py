"""Pairs whose subjects contradict their label: one person who is said to be two, or two to be one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.core.field import FieldSpec
from harness.core.sample import Sample
from harness.sources.cells import is_blank, plain

_OTHER_SUBJECT = "other_subject"
"""Annotation of pairs: the subject of the second picture."""


def contradiction(sample: Sample, fields: Mapping[str, FieldSpec]) -> str:
    """How the subjects of a pair contradict its label; empty where they do not, or one is not known."""
    one, other = sample.cluster, sample.annotations.get(_OTHER_SUBJECT)
    if one is None or is_blank(other):
        return ""
    for name, value in sample.targets.items():
        spec = fields[name]
        if spec.kind == "pairs" and (value == spec.high) != (one == plain(other)):
            told = "one person" if value == spec.high else "two people"
            subjects = f"of {one} and {plain(other)}" if one != plain(other) else f"both of {one}"
            return f"labelled as {told}, and {subjects}"
    return ""


class Contradictions:
    """Passes samples on and counts the pairs whose subjects contradict their label."""

    def __init__(self, fields: Mapping[str, FieldSpec]) -> None:
        self._fields = fields if any(spec.kind == "pairs" for spec in fields.values()) else {}
        self._count = 0

    def passed(self, samples: Iterable[Sample]) -> Iterable[Sample]:
        """The samples as they are."""
        return map(self._noted, samples) if self._fields else samples

    def _noted(self, sample: Sample) -> Sample:
        self._count += bool(contradiction(sample, self._fields))
        return sample

    def notes(self) -> tuple[str, ...]:
        """A sentence with their number, without names, since a run folder is passed on; nothing where there are none."""
        if not self._count:
            return ()
        noun = "pair has" if self._count == 1 else "pairs have"
        return (
            f"{self._count:,} {noun} subjects that contradict the label and will be scored as labelled: harness data check "
            "lists them",
        )
