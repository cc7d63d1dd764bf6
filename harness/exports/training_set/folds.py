"""Folds by subject: who is asked, who is trained on, and who decides when training stops."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from harness.core.errors import HarnessError
from harness.core.task import SUBJECT
from harness.core.text import counted
from harness.core.training_folds import TrainedFold

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SHARE = 10
"""One of so many subjects of a fold is for validation where nobody says otherwise."""


def make_folds(
    rows: Mapping[str, int], *, by: str, validation: int | None, seed: int
) -> dict[str, TrainedFold]:
    """Name of a fold -> its subjects.

    Args:
        rows: subject -> its number of samples.
        by: `subject`, or a number of groups, which are made alike in their numbers of samples.
        validation: subjects of each fold that are kept from training; None: a tenth of them, at least one, where two or
            more are left.
        seed: of the order in which subjects are taken.

    Raises HarnessError where there are too few subjects.
    """
    subjects = sorted(rows)
    random.Random(seed).shuffle(subjects)  # noqa: S311 - no secret
    groups = _groups(subjects, rows, by)
    made = {}
    for at, (name, asked) in enumerate(groups.items()):
        behind = [one for group in (*list(groups.values())[at + 1 :], *list(groups.values())[:at]) for one in group]  # fmt: skip
        held = _held(len(behind), validation, name)
        made[name] = TrainedFold(
            asked=tuple(sorted(asked)),
            train=tuple(sorted(behind[held:])),
            validation=tuple(sorted(behind[:held])),
        )
    return dict(sorted(made.items())) if by == SUBJECT else made


def _held(left: int, validation: int | None, fold: str) -> int:
    if validation is None:
        return max(1, left // SHARE) if left > 1 else 0
    if validation >= left:
        raise HarnessError(
            f"--validation {validation}: fold {fold} has {counted(left, 'subject')} besides those it is asked about, and at "
            "least one is trained on",
            hint="use a smaller number, or 0 for no validation part",
        )
    return validation


def _groups(subjects: Sequence[str], rows: Mapping[str, int], by: str) -> dict[str, list[str]]:
    count = len(subjects)
    if count < 2:
        raise HarnessError(
            f"folds by subject need two subjects or more, and the samples show {counted(count, 'subject')}",
            hint="use more samples, such as a larger --limit or source.n",
        )
    if by == SUBJECT:
        same = Counter(fold_name(one).casefold() for one in subjects)  # as some file systems see it
        return {
            fold_name(one) if same[fold_name(one).casefold()] == 1 else _hashed(one): [one]
            for one in subjects
        }
    number = int(by)
    if number > count:
        raise HarnessError(
            f"--folds {number}: the samples show {counted(count, 'subject')}",
            hint=f"use --folds {count} at most, or --folds subject",
        )
    groups: dict[str, list[str]] = {str(at + 1): [] for at in range(number)}
    sizes = dict.fromkeys(groups, 0)
    for one in sorted(subjects, key=lambda one: -rows[one]):  # stable: ties in the seeded order
        least = min(groups, key=lambda name: (sizes[name], len(groups[name])))
        groups[least].append(one)
        sizes[least] += rows[one]
    return groups


def fold_name(subject: str) -> str:
    """A subject as the name of a folder: as it is, or tidied with some digits of its hash."""
    return subject if _PLAIN.fullmatch(subject) else _hashed(subject)


def _hashed(subject: str) -> str:
    tidy = re.sub(r"[^A-Za-z0-9._-]+", "-", subject).strip("-.")[:40] or "subject"
    return f"{tidy}-{hashlib.sha256(subject.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
