"""Leave-one-subject-out choice of a prompt: its expected score on new subjects.

For each subject the prompt that scores best on all others is chosen, and the subject is scored with it; the
scored rows of all subjects are pooled (as LOSO evaluation in micro-expression recognition pools folds: See,
Yap, Li, Hong and Wang, "MEGC 2019", FG 2019). The best prompt in hindsight is an optimist beside it. The
interval resamples subjects and chooses anew in each resample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.compare.candidates import Contender, Side, contenders
from harness.compare.measure import DRAWS, LEVEL, Cut, share
from harness.compare.tables import Block, bounds, decimal
from harness.core.cell import spelled_channel
from harness.core.errors import HarnessError
from harness.metrics import Metric, main_metric, metric_of
from harness.stats.bootstraps import bootstrap

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LosoEstimate:
    """A value of the metric with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Selection:
    """One choice among prompts, everything else equal."""

    task: str
    field: str
    slice: str
    model: str
    condition: str
    channel: str
    metric: str
    n: int
    subjects: int
    unit: str
    """What was left out one at a time: `subject`, or what the task resamples."""
    selected: LosoEstimate
    """Each subject scored with the prompt that was best on the others."""
    prompts: Mapping[str, LosoEstimate]
    """Every prompt by itself."""
    best: str
    """The prompt that is best in hindsight."""
    chosen: Mapping[str, int]
    """Prompt -> for how many subjects it was chosen."""


def select_loso(sides: Sequence[Side], *, seed: int = 0) -> list[Selection]:
    """A selection for each task, field, part, model, condition and channel that has several prompts.

    Raises HarnessError where there is nothing to choose between, or a single subject.
    """
    groups: dict[tuple[str, ...], list[Contender]] = {}
    for one in contenders(sides):
        cell = one.cell
        if cell.asked_as:  # nobody can choose what no longer stands
            continue
        key = (
            one.side,
            cell.task,
            one.field,
            cell.model,
            cell.shown_condition,
            cell.channel,
            cell.thinking,
            cell.tools,
        )
        groups.setdefault(key, []).append(one)
    found = [
        selection
        for group in groups.values()
        if len({one.cell.prompt for one in group}) > 1
        for selection in _select(group, seed=seed)
    ]
    if not found:
        raise HarnessError(
            "--select loso: no cell has two or more prompts on the same samples",
            hint="run the task with several prompts: harness run TASK --prompt all --model ...",
        )
    return found


def _select(group: Sequence[Contender], *, seed: int) -> Iterator[Selection]:
    shared, first = share(group), group[0]
    metric = main_metric(shared.spec)
    known = metric_of(shared.spec, metric)
    if not known.sign:
        raise HarnessError(
            f"--select loso: for {metric}, neither higher nor lower is better",
            hint=f"put another metric first in the run: --set 'fields.{first.field}.metrics=[...]'",
        )
    names = [one.cell.prompt for one in group]
    for part in shared.whole:
        mask = shared.slices[part]
        cuts, clusters = shared.cut(mask), shared.clusters[mask]
        subjects, places = np.unique(clusters, return_inverse=True)
        if len(subjects) < 2:
            raise HarnessError(
                f"--select loso: {first.cell.task} has only one {first.records.cluster_unit}",
                hint="leave-one-subject-out needs at least two subjects; name the annotation "
                "that identifies them in the run: --set cluster=ANNOTATION",
            )
        totals = _totals(cuts, places, len(subjects))
        once = np.ones((1, len(subjects)))
        pooled, picks = _pooled(totals, once, cuts[0], known)
        rng = np.random.default_rng(seed)
        weights = rng.multinomial(len(subjects), [1 / len(subjects)] * len(subjects), size=DRAWS)
        drawn = cuts[0].value(metric, _pooled(totals, weights.astype(float), cuts[0], known)[0])
        tail = (1 - LEVEL) / 2
        low, high = np.nanquantile(drawn, [tail, 1 - tail])
        chosen = Counter(names[int(pick)] for pick in picks[0])
        alone = {
            name: _alone(cut, clusters, metric, seed) for name, cut in zip(names, cuts, strict=True)
        }
        yield Selection(
            task=first.cell.task, field=first.field, slice=part, model=first.cell.model,
            condition=first.cell.shown_condition, channel=spelled_channel(first.cell.channel, "single", first.cell.thinking, first.cell.tools), metric=metric,
            n=int(mask.sum()), subjects=len(subjects), unit=first.records.cluster_unit,
            selected=LosoEstimate(float(cuts[0].value(metric, pooled)[0]), float(low), float(high)),
            prompts=alone, best=max(alone, key=lambda name: known.sign * alone[name].value),
            chosen={name: chosen.get(name, 0) for name in names},
        )  # fmt: skip


def _totals(cuts: Sequence[Cut], places: NDArray[np.int64], count: int) -> Floats:
    """(prompts, subjects, k) what each subject adds under each prompt."""
    totals = np.zeros((len(cuts), count, cuts[0].rows().shape[1]))
    for number, cut in enumerate(cuts):
        np.add.at(totals[number], places, cut.rows())
    return totals


def _pooled(
    totals: Floats, weights: Floats, family: Cut, metric: Metric
) -> tuple[Floats, NDArray[np.int64]]:
    """(draws, k) the pooled rows, and (draws, subjects) the prompt chosen for each; `weights` (draws, subjects)
    say how often a subject counts. A subject's copies are all left out where its prompt is chosen."""
    whole = np.einsum("ds,psk->dpk", weights, totals)
    pooled = np.zeros((len(weights), totals.shape[2]))
    picks = np.zeros(weights.shape, dtype=np.int64)
    for subject in range(totals.shape[1]):
        own = weights[:, subject, None, None] * totals[None, :, subject]
        values = metric.sign * family.value(metric.name, whole - own)
        picks[:, subject] = np.argmax(np.where(np.isnan(values), -np.inf, values), axis=1)
        pooled += weights[:, subject, None] * totals[picks[:, subject], subject]
    return pooled, picks


def _alone(cut: Cut, clusters: NDArray[np.int64], metric: str, seed: int) -> LosoEstimate:
    def value(totals: Floats) -> Floats:
        return cut.value(metric, totals)

    interval = bootstrap(cut.rows(), clusters, value, draws=DRAWS, level=LEVEL, seed=seed)
    return LosoEstimate(float(value(cut.rows().sum(axis=0))), interval.low, interval.high)


def selection_blocks(found: Sequence[Selection]) -> Iterator[Block]:
    """Selections as blocks of text."""
    for one in found:
        part = "" if one.slice == "all" else f" ({one.slice})"
        rows = [("chosen on the other subjects", one.selected, "")]
        rows += [
            (f"{name}{' (best in hindsight)' if name == one.best else ''}", estimate,
             str(one.chosen[name]))
            for name, estimate in one.prompts.items()
        ]  # fmt: skip
        shown = "" if one.condition == "none" else f", {one.condition}"
        yield Block(
            heading=f"{one.task}: {one.field}{part}, {one.model}{shown}",
            lines=(f"{one.n} samples, {one.subjects} left out one at a time, by {one.unit}",),
            header=("prompt", one.metric, f"{LEVEL:.0%} interval", "chosen for"),
            rows=tuple(
                (name, decimal(e.value), bounds(e.low, e.high, signed=False), times)
                for name, e, times in rows
            ),
        )
    yield Block(
        remarks=(
            "The first row estimates how well a prompt chosen this way works on a new "
            "subject: each subject was scored with the prompt that was best on all others.",
        )
    )
