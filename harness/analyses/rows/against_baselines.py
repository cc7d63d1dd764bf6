"""Whether a model scores better than the majority answer and than guessing, by paired intervals over clusters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.cell import Cell
from harness.core.sample import Value
from harness.metrics import MetricFamily, main_metric, metric_of
from harness.run.dictionary_encoding import Coded
from harness.score.analysis import TaskAnswers
from harness.score.columns import FieldFits, baseline_fits
from harness.score.guessing import guessed
from harness.score.records import repeated_answers
from harness.score.repeats import Averaged, averaged
from harness.score.table import DRAWS, LEVEL, rounded
from harness.stats.bootstraps import difference_interval
from harness.stats.interval import Interval
from harness.stats.rows import CodedRows

LEAST_CLUSTERS = 10
"""Clusters below which nothing is said: intervals of so few cover too little."""
LEAST_COVERAGE = 0.90
"""Simulated coverage of the interval below which nothing is said."""


def against_baselines(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    """For each cell, scored field and part its main metric, less what each baseline has on the same samples.

    `difference` is model minus baseline, with the bounds of a paired 95% interval over clusters; of the prior minus
    what guessing is expected to score. `better`: whether the whole interval lies on the better side of 0; None, with a
    `reason`, where that is withheld: below 10 clusters, where simulated intervals of so few hold the truth in under
    90%, and without an interval. Nothing for a metric of which neither end is better.
    """
    fits = baseline_fits(answers.records, answers.fits)
    for cell in answers.cells:
        for name, fitted in fits.items():
            if metric_of(answers.task.fields[name], main_metric(answers.task.fields[name])).sign:
                yield from _cell(answers, cell, name, fitted)


def _cell(
    answers: TaskAnswers, cell: Cell, name: str, fitted: FieldFits
) -> Iterator[Mapping[str, Any]]:
    records, spec = answers.records, answers.task.fields[name]
    positions, repeats = repeated_answers(records, cell, name)
    places = np.asarray(positions, dtype=np.int64)
    if not len(places) or (fitted.codes[places] < 0).any():
        return
    truth = records.samples.truths_at(name, places)
    metric = main_metric(spec)
    model = averaged(spec, truth, repeats)
    common: Coded[Value | None] = fitted.majority(metric, places)
    constant = averaged(spec, truth, [common])
    guess = guessed(spec, truth, fitted.guesses(places))
    others = {
        "majority": (constant.family, constant.rows),
        "prior": (guess.family, guess.mean),
    }
    for part, mask in answers.groups.slices.items():
        inside = mask[places]
        if "=" in part or not inside.any():
            continue
        for baseline, one in others.items():
            clusters = answers.groups.clusters[places][inside]
            found = _difference(model, one, metric, inside, clusters, seed=answers.seed)
            yield {
                "task": cell.task, "model": cell.model, "prompt": cell.prompt, "condition": cell.shown_condition,
                "channel": cell.taken, "slice": part, "field": name, "metric": metric, "baseline": baseline,
                "difference": rounded(found[0]), "low": rounded(found[1].low), "high": rounded(found[1].high),
                "clusters": found[1].clusters,
                **_judged(found[1], metric_of(spec, metric).sign, records.cluster_unit),
            }  # fmt: skip


def _difference(
    model: Averaged,
    baseline: tuple[MetricFamily, CodedRows],
    metric: str,
    inside: NDArray[np.bool_],
    clusters: NDArray[np.int64],
    *,
    seed: int,
) -> tuple[float, Interval]:
    """Model less baseline, and the interval of that."""
    ours, theirs = partial(model.family.value, metric), partial(baseline[0].value, metric)
    width = model.rows.table.shape[1]

    def difference(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        return ours(totals[..., :width]) - theirs(totals[..., width:])

    rows = _side_by_side(model.rows.at(inside), baseline[1].at(inside))
    interval = difference_interval(rows, clusters, difference, draws=DRAWS, level=LEVEL, seed=seed)
    return float(difference(rows.totals())), interval


def _side_by_side(a: CodedRows, b: CodedRows) -> CodedRows:
    """(n, k + l) the rows of both, each distinct pair held once."""
    pairs = a.codes.astype(np.int64) * len(b.table) + b.codes
    found, codes = np.unique(pairs, return_inverse=True)
    table = np.hstack([a.table[found // len(b.table)], b.table[found % len(b.table)]])
    return CodedRows(table, codes.astype(np.int32))


def _judged(interval: Interval, sign: int, unit: str) -> dict[str, Any]:
    """`better`, and why it is withheld."""
    count, covers = interval.clusters, interval.simulated
    if count < LEAST_CLUSTERS:
        return {"better": None, "reason": f"fewer than {LEAST_CLUSTERS} {unit}s"}
    if covers is not None and covers[0] < LEAST_COVERAGE:
        least = f"{covers[0]:.2f}".removeprefix("0")
        return {
            "better": None,
            "reason": f"{count} {unit}s: such intervals cover {least} at worst, not .95",
        }
    if not interval.known:
        return {"better": None, "reason": interval.reason or "no interval"}
    if interval.low == interval.high:
        return {"better": None, "reason": "no spread was seen"}
    near = interval.low if sign > 0 else -interval.high
    return {"better": bool(near > 0 and not math.isnan(near)), "reason": ""}


def judged(rows: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """What the rows of one cell, field and part come to: `above`, `not-above` or `withheld` with the reason; empty
    where there are none."""
    if not rows:
        return "", ""
    reasons = [str(row["reason"]) for row in rows if row["better"] is None]
    if reasons:
        return "withheld", reasons[0]
    return ("above" if all(row["better"] for row in rows) else "not-above"), ""
