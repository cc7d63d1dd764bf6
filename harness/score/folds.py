"""Folds of results that a trained model gave subject by subject: what they are, and whether a subject leaks.

Scores are always taken from counts pooled over the folds (MEGC 2019, See et al.), never as the mean of the folds'
own: a fold of one subject holds few classes, and its F1 says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.errors import HarnessError

MOST_NAMED = 5


def fold_note(tested: Iterable[tuple[str, str, str]], *, unit: str) -> str:
    """A sentence on the folds; `tested` holds (sample, subject, fold) of every tested sample.

    Raises HarnessError where the subjects are not known, a sample has no fold, or a subject is tested in two
    folds: the model of the one was then trained on the subject it is tested on in the other.
    """
    if unit == "image":
        raise HarnessError(
            "folds cannot be checked: no subjects are known",
            mend="name the column of subjects (cluster: COL in --map), or drop --fold",
        )
    subjects: dict[str, set[str]] = {}
    folds: dict[str, set[str]] = {}
    for sample, subject, fold in tested:
        if not fold:
            raise HarnessError(
                f"sample {sample[:80]!r} has no fold", mend="fill the column, or drop --fold"
            )
        subjects.setdefault(fold, set()).add(subject)
        folds.setdefault(subject, set()).add(fold)
    torn = [subject for subject, found in folds.items() if len(found) > 1]
    if torn:
        named = ", ".join(repr(s) for s in torn[:MOST_NAMED])
        raise HarnessError(
            f"{len(torn)} subjects are tested in several folds: {named}"
            + (", ..." if len(torn) > MOST_NAMED else ""),
            mend="each subject belongs in one fold, else the model tested on it was trained on it too",
        )
    sizes = sorted(len(found) for found in subjects.values())
    if sizes[-1] == 1:
        return f"{len(subjects)} folds of one subject each: leave-one-subject-out, counts pooled"
    return (
        f"{len(subjects)} folds of {sizes[0]} to {sizes[-1]} subjects: no subject in two of them, "
        "counts pooled, not leave-one-subject-out"
    )
