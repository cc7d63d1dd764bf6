"""Effect of the label order on answers, for cells run with several orders."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness.conditions.label_order import ordered
from harness.core.cell import AS_WRITTEN, Cell
from harness.core.sample import Value
from harness.score.columns import Groups
from harness.score.naming import who_answered
from harness.score.records import TaskRecords, repeated_answers
from harness.stats.bootstraps import bootstrap

DRAWS = 2000
LEVEL = 0.95


def order_effects(
    records: TaskRecords, groups: Groups, cells: Sequence[Cell], *, seed: int
) -> Iterator[Mapping[str, Any]]:
    """One entry for each set of cells that differ in their label order alone, and each label field.

    Over the samples that all orders have; repeats of a sample are averaged. `accuracy`: of each order;
    `invariant_accuracy`: share of samples that are right under all orders, with its interval; `positions`: share of answers by their place in the list that was
    shown, over all orders; `expected`: the same shares where only the labels mattered and not their places, which
    is uniform where each label stands in each place alike often, as under all rotations; `bias`: half the summed
    differences of the two (total variation), 0..1.
    """
    families: dict[Cell, dict[str, Cell]] = {}
    for cell in cells:
        base = replace(cell, label_order=AS_WRITTEN)
        families.setdefault(base, {})[cell.label_order] = cell
    for base_cell, orders in families.items():
        if len(orders) < 2:
            continue
        for name, spec in records.task.fields.items():
            if not spec.one_label or not spec.scored:
                continue
            places, answers = _shared(records, orders, name)
            if places:
                yield {
                    "model": base_cell.model, "prompt": base_cell.prompt,
                    "condition": base_cell.shown_condition, "channel": base_cell.taken, "field": name,
                    "orders": list(orders),
                    **_right(records, groups, name, places, answers, seed=seed),
                    **_positions(spec.classes, answers),
                }  # fmt: skip


def _shared(
    records: TaskRecords, orders: Mapping[str, Cell], name: str
) -> tuple[list[int], dict[str, list[list[Value | None]]]]:
    """Positions of the samples that all orders have, and under each order their answers, repeat by repeat."""
    found = {order: repeated_answers(records, cell, name) for order, cell in orders.items()}
    common = set.intersection(*(set(places) for places, _ in found.values()))
    answers = {
        order: [
            [said for place, said in zip(places, repeat, strict=True) if place in common]
            for repeat in repeats
        ]
        for order, (places, repeats) in found.items()
    }
    return sorted(common), answers


def _right(
    records: TaskRecords,
    groups: Groups,
    name: str,
    places: Sequence[int],
    answers: Mapping[str, Sequence[Sequence[Value | None]]],
    *,
    seed: int,
) -> dict[str, Any]:
    truth = records.samples.truths_at(name, places)
    right = np.array(
        [
            [[said == true for said, true in zip(repeat, truth, strict=True)] for repeat in repeats]
            for repeats in answers.values()
        ]
    )  # order, repeat, sample
    every = right.all(axis=0).mean(axis=0)
    rows = np.column_stack([every, np.ones(every.size)])
    clusters = groups.clusters[np.asarray(places, dtype=np.int64)]
    interval = bootstrap(
        rows, clusters, lambda t: t[..., 0] / t[..., 1], draws=DRAWS, level=LEVEL, seed=seed
    )
    return {
        "n": len(places),
        "accuracy": {
            order: _number(float(row.mean())) for order, row in zip(answers, right, strict=True)
        },
        "invariant_accuracy": _number(float(every.mean())),
        "low": _number(interval.low),
        "high": _number(interval.high),
        "estimator": f"share of samples right under all {len(answers)} orders, mean over {right.shape[1]} "
        f"repeats; {interval.level:.0%} {interval.method} ({interval.clusters} by {records.cluster_unit})",
    }  # fmt: skip


def _positions(
    classes: Sequence[str], answers: Mapping[str, Sequence[Sequence[Value | None]]]
) -> dict[str, Any]:
    count = len(classes)
    seen, expected = np.zeros(count), np.zeros(count)
    said = {
        order: Counter(str(value) for repeat in repeats for value in repeat if value is not None)
        for order, repeats in answers.items()
    }
    total = sum(counts.total() for counts in said.values())
    shares = {label: sum(c[label] for c in said.values()) / max(total, 1) for label in classes}
    for order, counts in said.items():
        for place, label in enumerate(ordered(classes, order)):
            seen[place] += counts[label] / max(total, 1)
            expected[place] += shares[label] * counts.total() / max(total, 1)
    return {
        "answers": total,
        "positions": [round(float(share), 6) for share in seen],
        "expected": [round(float(share), 6) for share in expected],
        "uniform": round(1 / count, 6) if count else None,
        "bias": round(float(np.abs(seen - expected).sum() / 2), 6) if total else None,
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6) + 0.0


def order_lines(state: Mapping[str, Any]) -> Iterator[str]:
    """What stands beneath tables of label orders."""
    for entry in state.get("label_orders", ()):
        each = ", ".join(f"{order} {value or 0:.3f}" for order, value in entry["accuracy"].items())
        shares = " ".join(f"{share:.0%}" for share in entry["positions"])
        yield (
            f"{who_answered(entry)}: correct under all {len(entry['orders'])} label orders "
            f"{entry['invariant_accuracy'] or 0:.3f} [{entry['low'] or 0:.2f}, "
            f"{entry['high'] or 0:.2f}] of {entry['n']:,} (accuracy: {each}); answers by "
            f"position in the list {shares}, position bias {entry['bias'] or 0:.3f}"
        )
