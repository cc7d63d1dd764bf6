"""Turn label columns into classes for any source: `source.labels`, missing values, codes, spellings.

    labels: {0: anger, 1: disgust}             # what the codes of the task's label fields stand for
    labels: affectnet                          # the codes of a known data set
    labels: {emotion: {0: anger}, side: {L: left}}
    labels: {8: null}                          # rows of this label are left out, with a count

Where a task takes its labels from the data, one class written in several ways is joined (`Anger`, `ANGER `), words for
"no value" are no class, and codes without names are refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from harness.answers.twins import fold, join_twins
from harness.core.errors import HarnessError
from harness.core.field import FROM_DATA, FieldSpec
from harness.core.sample import Sample, Value
from harness.core.source import Skipped, Source, picture_folder, source_notes, stated_labels
from harness.sources.cells import NO_VALUE, plain
from harness.sources.codes import code_names, is_code, refuse_codes

MISSING = NO_VALUE | {"empty"}
"""Words that stand for no value in a column of labels, folded as `fold` does."""

Names = Mapping[str, Mapping[str, str | None]]
"""Field -> spelling in the data -> label, or None for rows to be left out."""


@dataclass(frozen=True, slots=True)
class Classes:
    """What the spellings of each field become."""

    labels: Mapping[str, Mapping[str, str | None]]
    """Field -> spelling -> label; None: no class. Spellings that stay as they are are absent."""
    reasons: Mapping[tuple[str, str], str]
    """(field, spelling) -> why it is no class."""
    notes: tuple[str, ...]


@runtime_checkable
class _GivesTruths(Protocol):
    """A source that gives the true values of its samples without making them."""

    def truths(self) -> Iterator[Mapping[str, Value]]: ...


class LabelledSource:
    """A source whose labels are classes. It is read through once before the first sample is given."""

    def __init__(
        self, source: Source, names: Names, fields: Mapping[str, FieldSpec], *, keep: bool
    ) -> None:
        self._source, self._names, self._keep = source, names, keep
        self._fields = {name: spec for name, spec in fields.items() if name in names or _open(spec)}
        self._classes: Classes | None = None
        self._left_out = Counter[str]()
        self.published = getattr(source, "published", ())
        """As the source itself has it."""

    def __iter__(self) -> Iterator[Sample]:
        classes = self._known()
        if not classes.labels:
            yield from self._source
            return
        left_out = Counter[str]()
        for sample in self._source:
            made = self._sample(sample, classes)
            if isinstance(made, str):
                left_out[made] += 1
            else:
                yield made
        self._left_out = left_out

    def digest(self) -> str:
        """The source's own; with `source.labels`, over that too."""
        own = self._source.digest()
        if not self._names:
            return own
        from harness.core.text import digest_json

        return digest_json({"source": own, "labels": {k: dict(v) for k, v in self._names.items()}})

    def folder(self) -> Path | None:
        """As in `OfFiles`: labels follow from those of the source and from the options."""
        return picture_folder(self._source)

    def skipped(self) -> tuple[Skipped, ...]:
        own = tuple(Skipped(why, n) for why, n in sorted(self._left_out.items()))
        return (*self._source.skipped(), *own)

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Those that the source states."""
        return stated_labels(self._source)

    def notes(self) -> tuple[str, ...]:
        """What was joined, and what the source itself has to say; reads the source where that was not done."""
        return (*source_notes(self._source), *self._known().notes)

    @property
    def as_it_stands(self) -> Source:
        """The source with its labels as the data spell them."""
        return self._source

    def _known(self) -> Classes:
        if self._classes is None:
            self._classes = classes_of(
                count_labels(self._source, self._fields), self._names, self._fields
            )
        return self._classes

    def _sample(self, sample: Sample, classes: Classes) -> Sample | str:
        targets = dict(sample.targets)
        why = ""
        for name, table in classes.labels.items():
            value = targets.get(name)
            if isinstance(value, tuple):
                targets[name] = tuple(
                    sorted({new for v in value if (new := table.get(v, v)) is not None})
                )
            elif value is not None and (label := table.get(str(value), "")) != "":
                if label is None:
                    why = classes.reasons[name, str(value)]
                    del targets[name]
                else:
                    targets[name] = label
        if why and not targets and not self._keep:
            return why
        return replace(sample, targets=targets) if targets != sample.targets else sample


def with_labels(
    source: Source, written: Any, *, fields: Mapping[str, FieldSpec], keep: bool = False
) -> Source:
    """The source with its labels made classes; itself where no field takes its labels from the data.

    `written` is `source.labels` as the task has it; `keep`: samples that are left without any target stay.
    Raises HarnessError for names of fields or code tables that are not known.
    """
    names = {} if written is None else label_names(written, fields)
    if not names and not any(map(_open, fields.values())):
        return source
    return LabelledSource(source, names, fields, keep=keep)


def label_names(written: Any, fields: Mapping[str, FieldSpec]) -> Names:
    """`source.labels` as written -> field -> spelling -> label. Raises HarnessError."""
    fitting = [name for name, spec in fields.items() if spec.labelled]
    by_field: dict[str, Any]
    if isinstance(written, Mapping) and any(isinstance(part, Mapping) for part in written.values()):
        by_field = {str(name): part for name, part in written.items()}
    else:
        labels = [name for name in fitting if fields[name].one_label] or fitting
        by_field = dict.fromkeys(labels, written)
    unknown = [name for name in by_field if name not in fitting]
    if unknown or not by_field:
        raise HarnessError(
            f"source.labels: the task has no label field {(unknown or [''])[0]!r}",
            hint=f"label fields: {', '.join(fitting) or 'none'}",
        )
    return {name: _table(name, part) for name, part in by_field.items()}


def count_labels(source: Source, fields: Mapping[str, FieldSpec]) -> dict[str, Counter[str]]:
    """Field -> how often each spelling occurs in the source."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in fields}
    rows = source.truths() if isinstance(source, _GivesTruths) else (s.targets for s in source)
    for targets in rows:
        for name, counted in counts.items():
            value = targets.get(name)
            if isinstance(value, tuple):
                counted.update(value)
            elif value is not None:
                counted[str(value)] += 1
    return counts


def classes_of(
    counts: Mapping[str, Mapping[str, int]], names: Names, fields: Mapping[str, FieldSpec]
) -> Classes:
    """What the spellings become. Raises HarnessError for codes without names and for twins that are unclear."""
    labels: dict[str, dict[str, str | None]] = {}
    reasons: dict[tuple[str, str], str] = {}
    notes: list[str] = []
    for field, counted in counts.items():
        table, why, said = _field_classes(field, counted, names.get(field, {}), fields[field])
        if table:
            labels[field] = table
        reasons |= {(field, spelling): reason for spelling, reason in why.items()}
        notes += [f"{field}: {note}" for note in said]
    return Classes(labels, reasons, tuple(notes))


def _field_classes(
    field: str, counted: Mapping[str, int], named: Mapping[str, str | None], spec: FieldSpec
) -> tuple[dict[str, str | None], dict[str, str], tuple[str, ...]]:
    """Spelling -> label where these differ, spelling -> why it is no class, notes."""
    if named and counted and not any(code_key(spelling) in named for spelling in counted):
        raise HarnessError(
            f"source.labels: none of these names is a label of {field} ({_some(named)})",
            hint=f"labels in the data: {_some(counted)}",
        )
    first: dict[str, str | None] = {}
    why: dict[str, str] = {}
    for spelling in counted:
        if code_key(spelling) in named:
            first[spelling] = named[code_key(spelling)]
            if first[spelling] is None:
                why[spelling] = f"{field} is {spelling!r}, left out by source.labels"
        elif _open(spec) and fold(spelling) in MISSING:
            first[spelling] = None
            why[spelling] = f"{field} is {spelling!r}, which means no value"
        else:
            first[spelling] = spelling
    if not _open(spec):
        return {s: label for s, label in first.items() if label != s}, why, ()
    present = Counter[str]()
    for spelling, label in first.items():
        if label is not None:
            present[label] += counted[spelling]
    _check_codes(field, present, spec, named=bool(named))
    joined = join_twins(present, spec.synonyms, words=spec.one_label)
    final = {s: None if label is None else joined.labels[label] for s, label in first.items()}
    return {s: label for s, label in final.items() if label != s}, why, joined.notes


def _check_codes(field: str, present: Mapping[str, int], spec: FieldSpec, *, named: bool) -> None:
    if not spec.one_label:
        return
    codes = [label for label in present if is_code(label)]
    if codes and (named or len(codes) == len(present)):
        raise refuse_codes(field, codes)


def _table(field: str, part: Any) -> Mapping[str, str | None]:
    if isinstance(part, str):
        return code_names(part)
    if not isinstance(part, Mapping) or not part:
        raise HarnessError(
            f"source.labels: expected a mapping of codes to labels of {field}, got "
            f"{type(part).__name__}",
            hint="write {0: anger, 1: disgust, ...}, or the name of a data set with known codes",
        )
    return {code_key(plain(code)): None if to is None else plain(to) for code, to in part.items()}


def code_key(spelling: str) -> str:
    """`3`, `3.0` and `03` are one code."""
    return str(int(float(spelling))) if is_code(spelling) else spelling.strip()


def _open(spec: FieldSpec) -> bool:
    return spec.labelled and spec.labels == FROM_DATA


def _some(spellings: Mapping[str, object]) -> str:
    listed = sorted(spellings)
    return ", ".join(map(repr, listed[:8])) + (", ..." if len(listed) > 8 else "")
