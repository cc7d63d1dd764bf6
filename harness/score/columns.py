"""Columns: what one model answered to one field, sample by sample, with the groups scores are taken over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.cell import FREE, Cell
from harness.core.field import FieldSpec
from harness.core.sample import Value
from harness.score.baselines import BASELINES, Baseline, Fitted, fit, predict
from harness.score.records import TaskRecords, repeated_answers

NO_PROMPT = "-"
"""Stands as prompt of the baselines, which read none."""

LEAST_SLICE = 10
"""Slices of fewer samples are left out: their numbers would identify people and say little."""

MOST_VALUES = 24
"""An annotation with more distinct values than this is not sliced by."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Column:
    """What one model answered to one field: truths, answers and groups, sample by sample."""

    names: tuple[str, str, str, str]
    """Task, model, prompt, condition."""
    field: str
    spec: FieldSpec
    truth: Sequence[Value]
    repeats: Sequence[Sequence[Value | None]]
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


@dataclass(frozen=True, slots=True)
class Groups:
    """How the samples of a task fall into clusters and slices."""

    clusters: NDArray[np.int64]
    """(n,) numbers from 0 in order of appearance."""
    slices: Mapping[str, Mask]
    """`all` or the parts, then `column=value`; of a task with parts, `part, column=value`."""
    left_out: tuple[str, ...]
    """Slices not scored, and why."""


def group(records: TaskRecords) -> Groups:
    """Clusters, parts and slices of a task's samples."""
    numbers: dict[str, int] = {}
    clusters = [numbers.setdefault(s.cluster, len(numbers)) for s in records.samples]
    parts = _parts(records)
    slices = dict(parts)
    left_out: list[str] = []
    for name in records.task.slices:
        values = [sample.annotations.get(name) for sample in records.samples]
        masks = _masks([None if value is None else str(value) for value in values])
        if len(masks) > MOST_VALUES:
            left_out.append(f"{name}: {len(masks)} different values")
            continue
        for value, mask in sorted(masks.items()):
            size = int(mask.sum())
            if size < LEAST_SLICE:
                left_out.append(f"{name}={value}: {size} samples")
            else:
                slices |= _crossed(parts, f"{name}={value}", mask)
    return Groups(np.asarray(clusters, dtype=np.int64), slices, tuple(left_out))


def _crossed(parts: Mapping[str, Mask], name: str, mask: Mask) -> dict[str, Mask]:
    """A slice of the whole task, or of each of its parts: `coarse, dataset=samm`."""
    if list(parts) == ["all"]:
        return {name: mask}
    crossed = {f"{part}, {name}": mask & inside for part, inside in parts.items()}
    return {told: inside for told, inside in crossed.items() if inside.sum() >= LEAST_SLICE}


def _parts(records: TaskRecords) -> dict[str, Mask]:
    """The whole task as `all`, or its parts: those named like a field in the order of the fields, then others."""
    if records.task.parts is None:
        return {"all": np.ones(len(records.samples), dtype=np.bool_)}
    masks = _masks([records.part(sample) for sample in records.samples])
    named = list(records.task.fields)
    order = sorted(
        masks, key=lambda part: (named.index(part) if part in named else len(named), part)
    )
    return {part: masks[part] for part in order}


def _masks(values: Sequence[str | None]) -> dict[str, Mask]:
    """Where each distinct value stands."""
    numbers: dict[str | None, int] = {}
    codes = np.asarray([numbers.setdefault(v, len(numbers)) for v in values], dtype=np.int64)
    return {value: codes == number for value, number in numbers.items() if value is not None}


def model_columns(records: TaskRecords, groups: Groups, cells: Sequence[Cell]) -> Iterator[Column]:
    """A column for every cell and scored field that has truths."""
    for cell in cells:
        for name, spec in records.task.fields.items():
            positions, repeats = repeated_answers(records, cell, name)
            if spec.scored and positions:
                yield _column(
                    records, groups, name, positions, repeats,
                    names=(cell.task, cell.model, cell.prompt, cell.condition), channel=cell.channel,
                )  # fmt: skip


def baseline_columns(
    records: TaskRecords,
    groups: Groups,
    fits: Mapping[tuple[str | None, str], Fitted],
    *,
    seed: int,
) -> Iterator[Column]:
    """Majority and prior for every scored field, fitted part by part."""
    for name, answers in baseline_answers(records, fits, seed=seed).items():
        for baseline in BASELINES:
            found = answers[baseline]
            positions = sorted(found)
            parts = {records.part(records.samples[p]) for p in positions}
            fitted = all((part, name) in fits and not fits[part, name].in_sample for part in parts)
            yield _column(
                records, groups, name, positions, [[found[p] for p in positions]],
                names=(records.task.name, baseline, NO_PROMPT, "none"),
                note="fitted on --fit-on" if fitted else "in-sample: fitted on the scored labels",
            )  # fmt: skip


def baseline_answers(
    records: TaskRecords, fits: Mapping[tuple[str | None, str], Fitted], *, seed: int
) -> dict[str, dict[Baseline, dict[int, Value]]]:
    """Scored field -> baseline -> position of the sample -> answer, fitted part by part."""
    every: dict[str, dict[Baseline, dict[int, Value]]] = {}
    samples = records.samples
    for name, spec in records.task.fields.items():
        by_part: dict[str | None, list[int]] = {}
        for p, sample in enumerate(samples):
            if name in sample.targets and name in sample.asks:
                by_part.setdefault(records.part(sample), []).append(p)
        if not spec.scored or not by_part:
            continue
        found = every[name] = {baseline: {} for baseline in BASELINES}
        for part, members in by_part.items():
            fitted = fits.get((part, name)) or fit(
                spec.kind, [samples[p].targets[name] for p in members]
            )
            ids = [samples[p].sample for p in members]
            for baseline, answers in found.items():
                values = predict(baseline, fitted, ids, seed=seed)
                answers.update(zip(members, values, strict=True))
    return every


def _column(
    records: TaskRecords,
    groups: Groups,
    name: str,
    positions: Sequence[int],
    repeats: Sequence[Sequence[Value | None]],
    *,
    names: tuple[str, str, str, str],
    note: str = "",
    channel: str = FREE,
) -> Column:
    places = np.asarray(positions, dtype=np.int64)
    slices = [(slice_name, mask[places]) for slice_name, mask in groups.slices.items()]
    return Column(
        names=names,
        field=name,
        spec=records.task.fields[name],
        truth=[records.samples[p].targets[name] for p in positions],
        repeats=repeats,
        clusters=groups.clusters[places],
        slices=[(slice_name, mask) for slice_name, mask in slices if mask.any()],
        unit=records.cluster_unit,
        note=note,
        channel=channel,
    )
