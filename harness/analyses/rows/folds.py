"""Folds: what those of a trained model are and whether a subject leaks, and the mean and deviation over folds.

Scores are taken from counts pooled over the folds (MEGC 2019, See et al.). Some sets are reported by the mean of the
folds' own scores as well (DFEW, Jiang et al. 2020: WAR and UAR of five folds): it stands beside the pooled ones, and
only where every fold holds every class, or the score is a share of samples (accuracy), which needs no class. A fold of
one subject holds few classes, and its UAR or F1 says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from harness.core.errors import HarnessError
from harness.core.kind import kind_of
from harness.core.sample import Value
from harness.core.task import SUBJECT
from harness.metrics import named
from harness.score.columns import FieldAnswers
from harness.score.grouping import UNKNOWN, Mask
from harness.score.guessing import guessed
from harness.score.repeats import averaged
from harness.score.table import LEVEL, rounded
from harness.stats.agreement import spread

MOST_NAMED = 5


def fold_note(tested: Iterable[tuple[str, str, str]], *, unit: str) -> str:
    """A sentence on the folds; `tested` holds (sample, subject, fold) of every tested sample.

    Raises HarnessError where the subjects are not known, a sample has no fold, or a subject is tested in two
    folds: the model of the one was then trained on the subject it is tested on in the other.
    """
    if unit == "image":
        raise HarnessError(
            "folds cannot be checked: the subjects are not known",
            hint="name the column of subjects (cluster: COLUMN in --map), or leave out --fold",
        )
    subjects: dict[str, set[str]] = {}
    folds: dict[str, set[str]] = {}
    for sample, subject, fold in tested:
        if not fold:
            raise HarnessError(
                f"sample {sample[:80]!r} has no fold",
                hint="fill in the column, or leave out --fold",
            )
        subjects.setdefault(fold, set()).add(subject)
        folds.setdefault(subject, set()).add(fold)
    torn = [subject for subject, found in folds.items() if len(found) > 1]
    if torn:
        named = ", ".join(repr(s) for s in torn[:MOST_NAMED])
        raise HarnessError(
            f"{len(torn)} subjects are tested in several folds: {named}"
            + (", ..." if len(torn) > MOST_NAMED else ""),
            hint="each subject must be in one fold; otherwise the model tested on it was also "
            "trained on it",
        )
    sizes = sorted(len(found) for found in subjects.values())
    if sizes[-1] == 1:
        return f"{len(subjects)} folds of one subject each: leave-one-subject-out, counts pooled"
    return (
        f"{len(subjects)} folds of {sizes[0]} to {sizes[-1]} subjects: no subject in two of them, "
        "counts pooled, not leave-one-subject-out"
    )


def fold_scores(column: FieldAnswers) -> Iterator[Mapping[str, Any]]:
    """For each part and shown metric its value in each fold, their mean and deviation (n - 1), and the pooled value
    beside; strict values. Nothing for a task without folds.

    `mean` and `deviation` are None where a fold lacks a class (or a name of a set) that the whole has and the metric is
    no share of samples, or its value is undefined; `note` then says which. Samples without a fold are counted in
    `unknown` and are in no fold. Folds of one subject each are numbered, so that no row names a person.
    """
    folds = column.folds
    if folds is None or len(folds.values) < 2:
        return
    read = _reader(column)
    single = folds.name == SUBJECT
    called = {name: f"{place + 1}" if single else name for place, name in enumerate(folds.values)}
    task, model, prompt, condition = column.names
    for whole, inside in column.slices:
        masks = {name: inside & (folds.codes == place) for place, name in enumerate(folds.values)}
        masks = {name: mask for name, mask in masks.items() if mask.any()}
        if "=" in whole or len(masks) < 2:
            continue
        lacking = [name for name, mask in masks.items() if _lacks(column, mask, inside)]
        for metric in column.spec.shown_metrics:
            values = {name: read(metric, mask) for name, mask in masks.items()}
            undefined = [name for name, value in values.items() if np.isnan(value)]
            lacks = [] if _is_share(metric, column) else lacking
            told = lacks or undefined
            over = spread(list(values.values()))
            yield {
                "task": task, "model": model, "prompt": prompt, "condition": condition,
                "channel": column.channel, "slice": whole, "field": column.field, "column": folds.name,
                "metric": metric,
                "pooled": rounded(read(metric, inside)),
                "mean": None if told else rounded(over.mean),
                "deviation": None if told else rounded(over.deviation),
                "folds": [
                    {"name": called[name], "n": int(masks[name].sum()), "value": rounded(value)}
                    for name, value in values.items()
                ],
                "unknown": int((inside & (folds.codes == UNKNOWN)).sum()),
                "note": _note(told, lacking=bool(lacks), of=len(masks), named=not single),
            }  # fmt: skip


def _reader(column: FieldAnswers) -> Callable[[str, Mask], float]:
    """(metric, samples) -> its value there; of guessed answers what is expected."""
    if column.guesses is not None:
        guess = guessed(column.spec, column.truth, column.guesses)

        def expected(metric: str, mask: Mask) -> float:
            ((value, _),) = guess.intervals([metric], guess.mean.at(mask), column.spec, level=LEVEL)
            return value

        return expected
    found = {"": averaged(column.spec, column.truth, column.repeats)}
    for metric in column.instead:
        other = column.of_metric(metric)
        found[metric] = averaged(other.spec, other.truth, other.repeats)

    def read(metric: str, mask: Mask) -> float:
        one = found.get(metric, found[""])
        return float(one.family.value(metric, one.rows.at(mask).totals()))

    return read


def _is_share(metric: str, column: FieldAnswers) -> bool:
    """Whether a metric is a plain share of samples, which a fold without some class has as well."""
    found = named(metric, kind_of(column.spec).family_name)
    return found is not None and found.proportion and not found.of_class


def _lacks(column: FieldAnswers, mask: Mask, inside: Mask) -> bool:
    """Whether a fold has no sample of a class, or no true case of a name, that its part has."""
    fold, whole = (
        {value for value, count in column.truth.at(np.flatnonzero(m)).counts() if count}
        for m in (mask, inside)
    )
    if column.spec.categorical:
        return fold != whole
    if column.spec.labelled:
        return _names(fold) != _names(whole)
    return False


def _names(sets: Iterable[Value]) -> frozenset[str]:
    """All names in some sets."""
    return frozenset[str]().union(*(s for s in sets if isinstance(s, tuple)))


def _note(told: list[str], *, lacking: bool, of: int, named: bool) -> str:
    if not told:
        return ""
    names = ", ".join(told[:MOST_NAMED]) + (", ..." if len(told) > MOST_NAMED else "")
    why = "without a sample of some class" if lacking else "without a value"
    return f"no mean over folds: {len(told)} of {of} folds {why}" + (f" ({names})" if named else "")
