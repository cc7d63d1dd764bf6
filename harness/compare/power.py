"""Power before a run: the smallest detectable difference, and the samples needed for a given one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.compare.tables import DASH, Block, decimal
from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.run.sample_file import PlannedSample
from harness.stats.power import minimum_difference, sample_size

DISCORDANCES = (0.1, 0.2, 0.3)
"""Shares of samples right under one of the two alone that are tried where none is given. Two prompts of one
model differ by little, two models by more; recorded GPT-4V answers to colour and grey pictures by .15."""

CORRELATION = 0.1
"""Correlation within clusters that is tried beside none."""

POWER = 0.8
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class PlannedPower:
    """One field of one task or part, at one assumed discordance and correlation."""

    task: str
    slice: str
    """`all` or the part."""
    field: str
    metric: str
    """`accuracy` or `uar`."""
    n: int
    clusters: int
    discordance: float
    correlation: float
    detectable: float
    """Least difference found with the chance POWER; nan where none can be."""
    wanted: float | None
    """The difference asked about."""
    needed: int | None
    """Samples that would find it; None where it was not asked, or cannot come from that discordance."""


@dataclass(slots=True)
class _Seen:
    """Samples of one part and field."""

    classes: Counter[str] = field(default_factory=Counter)
    clusters: set[str] = field(default_factory=set)


def foresee(
    task: Task,
    samples: Iterable[PlannedSample],
    *,
    difference: float | None = None,
    discordances: Sequence[float] = DISCORDANCES,
) -> Iterator[PlannedPower]:
    """Prospects of every label and yes-no field, for the whole task or each part.

    Raises HarnessError for a difference or discordance outside 0..1.
    """
    if difference is not None and not 0 < difference <= 1:
        raise HarnessError(
            f"--power {difference:g}: not a difference of accuracy", hint="give one such as 0.05"
        )
    for (part, name), seen in _count(task, samples).items():
        n, clusters = seen.classes.total(), len(seen.clusters)
        for metric in ("accuracy", "uar"):
            sizes = sorted(seen.classes.values()) if metric == "uar" else None
            for discordance in discordances:
                for correlation in (0.0, CORRELATION) if clusters < n else (0.0,):
                    found = minimum_difference(
                        n, discordance=discordance, clusters=clusters, correlation=correlation,
                        class_sizes=sizes, level=LEVEL, power=POWER,
                    )  # fmt: skip
                    needed = None
                    if difference is not None and difference <= discordance:
                        shares = None if sizes is None else [size / n for size in sizes]
                        needed = math.ceil(
                            sample_size(
                                difference, discordance=discordance, cluster_size=n / clusters,
                                correlation=correlation, class_shares=shares, level=LEVEL, power=POWER,
                            ).n
                        )  # fmt: skip
                    yield PlannedPower(
                        task.name, part, name, metric, n, clusters, discordance, correlation,
                        found.difference, difference, needed,
                    )  # fmt: skip


def _count(task: Task, samples: Iterable[PlannedSample]) -> dict[tuple[str, str], _Seen]:
    seen: dict[tuple[str, str], _Seen] = {}
    kinds = {name for name, spec in task.fields.items() if spec.categorical}
    for row in samples:
        part = "all" if task.parts is None else str(row.annotations.get(task.parts, ""))
        for name in row.asks:
            if name in kinds and task.fields[name].scored and name in row.targets:
                one = seen.setdefault((part, name), _Seen())
                one.classes[str(row.targets[name])] += 1
                one.clusters.add(row.cluster)
    return seen


def foresight_blocks(found: Sequence[PlannedPower]) -> Iterator[Block]:
    """A table for each field: what can be detected, by metric and assumption."""
    groups: dict[tuple[str, str, str], list[PlannedPower]] = {}
    for one in found:
        groups.setdefault((one.task, one.slice, one.field), []).append(one)
    for (task, part, name), group in groups.items():
        first = group[0]
        wanted = () if first.wanted is None else (f"n for {decimal(first.wanted)}",)
        what = name if part in {"all", name} else f"{name} ({part})"
        yield Block(
            heading=f"{task}: {what}, what a paired comparison could show",
            lines=(
                f"{first.n:,} samples in {first.clusters:,} clusters; two-sided test at the 5% level, "
                f"found with {POWER:.0%} chance",
            ),
            header=("metric", "discordant", "correlation", "detectable", *wanted),
            rows=tuple(
                (
                    one.metric,
                    f"{one.discordance:.0%}",
                    decimal(one.correlation, 1),
                    decimal(one.detectable),
                    *(() if first.wanted is None else (f"{one.needed:,}" if one.needed else DASH,)),
                )
                for one in group
            ),
            remarks=(
                "discordant: share of samples right under one of the two alone; correlation: of the differences "
                "within a cluster; both are assumed",
            ),
        )
