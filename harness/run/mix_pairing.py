"""Choose the second sample of each mixture, before anything is shown.

`RULE` says how. The samples stand in a ring that the seed alone puts in order, so that a sample that is added or left
out changes the partner of few others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.conditions.mixture import beside, partner_in, weight_of
from harness.core.condition import Condition
from harness.core.medium import Medium
from harness.core.picture import Remembered
from harness.core.sample import Sample
from harness.core.task import Task
from harness.run.basis import accepted
from harness.run.folder import RunFolder
from harness.run.log import read_log
from harness.run.samples import Planner

RULE = (
    "the samples stand in a ring in the order of SHA-256(seed, id); a sample's partner is the next in the ring that "
    "has another label of the task's first scored label field, another subject and another picture"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What decides on partners."""

    id: str
    label: str
    subject: str
    """What two samples of one person, or one picture, have in common."""


def partners(candidates: Sequence[Candidate], *, seed: int) -> dict[str, str]:
    """Sample id -> its partner's id, by `RULE`; samples that no other fits are absent."""
    ring = sorted(candidates, key=lambda one: _place(seed, one.id))
    ends = _ends_of_runs([one.label for one in ring])
    found: dict[str, str] = {}
    for start, one in enumerate(ring):
        at = start + 1
        while at < start + len(ring):
            other = ring[at % len(ring)]
            if other.label == one.label:
                at += ends[at % len(ring)]
            elif other.subject == one.subject:
                at += 1
            else:
                found[one.id] = other.id
                break
    return found


def _place(seed: int, sample: str) -> bytes:
    return hashlib.sha256(f"mix\x1f{seed}\x1f{sample}".encode("utf-8", "surrogatepass")).digest()


def _ends_of_runs(labels: Sequence[str]) -> list[int]:
    """For each place of a ring, how many steps to the next place of another label, at least 1."""
    count = len(labels)
    steps = [1] * count
    for at in range(2 * count - 2, -1, -1):
        here, after = at % count, (at + 1) % count
        if labels[here] == labels[after]:
            steps[here] = min(steps[after] + 1, count)
    return steps


def mixing_field(task: Task) -> str | None:
    """The field whose labels are mixed: the task's first scored one of kind label."""
    return next((n for n, spec in task.fields.items() if spec.one_label and spec.scored), None)


class Partners:
    """The media of one task's samples, and who stands beside whom. Handles are held, no pixels are."""

    def __init__(
        self,
        task: Task,
        source: Iterable[Sample],
        *,
        seed: int,
        chosen: Container[str] | None = None,
    ) -> None:
        """One pass over the task's source; `task` has its labels fixed, `chosen` are the ids that take part (None:
        all). Raises what the source raises."""
        self._task = task
        self._media: dict[str, Medium] = {}
        field = mixing_field(task)
        planner = Planner(task)
        candidates = []
        for sample in source:
            left_out = chosen is not None and sample.id not in chosen
            label = None if field is None or left_out else planner.targets(sample).get(field)
            if label is not None:
                self._media[sample.id] = sample.medium
                candidates.append(Candidate(sample.id, str(label), _subject(sample, task)))
        self._of = partners(candidates, seed=seed)

    def of(self, sample: str) -> tuple[str, Medium] | None:
        """The id and the medium of a sample's partner; None where there is none."""
        called = self._of.get(sample)
        return None if called is None else (called, self._media[called])

    def beside(self, condition: Condition, sample: Sample) -> Condition:
        """The condition with the sample's partner in it; as it is where there is none."""
        called = self._of.get(sample.id)
        if called is None:
            return condition
        medium = self._media[called]
        held = replace(medium, frames=tuple(Remembered(picture) for picture in medium.frames))
        return beside(condition, held, called=called, policy=self._task.media.frames)


def _subject(sample: Sample, task: Task) -> str:
    """The task's own unit of resampling where it names one, else the subject, else the picture."""
    if sample.annotations.get(task.cluster) is not None:
        return f"{task.cluster} {sample.annotations[task.cluster]}"
    if sample.cluster is not None:
        return f"subject {sample.cluster}"
    return f"picture {sample.medium.frames[0].name if sample.medium.frames else sample.id}"


def read_partners(
    folder: RunFolder, manifest: Mapping[str, Any]
) -> Mapping[str, Mapping[str, str]]:
    """Cell id -> sample -> its partner as the trials recorded it, in the cells whose condition mixes."""
    bases = {
        c["id"]: accepted(c)
        for c in manifest["cells"]
        if weight_of(c["condition"]) is not None and not c.get("asked_as")
    }
    found: dict[str, dict[str, str]] = {cell: {} for cell in bases}
    for _, line in read_log(folder.trials) if bases else ():
        cell, _, rest = line["trial"].partition("/")
        partner = partner_in((line.get("shown") or {}).get("changes"))
        if partner is not None and line["basis"] in bases.get(cell, ()):
            found[cell][rest.partition("/")[2]] = partner
    return found
