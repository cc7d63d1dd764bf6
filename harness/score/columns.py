"""Columns: the answers of one model to one field by sample, with the groups for scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as given

import numpy as np
from numpy.typing import NDArray

from harness.core.cell import FREE, Cell
from harness.core.field import FieldSpec
from harness.core.kind import kind_of
from harness.core.outcome import Outcome
from harness.core.sample import Value
from harness.core.task import SUBJECT
from harness.run.dictionary_encoding import Coded, coded
from harness.run.sample_columns import SampleColumns
from harness.score.baselines import Fitted, fit
from harness.score.channels import EXPECTED
from harness.score.grouping import MOST_VALUES, Grouping, grouping, suppressed
from harness.score.guessing import EXPECTED as GUESSED
from harness.score.guessing import Guesses
from harness.score.records import TaskRecords, repeated_answers, repeated_outcomes

NO_PROMPT = "-"
"""Stands as prompt of the baselines, which read none."""

BASELINE = "baseline:"
"""Opens the name of a network that `harness baseline` trained, which reads no prompt either."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FieldAnswers:
    """What one model answered to one field: truths, answers and groups, sample by sample."""

    names: tuple[str, str, str, str]
    """Task, model, prompt, condition."""
    field: str
    spec: FieldSpec
    truth: Coded[Value]
    repeats: Sequence[Coded[Value | None]]
    """The answers of each repeat, of all of which every sample is finished."""
    clusters: NDArray[np.int64]
    """(n,) number of each sample's cluster."""
    slices: Sequence[tuple[str, Mask]]
    """(name, (n,) mask) of every slice scored."""
    unit: str
    """What a cluster is: subject, image."""
    note: str = ""
    """Added to the estimator: in-sample, fitted on other data."""
    channel: str = FREE
    groupings: Sequence[Grouping] = ()
    """The annotations that the task is sliced by, of these samples."""
    folds: Grouping | None = None
    """The fold of each sample, where the task has folds."""
    outcomes: Sequence[Coded[Outcome]] = ()
    """What became of each sample in each repeat; empty for baselines, which always answer."""
    guesses: Guesses | None = None
    """What the answers are drawn from, where it is their expectation that is scored; there are no `repeats` then."""
    instead: Mapping[str, tuple[str, Coded[Value]]] = given(default_factory=dict)
    """Metric -> note and answers of a baseline that answers otherwise for it: the median for an absolute error."""

    def of_metric(self, metric: str) -> FieldAnswers:
        """The column with the answers that this metric scores."""
        if metric not in self.instead:
            return self
        note, answers = self.instead[metric]
        return replace(self, repeats=[answers], note=note, instead={})


@dataclass(frozen=True, slots=True)
class Groups:
    """How the samples of a task fall into clusters and slices."""

    clusters: NDArray[np.int64]
    """(n,) numbers from 0 in order of appearance."""
    slices: Mapping[str, Mask]
    """`all` or the parts, then `column=value`; of a task with parts, `part, column=value`."""
    left_out: tuple[str, ...]
    """Slices not scored, and why."""
    groupings: tuple[Grouping, ...] = ()
    """The annotations that are sliced by."""
    folds: Grouping | None = None


def group(records: TaskRecords) -> Groups:
    """Clusters, parts and slices of a task's samples."""
    codes = records.samples.clusters.astype(np.int64)
    parts = _parts(records)
    slices = dict(parts)
    left_out: list[str] = []
    groupings = []
    for name in records.task.slices:
        found = _grouping(records.samples, name)
        if len(found.values) > MOST_VALUES:
            left_out.append(f"{name}: {len(found.values)} different values")
            continue
        groupings.append(found)
        for place, value in enumerate(found.values):
            mask = found.codes == place
            why = suppressed(mask, codes, unit=records.cluster_unit)
            if why:
                left_out.append(f"{name}={value}: suppressed ({why})")
            else:
                crossed = _crossed(parts, f"{name}={value}", mask)
                slices |= {
                    told: inside
                    for told, inside in crossed.items()
                    if not suppressed(inside, codes, unit=records.cluster_unit)
                }
    return Groups(
        clusters=codes,
        slices=slices,
        left_out=tuple(left_out),
        groupings=tuple(groupings),
        folds=_folds(records),
    )


def _folds(records: TaskRecords) -> Grouping | None:
    """The fold of each sample, where the task has folds: its subject, or what the annotation says."""
    name, samples = records.task.folds, records.samples
    if name is None:
        return None
    if name == SUBJECT and records.cluster_unit == SUBJECT:
        found = grouping(name, list(samples.cluster_names))
        return replace(found, codes=found.codes[samples.clusters])
    return _grouping(samples, name)


def _grouping(samples: SampleColumns, name: str) -> Grouping:
    """The groups of an annotation; of a field its truths, and the annotation where there is none (`unsure`)."""
    notes = samples.notes(name)
    if name in samples.targets:
        pairs = zip(samples.truths(name), notes, strict=True)
        notes = coded(note if truth is None else truth for truth, note in pairs)
    found = grouping(name, notes.values)
    return replace(found, codes=found.codes[notes.codes])


def _crossed(parts: Mapping[str, Mask], name: str, mask: Mask) -> dict[str, Mask]:
    """A slice of the whole task, or of each of its parts: `coarse, dataset=samm`."""
    if list(parts) == ["all"]:
        return {name: mask}
    return {f"{part}, {name}": mask & inside for part, inside in parts.items()}


def _parts(records: TaskRecords) -> dict[str, Mask]:
    """The whole task as `all`, or its parts: those named like a field in the order of the fields, then others."""
    if records.task.parts is None:
        return {"all": np.ones(len(records.samples), dtype=np.bool_)}
    kinds = records.parts
    masks = {part: kinds.equal(part) for part in dict.fromkeys(kinds) if part is not None}
    named = list(records.task.fields)
    order = sorted(
        masks, key=lambda part: (named.index(part) if part in named else len(named), part)
    )
    return {part: masks[part] for part in order}


def model_columns(
    records: TaskRecords, groups: Groups, cells: Sequence[Cell]
) -> Iterator[FieldAnswers]:
    """A column for every cell and scored field that has truths."""
    for cell in cells:
        for name, spec in records.task.fields.items():
            positions, repeats = repeated_answers(records, cell, name)
            if spec.scored and positions:
                yield _column(
                    records, groups, name, positions, repeats,
                    names=(cell.task, cell.model, cell.prompt, cell.shown_condition), channel=cell.taken,
                    outcomes=repeated_outcomes(records, cell, name, positions),
                    note=EXPECTED if cell.channel == "logprob" and spec.numeric else "",
                )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class FieldFits:
    """What the baselines of one field are fitted on, part by part."""

    fits: Sequence[Fitted]
    codes: NDArray[np.int32]
    """(positions,) which of them each sample has; -1 where the field is not asked, or has no truth."""

    @property
    def places(self) -> NDArray[np.int64]:
        """The positions that have one."""
        return np.flatnonzero(self.codes >= 0)

    @property
    def note(self) -> str:
        """On which labels they are fitted."""
        outside = all(not one.in_sample for one in self.fits)
        return "fitted on --fit-on" if outside else "in-sample: fitted on the scored labels"

    def majority(self, metric: str = "", places: NDArray[np.int64] | None = None) -> Coded[Value]:
        """The best constant answer for each of `places`, or of some of them."""
        codes = self.codes[self.places if places is None else places]
        return Coded(codes, self.fits).turned(lambda one: one.majority(metric))

    def guesses(self, places: NDArray[np.int64] | None = None) -> Guesses:
        """What is guessed for each of `places`, or of some of them."""
        return Guesses(self.fits, self.codes[self.places if places is None else places])


def baseline_columns(
    records: TaskRecords, groups: Groups, fits: Mapping[tuple[str | None, str], Fitted]
) -> Iterator[FieldAnswers]:
    """Majority and prior for every scored field, fitted part by part."""
    for name, found in baseline_fits(records, fits).items():
        spec, places = records.task.fields[name], found.places
        kind, task = kind_of(spec), records.task.name
        word = f"answers: the {kind.baseline_word}; " if kind.baseline_word else ""
        common = _column(
            records, groups, name, places, [found.majority()],
            names=(task, "majority", NO_PROMPT, "none"), note=word + found.note,
        )  # fmt: skip
        others = {
            metric: (f"answers: the {other}; {found.note}", found.majority(metric))
            for metric, (other, _) in kind.baselines.items()
            if metric in spec.shown_metrics
        }
        yield replace(common, instead=others)
        drawn = _column(
            records, groups, name, places, [],
            names=(task, "prior", NO_PROMPT, "none"), note=f"{GUESSED}; {found.note}",
        )  # fmt: skip
        yield replace(drawn, guesses=found.guesses())


def baseline_fits(
    records: TaskRecords, fits: Mapping[tuple[str | None, str], Fitted]
) -> dict[str, FieldFits]:
    """Scored field -> what its baselines are fitted on, part by part."""
    every: dict[str, FieldFits] = {}
    samples, parts = records.samples, records.parts
    for name, spec in records.task.fields.items():
        asked = samples.known(name) & samples.asking(name)
        if not spec.scored or not asked.any():
            continue
        codes = np.full(len(samples), -1, dtype=np.int32)
        found: list[Fitted] = []
        for part in dict.fromkeys(parts.at(np.flatnonzero(asked))):
            members = np.flatnonzero(asked & parts.equal(part))
            codes[members] = len(found)
            found.append(fits.get((part, name)) or fit(spec.kind, samples.truths_at(name, members)))
        every[name] = FieldFits(found, codes)
    return every


def _column(
    records: TaskRecords,
    groups: Groups,
    name: str,
    positions: Sequence[int] | NDArray[np.int64],
    repeats: Sequence[Coded[Value | None]],
    *,
    names: tuple[str, str, str, str],
    note: str = "",
    channel: str = FREE,
    outcomes: Sequence[Coded[Outcome]] = (),
) -> FieldAnswers:
    places = np.asarray(positions, dtype=np.int64)
    clusters, unit = groups.clusters[places], records.cluster_unit
    slices = [(slice_name, mask[places]) for slice_name, mask in groups.slices.items()]
    return FieldAnswers(
        names=names,
        field=name,
        spec=records.task.fields[name],
        truth=records.samples.truths_at(name, places),
        repeats=repeats,
        clusters=clusters,
        slices=[
            (slice_name, mask)
            for slice_name, mask in slices
            if mask.any()
            and not ("=" in slice_name and suppressed(mask, clusters, unit=unit))
            and not slice_name.startswith(f"{name}=")  # a field by its own truth is its recalls
        ],
        unit=unit,
        note=note,
        channel=channel,
        groupings=[found.at(places) for found in groups.groupings if found.name != name],
        folds=groups.folds.at(places) if groups.folds else None,
        outcomes=outcomes,
    )
