"""From a source to planned samples: labels in one spelling, clusters, limits."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.answers.vocabulary import canonicaliser
from harness.core.errors import HarnessError
from harness.core.field import FROM_DATA
from harness.core.sample import Sample, Scalar, Value
from harness.core.source import Source, stated_labels
from harness.core.task import Task
from harness.prompting.controls import neutralise
from harness.run.digests import Digests, digest
from harness.run.label_words import check_label_words
from harness.run.media_clusters import MediaClusters
from harness.run.sample_file import PlannedSample, read_samples, write_rows

MOST_CLASSES = 200
"""More distinct labels than this are taken for free text."""


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What one pass over a source showed."""

    count: int
    clusters: int
    own_clusters: bool
    """True when the source or the task names what is resampled; False when each medium stands for itself."""
    classes: Mapping[str, tuple[str, ...]]
    """Field -> its labels, for fields whose labels come from the data."""
    chosen: frozenset[str] | None
    """Ids of the samples kept under a limit; None means all."""
    forms: tuple[tuple[tuple[str, ...], str | None], ...] = ()
    """(fields asked, question) of the first sample of each form: which fields it asks, and whether it has a question of
    its own."""
    altered: tuple[int, str] = (0, "")
    """Questions in which control tokens are spelled otherwise in prompts, and the first sample that has one."""


class Planner:
    """Turns the samples of one task into rows; the spellings of its labels are compiled once."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.media = MediaClusters()
        self._named = Digests(0)
        """Clusters that the source or the task names."""
        self._spellings = {
            name: canonicaliser(field.classes, field.synonyms)
            for name, field in task.fields.items()
            if field.one_label and field.labels != FROM_DATA
        }

    @property
    def clusters(self) -> int:
        """How many clusters the rows so far have."""
        return len(self.media) + len(self._named)

    def row(self, sample: Sample) -> PlannedSample:
        """The row for a sample: targets in the task's spelling, its cluster, the fields it asks for.

        The name of a cluster of one medium is final when all samples are known (`settled`). Raises HarnessError for a
        label outside the field's list or a cluster annotation that is not there.
        """
        targets = self.targets(sample)
        return PlannedSample(
            sample=sample.id,
            cluster=self._cluster(sample),
            question=sample.question,
            asks=sample.asked_of(self.task.fields),
            targets=targets,
            annotations=self._annotations(sample, targets),
            media=tuple(
                picture.name
                for medium in (sample.medium, sample.second)
                if medium is not None
                for picture in medium.frames
            ),
        )

    def targets(self, sample: Sample) -> dict[str, Value]:
        """The sample's truths in the task's spelling. Raises HarnessError for a label outside the field's list."""
        fields = self.task.fields
        return {n: self.target(sample.id, n, v) for n, v in sample.targets.items() if n in fields}

    def _annotations(self, sample: Sample, targets: Mapping[str, Value]) -> Mapping[str, Scalar]:
        """Those of the sample, and the truth of each field that the task slices by."""
        sliced = [name for name in self.task.slices if name in targets]
        found: dict[str, Scalar] = {}
        for name in sliced:
            value = targets[name]
            found[name] = ", ".join(value) if isinstance(value, tuple) else value
        return {**found, **sample.annotations} if sliced else sample.annotations

    def _cluster(self, sample: Sample) -> str:
        rule = self.task.cluster
        if rule == "auto" and sample.cluster is not None:
            return self._note(sample.cluster)
        if rule in {"auto", "image"}:
            return self._of_medium(sample)
        value = sample.annotations.get(rule)
        if value is None:
            raise HarnessError(
                f"sample {sample.id} has no {rule!r}, which cluster: names",
                hint="set cluster: to auto, image, or an annotation that every sample has",
            )
        return self._note(str(value))

    def _note(self, cluster: str) -> str:
        self._named.put(digest(cluster), b"")
        return cluster

    def _of_medium(self, sample: Sample) -> str:
        name = sample.medium.frames[0].name if sample.medium.frames else sample.id
        return self.media.put(name, sample.id)

    def target(self, sample: str, name: str, value: Value) -> Value:
        """The truth of a field of one sample (by its id) in the task's spelling. Raises HarnessError as `targets`."""
        spelling = self._spellings.get(name)
        if spelling is None:
            return value
        label = spelling.label(str(value))
        if label is None:
            classes = ", ".join(self.task.fields[name].classes)
            raise HarnessError(
                f"sample {sample}: {name} is {value!r}, which is not one of: {classes}",
                hint=f"correct the row; or use --set fields.{name}.labels=from-data to use the "
                f"labels in the data; or list them: --set 'fields.{name}.labels=[...]'",
            )
        return label


def select(samples: Iterable[Sample], limit: int | None, seed: int) -> Iterator[Sample]:
    """All samples, or a seeded random choice of `limit` of them in their own order.

    The choice keeps the ids of least SHA-256(seed, id): a simple random sample that does not depend on the
    order of the table (sorted tables would otherwise give one class), and a greater limit keeps every
    sample of a lesser one, so that its replies are reused.
    """
    if limit is None:
        yield from samples
        return
    heap: list[tuple[int, int, Sample]] = []
    for order, sample in enumerate(samples):
        digest = hashlib.sha256(f"{seed}\x1f{sample.id}".encode("utf-8", "surrogatepass")).digest()
        item = (-int.from_bytes(digest[:12], "big"), order, sample)
        if len(heap) < limit:
            heapq.heappush(heap, item)
        elif item > heap[0]:
            heapq.heapreplace(heap, item)
    yield from (sample for _, _, sample in sorted(heap, key=lambda entry: entry[1]))


def write_samples(
    samples: Iterable[Sample],
    task: Task,
    path: Path,
    *,
    limited: bool,
    stated: Mapping[str, tuple[str, ...]] | None = None,
) -> SampleSummary:
    """Write one row a sample, a batch at a time; returns what was seen.

    `stated` are labels that count as seen (`stated_labels` of the source). Raises HarnessError when there is no sample, a target is outside its list, or the disk is full.
    """
    classes = _open_classes(task, stated or {})
    chosen: set[str] = set()
    forms: dict[tuple[tuple[str, ...], bool], str | None] = {}
    count, altered = 0, list[str]()
    planner = Planner(task)
    own = task.cluster not in {"auto", "image"}

    def rows() -> Iterator[PlannedSample]:
        nonlocal count, own
        for sample in samples:
            row = planner.row(sample)
            count += 1
            own = own or (task.cluster == "auto" and sample.cluster is not None)
            if row.question is not None and neutralise(row.question) != row.question:
                altered.append(row.sample)
            forms.setdefault((row.asks, row.question is None), row.question)
            for name, seen in classes.items():
                _collect(row.targets.get(name), seen, name)
            if limited:
                chosen.add(row.sample)
            yield row

    write_rows(path, rows())
    if planner.media.renamed():
        write_rows(path, settled(read_samples(path), planner.media))
    if not count:
        raise HarnessError(
            f"task {task.name}: the source has no samples",
            hint="check the source options, such as the split, the label column and the limit",
        )
    return SampleSummary(
        count=count,
        clusters=planner.clusters,
        own_clusters=own,
        classes={name: tuple(sorted(seen)) for name, seen in classes.items()},
        chosen=frozenset(chosen) if limited else None,
        forms=tuple((asks, question) for (asks, _), question in forms.items()),
        altered=(len(altered), altered[0] if altered else ""),
    )


def settled(rows: Iterable[PlannedSample], media: MediaClusters) -> Iterator[PlannedSample]:
    """The rows with the final names of their clusters, once all samples are known."""
    final = media.renamed()
    for row in rows:
        yield replace(row, cluster=final[row.cluster]) if row.cluster in final else row


def _open_classes(task: Task, stated: Mapping[str, tuple[str, ...]]) -> dict[str, set[str]]:
    """For each field whose labels come from the data, those that its source states."""
    return {
        name: set(stated.get(name, ()))
        for name, field in task.fields.items()
        if field.labelled and field.labels == FROM_DATA
    }


def collect_classes(samples: Iterable[Sample], task: Task) -> dict[str, tuple[str, ...]]:
    """The labels of each field that takes them from the data, sorted. Raises HarnessError when too many."""
    classes = _open_classes(task, stated_labels(samples))
    for _ in noting_classes(samples, classes) if classes else ():
        pass
    return {name: tuple(sorted(seen)) for name, seen in classes.items()}


def noting_classes(samples: Iterable[Sample], classes: Mapping[str, set[str]]) -> Iterator[Sample]:
    """The samples; the labels of the fields of `classes` are added there. Raises HarnessError when too many."""
    for sample in samples:
        for name, seen in classes.items():
            _collect(sample.targets.get(name), seen, name)
        yield sample


def select_with_classes(
    source: Source, task: Task, limit: int, seed: int
) -> tuple[list[Sample], dict[str, tuple[str, ...]]]:
    """The choice of `select`, and the labels of the whole source, in one pass over it."""
    classes = _open_classes(task, stated_labels(source))
    chosen = list(select(noting_classes(source, classes), limit, seed))
    return chosen, {name: tuple(sorted(seen)) for name, seen in classes.items()}


def with_classes(task: Task, classes: Mapping[str, tuple[str, ...]]) -> Task:
    """The task with those fields' labels spelled out. Raises HarnessError for a synonym or a definition of another label."""
    fields = {
        name: spec.model_copy(update={"labels": classes[name]}) if name in classes else spec
        for name, spec in task.fields.items()
    }
    check_label_words(
        {name: fields[name] for name in classes if name in fields}, lambda keys: f"task {task.name}"
    )
    return task.model_copy(update={"fields": fields})


def _collect(value: Value | None, seen: set[str], name: str) -> None:
    if value is None:
        return
    seen.update(value if isinstance(value, tuple) else (str(value),))
    if len(seen) > MOST_CLASSES:
        raise HarnessError(
            f"field {name} has more than {MOST_CLASSES} different labels",
            hint=f"for free text, use --set fields.{name}.kind=text; otherwise list the labels",
        )
