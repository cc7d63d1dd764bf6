"""Adapters for each fold: from patterns to what each model is opened with, and whose fold a subject is in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError, refuse_unused
from harness.core.text import digest_json
from harness.models import OpenOptions
from harness.run.adapter_folds import MARK, AdapterFolds, folded_task
from harness.run.job import Job

if TYPE_CHECKING:
    from harness.core.training_folds import FoldNote, TrainingFolds


def with_adapters(
    options: Mapping[str, OpenOptions],
    specs: Mapping[str, str],
    job: Job,
    *,
    given: Path | None,
    second: Collection[str],
    spelled: Callable[[str], str],
) -> tuple[dict[str, OpenOptions], Job]:
    """What each model is opened with, and the job, once patterns of adapters are worked out.

    `options` and `specs`: model -> how it is opened, and as what. `given`: a file of folds. `second`: the second model of
    a run, which has one adapter at most. Raises HarnessError for patterns without folds, adapters that are missing, models
    whose folds differ, and a file of folds that no model needs.
    """
    flag = spelled("adapters")
    made: dict[str, OpenOptions] = dict(options)
    trained: dict[str, FoldNote] = {}
    here: dict[str, OpenOptions] = {}
    found: dict[str, tuple[TrainingFolds, str]] = {}
    for name, one in options.items():
        served = specs[name].startswith("openai:") and MARK in specs[name]
        pattern = specs[name].partition(":")[2] if served else one.adapter or ""
        if not pattern:
            continue
        from harness.run.adapter_folders import (  # brings the models of files of folds
            adapters_of,
            find_folds,
            note_of,
            refuse_folder_of_folds,
        )

        if MARK not in pattern:
            refuse_folder_of_folds(pattern, flag=flag)
            note = note_of(pattern)
            trained |= {name: note} if note is not None else {}
            here |= {name: one}
            continue
        if name in second:
            raise HarnessError(
                f"{name} is the second model, which is asked without folds",
                hint=f"name one adapter, without {MARK}",
            )
        found[name] = find_folds(pattern, given, flag=flag)
        folds = found[name][0]
        if served:
            names = {fold: pattern.rpartition("@")[0].replace(MARK, fold) for fold in folds.folds}
        else:
            names = adapters_of(pattern, folds, flag=flag)
        asked = digest_json({fold: its.asked for fold, its in folds.folds.items()})
        made[name] = replace(one, adapter=None, adapters=names, folds=asked)
        here |= {} if served else {name: made[name]}
    if given is not None and not found:
        refuse_unused(
            f"without an adapter for each fold ({flag} 'FOLDER/{MARK}')", {spelled("folds"): str(given)}
        )  # fmt: skip
    job = replace(job, adapted=here)
    if not found and not trained:
        return made, job
    return made, _with_folds(job, found, trained)


def _with_folds(
    job: Job, found: Mapping[str, tuple[TrainingFolds, str]], trained: Mapping[str, FoldNote]
) -> Job:
    folds = AdapterFolds(trained=trained)
    if found:
        (first, (one, source)), *others = found.items()
        for other, (its, _) in others:
            if {n: f.asked for n, f in its.folds.items()} != {n: f.asked for n, f in one.folds.items()}:  # fmt: skip
                raise HarnessError(
                    f"{first} and {other} were trained in different folds",
                    hint="use a run for each",
                )
        folds = replace(folds, folds=one, source=source, models=frozenset(found))
    tasks = tuple(folded_task(task, folds) for task in job.tasks)
    return replace(job, tasks=tasks, axes=replace(job.axes, folds=folds))
