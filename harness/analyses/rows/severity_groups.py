"""Does a degradation widen the gap between groups? The gap at a severity less the gap on clean pictures.

Two questions are told apart, since the second has more power and the first is the one that is asked. `widened`: the
widest gap at the severity less the widest one on clean pictures, which may be between other groups. Its interval comes
from resamples of both sides together: a gap errs by no more than the range of its groups' errors, so the sum of both
ranges bounds the difference (as `harness.stats.gap` does for one gap); it is wide, and reaches 0 where groups may be
equal. `unequal`: the largest loss of a group less the smallest one, with Tukey's simultaneous interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analyses.rows.together import Together
from harness.metrics import LabelFamily, Metric
from harness.metrics.metric import UNIT
from harness.score.grouping import UNKNOWN, Grouping, suppressed
from harness.score.table import DRAWS, LEVEL, rounded
from harness.stats.gap import gap_change, max_gap

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


def widened(
    pair: Together,
    grouping: Grouping,
    clusters: Codes,
    metric: Metric,
    *,
    unit: str,
    seed: int,
) -> Mapping[str, Any] | None:
    """What changes between the first cell of a pair (clean) and the second (degraded) in the gap between groups.

    Small groups are left out; of label fields the classes that all groups hold are compared. None with fewer than two
    groups.
    """
    shown = [
        place
        for place in range(len(grouping.values))
        if (grouping.codes == place).any()
        and not suppressed(grouping.codes == place, clusters, unit=unit)
    ]
    codes = np.full_like(grouping.codes, UNKNOWN)
    for number, place in enumerate(shown):
        codes[grouping.codes == place] = number
    if len(shown) < 2 or not _classes_shared(pair, codes):
        return None
    before, after = pair.value(0), pair.value(1)
    change = gap_change(
        pair.rows, codes, clusters, before, after, draws=DRAWS, level=LEVEL, seed=seed
    )
    if np.isnan(change.value):
        return None
    loss = max_gap(
        pair.rows, codes, clusters, partial(_loss, before=before, after=after),
        draws=DRAWS, level=LEVEL, seed=seed,
    )  # fmt: skip
    totals = np.stack([pair.rows[codes == number].sum(axis=0) for number in range(len(shown))])
    most = 1.0 if metric.range == UNIT else None
    return {
        "groups": [
            {
                "name": grouping.values[place], "n": int((codes == number).sum()),
                "clean": rounded(float(before(totals[number]))), "degraded": rounded(float(after(totals[number]))),
            }
            for number, place in enumerate(shown)
        ],
        "gap_clean": rounded(change.before), "gap_degraded": rounded(change.after),
        "widened": rounded(change.value), "low": rounded(_within(change.low, most)),
        "high": rounded(_within(change.high, most)),
        "unequal": rounded(loss.value), "unequal_low": rounded(loss.low), "unequal_high": rounded(_within(loss.high, most)),
        "equal_groups": rounded(loss.equal),
    }  # fmt: skip


def _classes_shared(pair: Together, codes: Codes) -> bool:
    """Leave out the samples of classes that some group lacks; whether any class is left."""
    family = pair.families[0].family
    if not isinstance(family, LabelFamily):
        return True
    held = [set(family.truth[codes == number].tolist()) for number in range(int(codes.max()) + 1)]
    shared = sorted(set.intersection(*held))
    codes[~np.isin(family.truth, shared)] = UNKNOWN
    return bool(shared)


def _loss(totals: Floats, *, before: Any, after: Any) -> Floats:
    return np.asarray(before(totals) - after(totals))


def _within(value: float, most: float | None) -> float:
    return value if most is None else min(max(value, -most), most)
