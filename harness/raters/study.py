"""A whole study: every field of a table of ratings, with groups of raters and models among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.errors import HarnessError
from harness.raters.accuracy import Accuracy, Scored, accuracy_of
from harness.raters.agreement import Agreed, agreement_by_condition
from harness.raters.among import Among, among
from harness.raters.model_run import ModelRater
from harness.raters.numbers import MEAN_RATING, Scale, scale_of
from harness.raters.table import RatingTable
from harness.raters.truth import Truths
from harness.rating.form import FormField

LEAST_RATERS = 5
"""Raters of a group below which nothing of it is shown."""
MOST_GROUPS = 12


@dataclass(frozen=True, slots=True)
class GroupScore:
    """One group of raters under one condition."""

    column: str
    group: str
    score: Scored | None
    """None: fewer than LEAST_RATERS raters."""
    raters: int
    condition: str = ""
    """Under which these raters are too few; empty for all of the group."""


@dataclass(frozen=True, slots=True)
class FieldResult:
    """What is computed of one field."""

    field: FormField
    accuracy: Accuracy | None
    """None without truths, and for numbers and text."""
    scale: Scale | None
    """None for fields that are no numbers."""
    groups: tuple[GroupScore, ...]
    among: tuple[Among, ...]


@dataclass(frozen=True, slots=True)
class StudyResult:
    """What `harness score --ratings` shows."""

    table: RatingTable
    fields: tuple[FieldResult, ...]
    agreement: tuple[Agreed, ...]
    raters: int
    samples: int
    truth: str
    """Where the truth is from; empty without."""
    by: tuple[str, ...]
    notes: tuple[str, ...]


def study_of(
    table: RatingTable,
    truths: Truths,
    *,
    truth: str,
    by: Sequence[str] = (),
    against: str | None = None,
    models: Sequence[ModelRater] = (),
    epsilon: float = 0.1,
    seed: int = 0,
) -> StudyResult:
    """Compute everything. `truth` says where the truths are from; `by` names columns of raters; `against` is the
    condition that is taken off the others.

    Raises HarnessError for a column or condition that does not exist, a rater in two groups, too many groups.
    """
    if against is not None and against not in table.conditions:
        raise HarnessError(
            f"--against {against}: no rating is under this condition",
            hint=f"conditions: {', '.join(table.conditions)}",
        )
    groups = {column: _groups(table, column) for column in dict.fromkeys(by)}
    fields = tuple(
        _field(
            table,
            field,
            truths,
            groups=groups,
            against=against,
            models=models,
            epsilon=epsilon,
            seed=seed,
        )
        for field in table.fields
    )
    if models and not any(one.among for one in fields):
        raise HarnessError(
            "the run answered none of the rated items under the condition it is compared with",
            hint="check --task and --model-saw",
        )
    return StudyResult(
        table, fields, tuple(agreement_by_condition(table, seed=seed)),
        len({who for who, _, _ in table.ratings.given}),
        len({item.sample for _, item, _ in table.ratings.given}),
        truth, tuple(groups), tuple(_notes(table, by)),
    )  # fmt: skip


def _field(
    table: RatingTable,
    field: FormField,
    truths: Truths,
    *,
    groups: dict[str, dict[str, set[str]]],
    against: str | None,
    models: Sequence[ModelRater],
    epsilon: float,
    seed: int,
) -> FieldResult:
    numeric, text = field.control == "number", field.control == "text"
    accuracy = None
    if not numeric and not text:
        accuracy = accuracy_of(table, field, truths, against=against, seed=seed)
    scale = scale_of(table, field, truths, against=against, seed=seed) if numeric else None
    placed = [
        found
        for model in models
        if not text and (found := among(table, field, model, truths, epsilon=epsilon, seed=seed))
    ]
    scores = [
        one
        for column, members in groups.items()
        for group, who in members.items()
        for one in _group_scores(
            table, field, truths, column=column, group=group, who=who, seed=seed
        )
    ]
    return FieldResult(field, accuracy, scale, tuple(scores), tuple(placed))


def _group_scores(
    table: RatingTable,
    field: FormField,
    truths: Truths,
    *,
    column: str,
    group: str,
    who: set[str],
    seed: int,
) -> list[GroupScore]:
    """The overall accuracy (of numbers the mean) of a group under each condition."""
    if len(who) < LEAST_RATERS:
        return [GroupScore(column, group, None, len(who))]
    if field.control == "number":
        scale = scale_of(table, field, {}, raters=who, seed=seed)
        scores = [s for s in scale.scores if s.name == MEAN_RATING] if scale else []
    else:
        found = accuracy_of(table, field, truths, raters=who, seed=seed)
        scores = [s for s in found.scores if s.name == "all"] if found else []
    return [
        GroupScore(column, group, s if s.raters >= LEAST_RATERS else None, s.raters, s.condition)
        for s in scores
    ]


def _groups(table: RatingTable, column: str) -> dict[str, set[str]]:
    columns = list(dict.fromkeys(n for own in table.ratings.about.values() for n in own))
    if column in table.mixed:
        rater, where = table.mixed[column]
        raise HarnessError(
            f"--by {column}: rater {rater} has two values of it ({where})",
            hint="a column of raters has one value for each rater",
        )
    if column not in columns:
        known = (
            f"columns of raters: {', '.join(columns)}"
            if columns
            else "the table has no further columns"
        )
        raise HarnessError(f"--by {column}: no such column of raters", hint=known)
    found: dict[str, set[str]] = {}
    for rater, own in table.ratings.about.items():
        found.setdefault(str(own.get(column, "not given")), set()).add(rater)
    if len(found) > MOST_GROUPS:
        raise HarnessError(
            f"--by {column}: {len(found)} different values",
            hint=f"at most {MOST_GROUPS}; put numbers such as ages into classes first",
        )
    return dict(sorted(found.items()))


def _notes(table: RatingTable, by: Sequence[str]) -> list[str]:
    notes = list(table.notes)
    seen: dict[str, set[str]] = {}
    for rater, item, _ in table.ratings.given:
        seen.setdefault(rater, set()).add(item.condition)
    if len(table.conditions) > 1:
        several = [rater for rater, own in seen.items() if len(own) > 1]
        if several and len(several) < len(seen):
            one = f"rater {several[0]}" if len(several) == 1 else f"{len(several)} raters"
            verb = "has" if len(several) == 1 else "have"
            notes.append(
                f"{one} {verb} rated under more than one condition, {len(seen) - len(several)} under one; "
                "all count, and each rater is resampled with all their ratings"
            )
    left = [
        n
        for n in dict.fromkeys(n for own in table.ratings.about.values() for n in own)
        if n not in by
    ]
    if left:
        notes.append(
            f"further columns of raters: {', '.join(left)} (--by {left[0]} shows its groups)"
        )
    counts = Counter(rater for rater, _, _ in table.ratings.given)
    order = sorted(counts.values())
    if order and order[0] * 3 < order[-1]:
        notes.append(
            f"raters gave {order[0]:,} to {order[-1]:,} ratings; each rating counts the same"
        )
    return notes
