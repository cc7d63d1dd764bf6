"""True distributions over labels: annotators' votes or soft labels of a run's samples.

Votes are annotations `votes.LABEL` (FERPlus, DFEW, any table with such columns), numbers of annotators or shares; a
soft label is the annotation `soft_label`, a JSON object of label and share (drawn mixtures). Both belong to the task's
first scored label field that has one of their labels among its classes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.answers.vocabulary import canonicaliser
from harness.core.field import FieldSpec
from harness.core.source import VOTES
from harness.core.task import Task

Floats = NDArray[np.float64]

SOFT_LABEL = "soft_label"
"""The annotation of a drawn mixture."""

_MARKS = (f'"{VOTES}', f'"{SOFT_LABEL}"')
_BATCH = 4096
_NOTHING: tuple[Mapping[str, float], bool] = (MappingProxyType({}), True)


@dataclass(frozen=True, slots=True, eq=False)
class SoftTruth:
    """The distributions of all samples of a task over the K classes of one field, in the samples' order."""

    field: str
    classes: tuple[str, ...]
    shares: Floats
    """(n, K) rows that add up to 1; nan for a sample without votes for any class."""
    within: Floats
    """(n,) share of a sample's votes that are for one of the classes, 0..1."""
    votes: Floats
    """(n, K + 1) annotators by class, the last column for what is no class; nan where there are no two annotators to
    be counted (soft labels, shares)."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """(n,) whether a sample has a distribution."""
        return np.asarray(~np.isnan(self.shares).any(axis=1))

    @property
    def counted(self) -> NDArray[np.bool_]:
        """(n,) whether a sample has annotators to be counted."""
        return np.asarray(~np.isnan(self.votes).any(axis=1))

    @property
    def said(self) -> str:
        """What the truth is, for estimators."""
        if not self.counted[self.known].any():
            return "truth: the samples' soft labels"
        lost = 1 - float(self.within[self.known].mean())
        outside = f" ({lost:.1%} of the votes are for no class of the field)" if lost else ""
        return f"truth: the annotators' votes{outside}"


@dataclass(frozen=True, slots=True)
class Votes:
    """What a run knows of the distributions of one task."""

    truths: Mapping[str, SoftTruth]
    """Label field -> its distributions."""
    partners: Mapping[str, Mapping[str, str]]
    """Cell id -> sample -> the sample it was mixed with, in the cells whose condition mixes."""


def read_soft_truths(samples: Path, task: Task) -> Mapping[str, SoftTruth]:
    """Label field -> its distributions; empty where no sample has any. `samples` is the task's samples file."""
    fields = {n: s for n, s in task.fields.items() if s.one_label and s.scored}
    if not fields:
        return {}
    rows = list(_distributions(samples))
    if not any(row for row, _ in rows):
        return {}
    for name, spec in fields.items():
        truth = soft_truth(name, spec, rows)
        if truth.known.any():
            return {name: truth}
    return {}


def soft_truth(
    name: str, spec: FieldSpec, rows: Sequence[tuple[Mapping[str, float], bool]]
) -> SoftTruth:
    """The distributions of one field from each sample's (label -> number, whether these are votes).

    Labels are read in any spelling of the field; what is none of its classes is counted apart.
    """
    classes = spec.classes
    table = canonicaliser(classes, spec.synonyms)
    places = {label: place for place, label in enumerate(classes)}
    numbers = np.zeros((len(rows), len(classes) + 1))
    whole = np.zeros(len(rows), dtype=np.bool_)
    known: dict[str, int] = {}
    for at, (row, votes) in enumerate(rows):
        for label, number in row.items():
            if label not in known:
                known[label] = places.get(table.label(label) or "", len(classes))
            numbers[at, known[label]] += number
        whole[at] = votes and all(number.is_integer() for number in row.values())
    inside, total = numbers[:, :-1].sum(axis=1), numbers.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = numbers[:, :-1] / inside[:, None]
        within = np.where(total > 0, inside / total, 0.0)
    shares[inside <= 0] = np.nan
    numbers[~(whole & (total >= 2) & (inside > 0))] = np.nan
    return SoftTruth(name, classes, shares, within, numbers)


def _distributions(samples: Path) -> Iterator[tuple[Mapping[str, float], bool]]:
    """(label -> number, whether these are votes) of every sample, in order; empty where it has none."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(samples) as file:
        for batch in file.iter_batches(batch_size=_BATCH, columns=["annotations"]):
            data = batch.column(0).buffers()[2]
            held = b"" if data is None else data.to_pybytes()
            if not any(mark.encode() in held for mark in _MARKS):  # most sets have no votes at all
                yield from repeat(_NOTHING, batch.num_rows)
                continue
            for text in batch.column(0).to_pylist():
                yield _distribution(text) if text and any(m in text for m in _MARKS) else _NOTHING


def _distribution(text: str) -> tuple[Mapping[str, float], bool]:
    return distribution_of(json.loads(text))


def distribution_of(notes: Mapping[str, Any]) -> tuple[Mapping[str, float], bool]:
    """(label -> number, whether these are votes) of the annotations of one sample; empty where it has none."""
    votes = {k.removeprefix(VOTES): v for k, v in notes.items() if k.startswith(VOTES)}
    if votes:
        return _numbers(votes), True
    soft = notes.get(SOFT_LABEL)
    if isinstance(soft, str):
        try:
            soft = json.loads(soft)
        except ValueError:
            return {}, False
    return (_numbers(soft) if isinstance(soft, dict) else {}), False


def _numbers(given: Mapping[str, Any]) -> dict[str, float]:
    """The entries that are shares or counts: finite numbers above 0, which a CSV table holds as text."""
    found = {}
    for label, value in given.items():
        number = _number(value)
        if math.isfinite(number) and number > 0:
            found[str(label)] = number
    return found


def _number(value: Any) -> float:
    """nan for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan
