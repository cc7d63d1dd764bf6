"""Choose few-shot examples for a sample from the allowed ones.

`RULE` says how; nothing but the seed and the sample's id decides, so that a sample has the same examples under
every model, prompt and condition, and more shots keep those of fewer.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.sample import Sample
from harness.core.task import Task
from harness.run.samples import Planner
from harness.sources import open_source

MOST_HELD = 100
"""Examples held of each label."""

RULE = (
    "of each label the 100 of least SHA-256(seed, id) are held; for each sample the labels come in turn, in an "
    "order drawn with the seed and its id, and of each label one example drawn likewise; the examples ask what the "
    "sample asks; none is of the sample's own subject or shows its picture; a label that the examples of one "
    "subject alone could fill is shown to no sample"
)

NO_LABEL = ""
"""Stands for the label where no field with labels is asked for: all examples are then of one kind."""


@dataclass(frozen=True, slots=True)
class ExampleKind:
    """Examples that ask the same of their reader."""

    asked: tuple[str, ...]
    part: str
    """The part of the task (the kind of a question), where it has parts."""


@dataclass(frozen=True, slots=True)
class ExamplePool:
    """What the few-shot examples of one task are drawn from, as the plan read it."""

    task: Task
    """Its labels fixed."""
    seed: int
    source: Mapping[str, Any]
    """Options of the source they come from."""
    digest: str
    """Hex digest of that source's annotations."""
    held: Mapping[ExampleKind, Sequence[Sample]]
    """In the order in which they are drawn; targets in the task's spelling."""

    def draw(
        self,
        sample: Sample,
        by_label: Mapping[str, Sequence[Sample]],
        shots: int,
        *,
        refused: Collection[str] = (),
    ) -> tuple[Sample, ...]:
        """The examples for a sample, out of `by_label` (`labels` gives it), in the order shown.

        `refused` are ids that are not to be drawn. Raises HarnessError where there are too few.
        """
        order = sorted(by_label, key=lambda label: self._number(sample.id, label))
        kin, drawn = kin_of(sample, self.task), list[Sample]()
        for turn in range(shots):
            label = order[turn % len(order)]
            taken = {*refused, *(one.id for one in drawn)}
            items = by_label[label]
            start = self._number(sample.id, label, str(turn)) % len(items)
            walk = (items[(start + step) % len(items)] for step in range(len(items)))
            found = next(
                (i for i in walk if i.id not in taken and kin.isdisjoint(kin_of(i, self.task))),
                None,
            )
            if found is None:
                raise _too_few(shots, f"no other {label or 'example'} is available for {sample.id}")
            drawn.append(found)
        return tuple(drawn)

    def labels(
        self, kind: ExampleKind, asks: tuple[str, ...], shots: int
    ) -> Mapping[str, Sequence[Sample]]:
        """Label -> the examples that may show it where an answer fills `asks`. Raises HarnessError where none may."""
        by_label: dict[str, list[Sample]] = {}
        field = _balanced(asks, self.task)
        for one in self.held.get(kind, ()):
            if all(name in one.targets for name in asks):
                label = NO_LABEL if field is None else str(one.targets[field])
                by_label.setdefault(label, []).append(one)
        usable = _usable(by_label, shots, self.task)
        if not usable:
            raise _too_few(
                shots,
                f"{sum(map(len, by_label.values()))} samples have a known {' and '.join(asks)}",
            )
        return usable

    def _number(self, *words: str) -> int:
        text = "\x1f".join([str(self.seed), *words])
        return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8])

    def summary(self) -> dict[str, Any]:
        """What a manifest keeps: no ids, no truths of single samples."""
        counts: Counter[str] = Counter()
        for kind, items in self.held.items():
            field = _balanced(kind.asked, self.task)
            counts.update(str(i.targets.get(field, "")) if field else NO_LABEL for i in items)
        return {
            "rule": RULE,
            "seed": self.seed,
            "from": "the task's own samples"
            if self.source == self.task.source
            else "other samples",
            "digest": self.digest,
            "held": dict(sorted(counts.items())),
        }


def exemplar_source(task: Task) -> Mapping[str, Any]:
    """The source options of a task's few-shot examples: its own, with those of `exemplars` in their place.

    Side tables are about the task's own samples; examples from elsewhere have those that `exemplars` names.
    """
    if "family" in task.exemplars or not task.exemplars:
        return task.exemplars or task.source
    own = {key: value for key, value in task.source.items() if key not in {"sidecar", "marks"}}
    return {**own, **task.exemplars}


def read_pool(task: Task, *, seed: int, here: Path) -> ExamplePool:
    """One pass over the source of few-shot examples. Raises HarnessError where it cannot be read."""
    options = exemplar_source(task)
    try:
        source = open_source(options, fields=task.fields, base=here)
        held = _hold(source, task, seed)
    except HarnessError as error:
        raise HarnessError(
            f"task {task.name}, few-shot examples: {error.message}", hint=error.hint
        ) from None
    return ExamplePool(task, seed, options, source.digest(), held)


def _hold(source: Iterable[Sample], task: Task, seed: int) -> dict[ExampleKind, Sequence[Sample]]:
    """Of each kind and label the samples of least hash."""
    planner = Planner(task)
    heaps: dict[tuple[ExampleKind, str], list[tuple[int, int, Sample]]] = {}
    for order, sample in enumerate(source):
        targets = planner.targets(sample)
        if not targets:
            continue
        kind = kind_of(sample, task)
        field = _balanced(kind.asked, task)
        label = NO_LABEL if field is None else str(targets.get(field, NO_LABEL))
        digest = hashlib.sha256(f"{seed}\x1f{sample.id}".encode("utf-8", "surrogatepass")).digest()
        item = (-int.from_bytes(digest[:12]), order, replace(sample, targets=targets))
        heap = heaps.setdefault((kind, label), [])
        if len(heap) < MOST_HELD:
            heapq.heappush(heap, item)
        elif item > heap[0]:
            heapq.heapreplace(heap, item)
    held: dict[ExampleKind, list[Sample]] = {}
    for (kind, _), heap in heaps.items():
        held.setdefault(kind, []).extend(sample for *_, sample in sorted(heap, reverse=True))
    return {kind: tuple(samples) for kind, samples in held.items()}


def kind_of(sample: Sample, task: Task) -> ExampleKind:
    part = str(sample.annotations.get(task.parts, "")) if task.parts else ""
    return ExampleKind(sample.asked_of(task.fields), part)


def _balanced(asks: Iterable[str], task: Task) -> str | None:
    """The field whose labels come in turn: the first that has labels."""
    return next((name for name in asks if task.fields[name].categorical), None)


def _usable(
    by_label: Mapping[str, Sequence[Sample]], shots: int, task: Task
) -> dict[str, Sequence[Sample]]:
    """The labels that can be shown to every sample, whatever its subject.

    Were a label missing only where it is the sample's own, its absence would tell the answer.
    """
    usable = {label: by_label[label] for label in sorted(by_label)}
    while usable:
        need = -(-shots // len(usable))
        short = [label for label, items in usable.items() if _spare(items, task) < need]
        if not short:
            break
        usable = {label: items for label, items in usable.items() if label not in short}
    return usable


def _spare(items: Sequence[Sample], task: Task) -> int:
    """How many are left without the subject that has most of them."""
    subjects = Counter(next(iter(_names(item, task))) for item in items)
    return len(items) - max(subjects.values())


def kin_of(sample: Sample, task: Task) -> frozenset[str]:
    """What tells of a sample whether another shows the same subject or picture: they have one of these in common."""
    return frozenset(_names(sample, task))


def with_targets(source: Iterable[Sample], task: Task) -> Iterator[Sample]:
    """The samples that have a true value, with it as the task's labels spell it."""
    planner = Planner(task)
    for sample in source:
        targets = planner.targets(sample)
        if targets:
            yield replace(sample, targets=targets)


def _names(sample: Sample, task: Task) -> Iterator[str]:
    """What two samples of one subject, or one picture, have in common; the widest first."""
    if sample.annotations.get(task.cluster) is not None:
        yield f"{task.cluster} {sample.annotations[task.cluster]}"
    if sample.cluster is not None:
        yield f"subject {sample.cluster}"
    yield from (f"picture {frame.name}" for frame in sample.medium.frames)


def _too_few(shots: int, why: str) -> HarnessError:
    return HarnessError(
        f"cannot draw {shots} few-shot examples: {why}",
        hint="lower --shots, or name other data under `exemplars:` in the task (exemplars: "
        "{split: train}; --set exemplars.file=train.csv)",
    )
