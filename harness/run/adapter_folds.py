"""Adapters trained leaving subjects out: each subject is asked of the one that never saw it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.core.errors import HarnessError
from harness.core.sample import Sample
from harness.core.task import SUBJECT, Task
from harness.core.text import counted

if TYPE_CHECKING:
    from harness.core.training_folds import FoldNote, TrainingFolds
    from harness.run.plan import Plan
    from harness.run.planned_task import PlannedTask

MARK = "{fold}"
DETAIL = "adapters"
"""Detail of the card of a model with an adapter for each fold."""
ANNOTATION = "adapter_fold"
"""Annotation of samples that names the fold whose adapter is asked."""
_NAMED = 5
"""Subjects or folds that an error names."""


@dataclass(frozen=True)
class AdapterFolds:
    """The folds of a run's adapters."""

    folds: TrainingFolds | None = None
    """None: no model has an adapter for each fold."""
    source: str = ""
    """Where they were read."""
    models: frozenset[str] = frozenset()
    """Models with an adapter for each fold."""
    trained: Mapping[str, FoldNote] = field(default_factory=dict)
    """Model with one adapter for all samples -> what that was trained on, where its folder says so."""

    @cached_property
    def _of_subject(self) -> Mapping[str, str]:
        return {} if self.folds is None else self.folds.fold_of

    def fold_of(self, model: str, sample: Sample, task: Task) -> str:
        """The fold whose adapter is asked about a sample; empty for a model that has none for each fold."""
        return self.fold(sample, task) if model in self.models else ""

    def fold(self, sample: Sample, task: Task) -> str:
        """The fold of a sample's subject; empty where it is in none."""
        subject = subject_of(sample, task)
        return "" if subject is None else self._of_subject.get(subject, "")


def subject_of(sample: Sample, task: Task) -> str | None:
    """The subject of a sample: the annotation that `cluster:` names, else the subject that the source knows."""
    named = sample.annotations.get(task.cluster)
    return sample.cluster if named is None else str(named)


def folded_models(manifest: Mapping[str, Any]) -> frozenset[str]:
    """The models of a run with an adapter for each fold."""
    models = manifest.get("models", {})
    return frozenset(n for n, one in models.items() if (one.get("details") or {}).get(DETAIL))


def with_folds(
    samples: Iterable[Sample], folds: AdapterFolds | None, task: Task
) -> Iterator[Sample]:
    """The samples, with the fold of their subject as an annotation."""
    for sample in samples:
        if folds is None or folds.folds is None:
            yield sample
        else:
            told = {**sample.annotations, ANNOTATION: folds.fold(sample, task)}
            yield replace(sample, annotations=told)


def folded_task(task: Task, folds: AdapterFolds) -> Task:
    """The task with the adapters' folds as its own, where it has none."""
    if folds.folds is None or task.folds is not None:
        return task
    by_subject = folds.folds.by == SUBJECT and task.cluster == "auto"
    return task.model_copy(update={"folds": SUBJECT if by_subject else ANNOTATION})


def check_adapters(folds: AdapterFolds | None, task: Task, planned: PlannedTask) -> list[str]:
    """What to say of a task's subjects and its adapters' folds. Raises HarnessError where a subject is in no fold, or an
    adapter was trained on it."""
    if folds is None:
        return []
    chosen = planned.summary.chosen
    asked = [s for s in planned.every if chosen is None or s.id in chosen]
    if folds.folds is not None:
        _check_known(folds, task, asked)
    subjects = {subject_of(sample, task) for sample in asked}
    for model, note in folds.trained.items():
        leaked = sorted(s for s in subjects if s in note.seen)
        if leaked:
            from harness.core.training_folds import FOLD  # brings the models of files of folds

            raise HarnessError(
                f"the adapter of {model} was trained on {counted(len(leaked), 'subject')} that task {task.name} asks it "
                f"about: {few(leaked)} ({FOLD} in its folder says so)",
                hint=f"use one adapter for each fold: --adapter 'FOLDER/{MARK}', or leave these subjects out",
            )
    if folds.folds is not None and folds.folds.data not in {"", planned.digest}:
        return [
            f"{task.name}: the adapters were trained on other data, or its labels have changed since; subjects are matched by name"
        ]
    return []


def untrained(plan: Plan) -> list[str]:
    """A sentence for each prompt and condition that is asked of adapters otherwise than they were trained."""
    trained = () if plan.folds is None or plan.folds.folds is None else plan.folds.folds.cells
    if not trained or plan.folds is None:
        return []
    prompts = {cell.prompt: cell.prompt_digest for cell in trained}
    shown = {(cell.prompt_digest, cell.condition) for cell in trained}
    notes: dict[str, None] = {}
    for cell in plan.cells:
        digest = plan.prompts[cell.prompt].digest
        if cell.model not in plan.folds.models or (digest, cell.shown_condition) in shown:
            continue
        if digest in prompts.values():
            notes[f"{cell.prompt} was not trained under the condition {cell.shown_condition}"] = (
                None
            )
        elif cell.prompt in prompts:
            notes[f"{cell.prompt} has been edited since the adapters were trained"] = None
        else:
            notes[f"{cell.prompt} was not trained; the adapters were trained on {', '.join(sorted(prompts))}"] = None  # fmt: skip
    return list(notes)


def _check_known(folds: AdapterFolds, task: Task, asked: Iterable[Sample]) -> None:
    nameless = unknown = 0
    names: dict[str, None] = {}
    for sample in asked:
        subject = subject_of(sample, task)
        if subject is None:
            nameless += 1
        elif not folds.fold(sample, task):
            unknown += 1
            names[subject] = None
    if nameless:
        raise HarnessError(
            f"task {task.name}: {counted(nameless, 'sample')} without a subject, so it is not known which adapter never saw them",
            hint="use a source that knows its subjects, or name their column (--set source.subject=COLUMN of a table)",
        )
    if names:
        raise HarnessError(
            f"task {task.name}: {counted(len(names), 'subject')} ({counted(unknown, 'sample')}) in no fold of {folds.source}: "
            f"{few(list(names))}",
            hint="use the samples that were exported (same --set and --limit), or export and train again",
        )


def few(names: list[str]) -> str:
    """The first of some subjects or folds, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
