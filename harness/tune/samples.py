"""Labelled samples to learn from: a training and a validation fold that share no subject."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.core.errors import HarnessError
from harness.core.sample import Sample
from harness.core.task import Task
from harness.core.text import counted
from harness.run.exemplars import kin_of


@dataclass(frozen=True, slots=True)
class Fold:
    """Samples with their labels."""

    samples: tuple[Sample, ...]
    labels: tuple[int, ...]
    """Places in the list of labels."""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Folds:
    """What is learnt from, and what says when to stop."""

    train: Fold
    validation: Fold
    subjects: tuple[int, int]
    """Groups of samples that share a subject or a picture, in the one and the other."""


def folds_of(
    samples: Iterable[Sample],
    task: Task,
    *,
    field: str,
    labels: Sequence[str],
    shots: int | None,
    validation: int | None,
    seed: int,
) -> Folds:
    """Subjects in an order drawn by `seed` fill the validation fold, then the training fold.

    `shots` and `validation` are samples of each label (None: all, and a fifth of the subjects). Samples of other labels
    and without one are passed over. Raises HarnessError where a label has too few.
    """
    known = [one for one in samples if one.targets.get(field) in labels]
    groups = _subjects(known, task)
    random.Random(seed).shuffle(groups)  # noqa: S311
    held = Counter(str(one.targets[field]) for one in known)
    some = None if validation is None else Counter(dict.fromkeys(labels, validation))
    first = _filled(groups, field, some, most=len(groups) if some else max(1, len(groups) // 5))
    wanted = None if shots is None else Counter(dict.fromkeys(labels, shots))
    rest = groups[first.used :]
    second = _filled(rest, field, wanted, most=len(rest))
    for name, fold, need in (("validation", first, some), ("training", second, wanted)):
        found = Counter(str(one.targets[field]) for one in fold.samples)
        for label in labels:
            if found[label] < (1 if need is None else need[label]):
                raise HarnessError(
                    f"{name}: {counted(found[label], 'sample')} of {label} from {counted(fold.used, 'subject')}, too few "
                    f"(the source has {held[label]} of {counted(len(groups), 'subject')})",
                    hint="ask for fewer --shots or --validation, or for more samples of the source (--set source.n=...)",
                )
    return Folds(
        _fold(second.samples, field, labels), _fold(first.samples, field, labels),
        (_subjects_in(second, task), _subjects_in(first, task)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Filled:
    samples: list[Sample]
    used: int
    """Subjects looked at."""


def _filled(
    groups: Sequence[Sequence[Sample]], field: str, wanted: Counter[str] | None, *, most: int
) -> _Filled:
    """Samples of one subject after another until every label has enough."""
    found: list[Sample] = []
    have: Counter[str] = Counter()
    used = 0
    for group in groups[:most]:
        if wanted is not None and all(have[label] >= wanted[label] for label in wanted):
            break
        used += 1
        for one in group:
            label = str(one.targets[field])
            if wanted is None or have[label] < wanted[label]:
                found.append(one)
                have[label] += 1
    return _Filled(found, used)


def _subjects_in(fold: _Filled, task: Task) -> int:
    """Of how many subjects its samples are: subjects may be looked at for labels that have enough."""
    return len(_subjects(fold.samples, task))


def _fold(samples: Sequence[Sample], field: str, labels: Sequence[str]) -> Fold:
    return Fold(tuple(samples), tuple(labels.index(str(one.targets[field])) for one in samples))


def _subjects(samples: Sequence[Sample], task: Task) -> list[list[Sample]]:
    """Samples that share a subject or a picture, together; in the order of the source."""
    groups: list[list[Sample]] = []
    place: dict[str, int] = {}
    for one in samples:
        names = kin_of(one, task)
        at = sorted({place[name] for name in names if name in place})
        if not at:
            groups.append([])
            at = [len(groups) - 1]
        for other in at[1:]:  # this one joins groups that were apart
            groups[at[0]] += groups[other]
            groups[other] = []
        place = {name: at[0] if where in at else where for name, where in place.items()} if len(at) > 1 else place  # fmt: skip
        place |= dict.fromkeys(names, at[0])
        groups[at[0]].append(one)
    return [group for group in groups if group]


def refuse_shared(task: Task, chosen: Folds, evaluated: Iterable[Sample]) -> None:
    """Raise HarnessError where a sample that the task scores is of a subject that is learnt from."""
    used = {
        name
        for fold in (chosen.train, chosen.validation)
        for one in fold.samples
        for name in kin_of(one, task)
    }
    shared = [one.id for one in evaluated if used & kin_of(one, task)]
    if shared:
        raise HarnessError(
            f"{counted(len(shared), 'sample')} that {task.name} scores ({shared[0]}...) show subjects or pictures that "
            "would be learnt from",
            hint="learn from another split: --split train, or --set source....",
        )
