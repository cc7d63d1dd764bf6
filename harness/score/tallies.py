"""Counts next to the scores: outcomes of each cell, and confusions of true and answered classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.cell import Cell
from harness.core.outcome import Outcome
from harness.metrics import LabelFamily
from harness.score.answer_parser import BY_PLATFORM, FAILED
from harness.score.columns import FieldAnswers
from harness.score.records import TaskRecords
from harness.score.repeats import family_of

AT_LIMIT = 0.02
"""Share of replies that may end at the token limit before it is told."""


def confusions_of(column: FieldAnswers) -> Iterator[Mapping[str, Any]]:
    """Confusion counts on whole slices of label fields; of samples asked several times, of every repeat.

    Answers that are guessed have none.
    """
    if not column.spec.categorical or column.guesses is not None:
        return
    families = [family_of(column.spec, column.truth, answers) for answers in column.repeats]
    task, model, prompt, condition = column.names
    for name, mask in column.slices:
        if "=" not in name:
            tables = [f.confusion(select=mask) for f in families if isinstance(f, LabelFamily)]
            counted = np.sum([table.counts for table in tables], axis=0)
            classes, counts = _occurring(tables[0].classes, counted)
            yield {
                "task": task, "model": model, "prompt": prompt, "condition": condition,
                "channel": column.channel, "slice": name, "field": column.field, "classes": classes, "counts": counts,
            }  # fmt: skip


def _occurring(
    classes: Sequence[str], counts: NDArray[np.int64]
) -> tuple[list[str], list[list[int]]]:
    """The table without classes that a part neither holds nor receives."""
    keep = [i for i in range(len(classes)) if counts[i].any() or counts[:, i].any()]
    return [classes[i] for i in keep], counts[np.ix_(keep, [*keep, len(classes)])].tolist()


def outcomes_of(records: TaskRecords, cells: Sequence[Cell]) -> Iterator[Mapping[str, Any]]:
    """For each cell and field how many trials had which outcome, and why the failed ones failed."""
    for cell in cells:
        for name in records.task.fields:
            answers = records.answers.get((cell, name))
            if answers:
                counted, failures = Counter[Outcome](), Counter[str]()
                by_platform = 0
                for column in records.of_repeats(cell, name):
                    for answer, times in column.counts():
                        counted[answer.outcome] += times
                        if answer.rule == BY_PLATFORM:
                            by_platform += times
                        if times and answer.outcome is Outcome.FAILED:
                            failures[answer.rule.removeprefix(FAILED)] += times
                yield {
                    "task": cell.task, "model": cell.model, "prompt": cell.prompt,
                    "condition": cell.shown_condition, "channel": cell.taken, "field": name,
                    "counts": {o.value: counted[o] for o in Outcome if counted[o]},
                    "failures": dict(sorted(failures.items())),
                    **_refused_by(counted[Outcome.REFUSED], by_platform),
                    **_at_limit(records, cell),
                    **_only_reasoning(records, cell),
                }  # fmt: skip


def _refused_by(refused: int, platform: int) -> dict[str, dict[str, int]]:
    """Who refused, where a platform did; else the model did in every case."""
    if not platform:
        return {}
    return {"refused_by": {"model": refused - platform, "platform": platform}}


def _at_limit(records: TaskRecords, cell: Cell) -> dict[str, dict[str, int]]:
    """How many replies ended at the token limit, where that is more than a few."""
    ended = records.cut.get(cell, Counter())
    if ended[True] <= AT_LIMIT * ended.total():
        return {}
    told = {"replies": ended[True], "of": ended.total()}
    return {"at_limit": told | {"tokens": records.limits.get(cell.id, 0)}}


def _only_reasoning(records: TaskRecords, cell: Cell) -> dict[str, dict[str, int]]:
    """How many replies hold reasoning and no text though they were not cut off, where that is more than a few."""
    silent, of = records.silent.get(cell, 0), records.cut.get(cell, Counter()).total()
    return {"only_reasoning": {"replies": silent, "of": of}} if silent > AT_LIMIT * of else {}
