"""How much of a plan is finished, here and in other folders, before any model is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.run.axes import Axes
from harness.run.basis import accepted
from harness.run.columns import BATCH
from harness.run.finished import FinishedTrials
from harness.run.folder import RunFolder
from harness.run.kept import earlier_bases
from harness.run.manifest import cell_entry, recorded_card
from harness.run.plan import Plan, trials_of
from harness.run.reuse import OtherRun, foreseen_reuse


def foreseen_done(
    plan: Plan,
    axes: Axes,
    samples: RunFolder,
    before: Mapping[str, Any],
    finished: FinishedTrials,
) -> dict[str, int]:
    """Cell id -> trials that are finished if each model is the one that the manifest `before` recorded.

    `samples` is the folder that holds the plan's samples.
    """
    return done_trials(plan, samples, recorded_bases(plan, axes, before), finished)


def confirmed_done(
    foreseen: Mapping[str, int],
    plan: Plan,
    samples: RunFolder,
    finished: FinishedTrials,
    *,
    expected: Mapping[str, Sequence[str]],
    bases: Mapping[str, Sequence[str]],
) -> dict[str, int]:
    """What is finished on `bases`: as was foreseen where they are those expected, else counted again."""
    if all(expected.get(cell.id, ()) == bases.get(cell.id, ()) for cell in plan.cells):
        return dict(foreseen)
    return done_trials(plan, samples, bases, finished)


def recorded_bases(
    plan: Plan, axes: Axes, manifest: Mapping[str, Any]
) -> dict[str, tuple[str, ...]]:
    """Cell id -> its bases if each model is the one that a manifest recorded; models that it lacks have none."""
    bases = {}
    for cell in plan.cells:
        card = recorded_card(manifest, cell.model)
        if card is not None:
            entry = cell_entry(cell, plan, card, axes)
            spelled = (*accepted(entry), *earlier_bases(entry, manifest))
            bases[cell.id] = tuple(dict.fromkeys(spelled))
    return bases


def foreseen_others(
    others: Sequence[OtherRun],
    plan: Plan,
    axes: Axes,
    samples: RunFolder,
    *,
    before: Mapping[str, Any],
    finished: FinishedTrials,
) -> dict[str, int]:
    """Cell id -> trials that are not finished here and are in other folders, if their models are the same.

    `samples`, `before` and `finished` are as in `foreseen_done`.
    """
    own = recorded_bases(plan, axes, before)
    return foreseen_reuse(
        others, plan, samples,
        bases=lambda other: recorded_bases(plan, axes, other.manifest),
        is_done=lambda trial: finished.finished(trial, own.get(trial.partition("/")[0], ())),
    )  # fmt: skip


def done_trials(
    plan: Plan,
    samples: RunFolder,
    bases: Mapping[str, Sequence[str]],
    finished: FinishedTrials,
) -> dict[str, int]:
    """Cell id -> trials that were finished on one of the cell's bases."""
    done = {cell.id: 0 for cell in plan.cells}
    if not finished.asked:
        return done
    waiting: dict[str, list[str]] = {cell.id: [] for cell in plan.cells}

    def count(cell: str) -> None:
        done[cell] += int(finished.states(waiting[cell], bases.get(cell, ()))[2].sum())
        waiting[cell] = []

    for cell, *_, trial in trials_of(plan, samples):
        waiting[cell.id].append(trial)
        if len(waiting[cell.id]) == BATCH:
            count(cell.id)
    for name in done:
        count(name)
    return done
