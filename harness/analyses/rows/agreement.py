"""Agreement of a model's answers between channels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from harness.core.cell import Cell, spelled_channel
from harness.core.kind import alike
from harness.core.sample import Value
from harness.metrics import family_for, point
from harness.score.columns import Groups
from harness.score.records import TaskRecords
from harness.stats.agreement import cohen_kappa


def agreement(
    records: TaskRecords, groups: Groups, cells: Sequence[Cell]
) -> Iterator[Mapping[str, Any]]:
    """For each two channels of one model, prompt and condition: on the samples finished on both, the share with
    the same answer (no answer is like no other), Cohen's kappa where both answered, and UAR on each.

    Kappa and UAR stand for label and yes-no fields only; None where undefined.
    """
    kin: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        key = (
            cell.model,
            cell.prompt,
            cell.shown_condition,
            cell.protocol,
            cell.thinking,
            cell.tools,
        )
        kin.setdefault(key, []).append(cell)
    for (model, prompt, condition, *_), members in kin.items():
        for a, b in combinations(members, 2):
            for name, spec in records.task.fields.items():
                for slice_name, mask in groups.slices.items():
                    found = [records.given(c, name) for c in (a, b)]
                    places = [p for p in sorted(found[0]) if p in found[1] and mask[p]]
                    if "=" in slice_name or not spec.scored or not places:
                        continue
                    yield {
                        "task": records.task.name, "model": model, "prompt": prompt,
                        "condition": condition, "slice": slice_name, "field": name,
                        "channels": [spelled_channel(c.channel, "single", c.thinking, c.tools) for c in (a, b)],
                        **_measured(records, name, places, [[f[p].value for p in places] for f in found]),
                    }  # fmt: skip


def _measured(
    records: TaskRecords,
    name: str,
    places: Sequence[int],
    answers: Sequence[Sequence[Value | None]],
) -> dict[str, Any]:
    first, second = answers
    spec = records.task.fields[name]
    same = [alike(spec, x, y) for x, y in zip(first, second, strict=True)]
    measured: dict[str, Any] = {
        "n": len(places),
        "equal": round(sum(same) / len(same), 6),
        "kappa": None,
        "uar": [None, None],
    }
    if spec.categorical:
        measured["kappa"] = _rounded(cohen_kappa(first, second).value)
        known = [k for k, p in enumerate(places) if name in records.samples[p].targets]
        if known:
            truth = [records.samples[places[k]].targets[name] for k in known]
            measured["uar"] = [
                _rounded(point(family_for(spec, truth, [one[k] for k in known]), "uar"))
                for one in answers
            ]
    return measured


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6) + 0.0
