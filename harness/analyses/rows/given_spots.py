"""What can be said of intervals that were spotted before a run: how many match, and what the best recogniser would get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.analyses.rows.spotting import UNANSWERED, videos_of
from harness.metrics.spots import Spot, matched
from harness.metrics.spotting import spotting_family
from harness.score.records import TaskRecords
from harness.sources.windows import FIRST, LAST


def given_rows(records: TaskRecords) -> Iterator[Mapping[str, Any]]:
    """One row for a task whose intervals were given; none for others, and where no true interval is known.

    `ceiling` has the metrics of a recogniser that names the emotion of every matching interval rightly; its `f1_analysis` below 1 means that emotions are among the true intervals, and never among those that match.
    """
    spec = records.task.spotting
    if spec is None or spec.given is None:
        return
    videos = videos_of(records)
    if not videos.truth:
        return
    pairs, perfect, empty = [], [], 0
    for key, places in videos.places.items():
        notes = [records.samples[place].annotations for place in places]
        found = [Spot(*key, int(n[FIRST]), int(n[LAST]), UNANSWERED) for n in notes]
        near = matched(found, [t for t in videos.truth if (t.subject, t.video) == key])
        pairs += near
        right = {said: true.emotion for said, true in near}
        perfect += [Spot(*key, one.onset, one.offset, right.get(one, UNANSWERED)) for one in found]
        empty += not places
    family = spotting_family(perfect, videos.truth, videos=list(videos.places))
    totals = family.rows().sum(axis=0)
    met = {true.emotion for _, true in pairs}
    yield {
        "task": records.task.name, "origin": spec.given.origin, "perfect": spec.given.perfect,
        "intervals": len(perfect), "matched": len(pairs), "true": len(videos.truth),
        "videos": len(videos.places), "videos_without": empty,
        "never_spotted": sorted({t.emotion for t in videos.truth} - met),
        "ceiling": {name: round(float(family.value(name, totals)), 6) for name in family.metrics},
    }  # fmt: skip
