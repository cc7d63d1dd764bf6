"""From answers about windows to spotted intervals, and their scores.

The rule: windows in order of time fall into runs of one answer. A run of the rest label is nothing; a run longer
than `longest` is a macro-expression, or how the face looks at rest; every other run is one interval of `length`
seconds, centred on the run, or on its likeliest window where the channel gives probabilities. Of intervals that
overlap, the one of the longer run stays.

Where the intervals were given before the run (`--spots`), each is a sample, and its answer the emotion of the interval: none
where there is no answer, so that the interval counts as spotted and its emotion as missed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np

from harness.core.cell import FREE, Cell
from harness.core.errors import HarnessError
from harness.core.task import SpottingSpec
from harness.metrics.spots import Spot
from harness.metrics.spotting import METRICS, spotting_family
from harness.metrics.spotting_compat import compat
from harness.score.baselines import Fitted
from harness.score.columns import NO_PROMPT, FieldFits, baseline_fits
from harness.score.records import TaskRecords
from harness.score.table import DRAWS, LEVEL, ScoreRow
from harness.sources.windows import EVENTS, FIRST, LAST, UNSPOTTED, VIDEO
from harness.stats.bootstraps import bootstrap_many

FIELD = "spots"
"""The field that spotting scores stand under; no task has it."""

COMPAT = "_compat"
"""Ends the names of the reference implementation's numbers."""


UNANSWERED = ""
"""The emotion of a given interval to which there was no answer."""
GUESSES = 200
"""How often the windows' answers are drawn for the prior: spots are joined from windows, which has no closed form."""
_Said: TypeAlias = "tuple[str | None, float | None]"
"""An answer and its probability."""


@dataclass(frozen=True, slots=True)
class Window:
    """What was answered to one window."""

    first: int
    last: int
    """Frames; both belong to it."""
    label: str | None
    """None where there was no answer."""
    probability: float | None = None
    """Of the label, 0..1, where the channel gives one."""


def join(
    windows: Sequence[Window], spec: SpottingSpec, *, fps: float
) -> list[tuple[int, int, str]]:
    """(onset, offset, label) of the intervals spotted in one video, in order of time."""
    found: list[tuple[int, int, int, str]] = []
    ordered = sorted(windows, key=lambda window: window.first)
    half = max(1, round(spec.length * fps / 2))
    for label, group in groupby(ordered, key=lambda window: window.label):
        run = list(group)
        frames = run[-1].last - run[0].first + 1
        if label is None or label == spec.rest or frames > spec.longest * fps:
            continue
        centre = _centre(run)
        onset = max(ordered[0].first, centre - half)
        offset = min(max(w.last for w in ordered), centre + half)
        found.append((len(run), onset, offset, label))
    kept: list[tuple[int, int, str]] = []
    for _, onset, offset, label in sorted(found, key=lambda run: (-run[0], run[1])):
        if all(offset < other[0] or onset > other[1] for other in kept):
            kept.append((onset, offset, label))
    return sorted(kept)


def _centre(run: Sequence[Window]) -> int:
    likely = [w.probability for w in run if w.probability is not None]
    if len(likely) == len(run):
        best = run[max(range(len(run)), key=lambda at: (likely[at], -at))]
        return (best.first + best.last) // 2
    return (run[0].first + run[-1].last) // 2


@dataclass(frozen=True, slots=True)
class Videos:
    """The videos of a task, their true intervals, and which samples are their windows."""

    truth: tuple[Spot, ...]
    places: Mapping[tuple[str, str], Sequence[int]]
    """(subject, video) -> positions of its windows."""


def spotting_rows(
    records: TaskRecords,
    cells: Sequence[Cell],
    fits: Mapping[tuple[str | None, str], Fitted],
    *,
    seed: int,
) -> Iterator[ScoreRow]:
    """Strict scores with intervals over subjects, then the reference implementation's, of every cell and baseline."""
    spec = records.task.spotting
    if spec is None:
        return
    videos = videos_of(records)
    if not videos.truth:
        return
    name = records.task.name
    fitted = baseline_fits(records, fits).get(spec.field)
    if fitted is not None:
        common = dict(zip(fitted.places.tolist(), fitted.majority(), strict=True))
        spots = _spots(records, videos, {p: (str(v), None) for p, v in common.items()}, spec)
        names = (name, "majority", NO_PROMPT, "none")
        yield from score_spots(spots, videos.truth, names, list(videos.places), seed=seed)
        guessed = [
            _spots(records, videos, drawn, spec) for drawn in _guesses(records, fitted, seed=seed)
        ]
        names = (name, "prior", NO_PROMPT, "none")
        yield from guessed_spots(guessed, videos.truth, names, list(videos.places))
    for cell in cells:
        said = _said(records, cell, spec.field)
        if said:
            spots = _spots(records, videos, said, spec)
            names = (cell.task, cell.model, cell.prompt, cell.shown_condition)
            yield from score_spots(
                spots, videos.truth, names, list(videos.places), seed=seed, channel=cell.taken
            )


def _guesses(records: TaskRecords, fitted: FieldFits, *, seed: int) -> Iterator[dict[int, _Said]]:
    """What is said of each window where it is drawn by how often each answer occurs, `GUESSES` times."""
    places = fitted.places
    ids = list(records.samples.ids.at(places))
    parts = [
        (one, np.flatnonzero(fitted.codes[places] == number))
        for number, one in enumerate(fitted.fits)
    ]
    for draw in range(GUESSES):
        said: dict[int, _Said] = {}
        for one, at in parts:
            values = one.draws((ids[a] for a in at), seed=seed * GUESSES + draw)
            said |= {int(places[a]): (str(v), None) for a, v in zip(at, values, strict=True)}
        yield said


def spots_of(records: TaskRecords, cell: Cell) -> list[Spot]:
    """The intervals that a cell's answers spot. Raises HarnessError for a task without `spotting`."""
    spec = records.task.spotting
    if spec is None:
        raise HarnessError(
            f"{records.task.name} is no spotting task",
            hint="use one with `spotting`, such as faces/me-str",
        )
    return _spots(records, videos_of(records), _said(records, cell, spec.field), spec)


def _said(records: TaskRecords, cell: Cell, field: str) -> dict[int, _Said]:
    """Position -> the answer, and its probability where the channel gives one."""
    likely = _probabilities(records, cell, field)
    answers = records.given(cell, field)
    return {
        p: (None if a.value is None else str(a.value), likely.get(p)) for p, a in answers.items()
    }


def videos_of(records: TaskRecords) -> Videos:
    """The videos of a task, those without any window or interval too."""
    places: dict[tuple[str, str], list[int]] = {}
    truth: dict[tuple[str, str], list[Spot]] = {}
    for position, sample in enumerate(records.samples):
        notes = sample.annotations
        key = (str(notes["subject"]), str(notes[VIDEO]))
        if key not in places:
            truth[key] = true_spots(key, notes)
        places.setdefault(key, []).append(position)
        if UNSPOTTED in notes and not position:  # the same for every interval
            for subject, video, events in json.loads(str(notes[UNSPOTTED])):
                silent = (str(subject), str(video))
                places[silent] = []
                truth[silent] = _read_spots(silent, events)
    return Videos(tuple(s for spots in truth.values() for s in spots), places)


def true_spots(video: tuple[str, str], notes: Mapping[str, Any]) -> list[Spot]:
    """The true intervals of a (subject, video), as the annotations of any of its windows have them."""
    return _read_spots(video, json.loads(str(notes[EVENTS])))


def _read_spots(video: tuple[str, str], events: Sequence[Any]) -> list[Spot]:
    return [
        Spot(*video, int(onset), int(offset), str(emotion)) for onset, offset, emotion in events
    ]


def _spots(
    records: TaskRecords,
    videos: Videos,
    said: Mapping[int, _Said],
    spec: SpottingSpec,
) -> list[Spot]:
    spots: list[Spot] = []
    for key, places in videos.places.items():
        if spec.given is not None:
            spots += _given(records, key, places, said)
            continue
        notes = [records.samples[p].annotations for p in places]
        windows = [
            Window(int(note[FIRST]), int(note[LAST]), *said.get(p, (None, None)))
            for p, note in zip(places, notes, strict=True)
        ]
        joined = join(windows, spec, fps=float(notes[0]["fps"]))
        spots += [Spot(*key, onset, offset, label) for onset, offset, label in joined]
    return spots


def _given(
    records: TaskRecords,
    video: tuple[str, str],
    places: Sequence[int],
    said: Mapping[int, _Said],
) -> Iterator[Spot]:
    """The given intervals of one video, with the emotions that were answered."""
    for place in places:
        notes = records.samples[place].annotations
        emotion = said.get(place, (None, None))[0]
        yield Spot(*video, int(notes[FIRST]), int(notes[LAST]), emotion or UNANSWERED)


def _probabilities(records: TaskRecords, cell: Cell, field: str) -> dict[int, float]:
    """Position -> the greatest of the probabilities, renormalised over the labels."""
    found: dict[int, float] = {}
    for position, scored in records.scores_of(cell, field).items():
        shares = [math.exp(value) for value in scored.logprobs]
        if sum(shares) > 0:
            found[position] = max(shares) / sum(shares)
    return found


def score_spots(
    spots: Sequence[Spot],
    truth: Sequence[Spot],
    names: tuple[str, str, str, str],
    videos: Sequence[tuple[str, str]] = (),
    *,
    seed: int,
    channel: str = FREE,
    slice_name: str = "all",
) -> Iterator[ScoreRow]:
    """All spotting scores of one set of intervals; n counts the videos."""
    family = spotting_family(spots, truth, videos=videos)
    rows = family.rows()
    numbers: dict[str, int] = {}
    clusters = np.array([numbers.setdefault(s, len(numbers)) for s, _ in family.videos])
    values = {name: (lambda t, m=name: family.value(m, t)) for name in family.metrics}
    intervals = bootstrap_many(
        rows, clusters, values, draws=DRAWS, level=LEVEL, seed=seed, method="auto"
    )
    totals = rows.sum(axis=0)
    reference = _reference(spots, truth)

    def row(metric: str, value: float, bounds: tuple[float, float], told: str) -> ScoreRow:
        task, model, prompt, condition = names
        return ScoreRow(
            task=task, model=model, prompt=prompt, condition=condition, slice=slice_name, field=FIELD,
            metric=metric, value=_number(value), low=_number(bounds[0]), high=_number(bounds[1]),
            n=len(family.videos), coverage=None, estimator=told, channel=channel,
        )  # fmt: skip

    for metric, told in ((m.name, m.estimator) for m in METRICS):
        interval = intervals[metric]
        hint = " (mended: all of harness.metrics.spotting.MENDED)" if metric == "strs" else ""
        how = f"{LEVEL:.0%} {interval.method} ({interval.clusters} by subject, {interval.draws} draws)"
        reason = f"; {interval.reason}" if interval.reason else ""
        value = float(family.value(metric, totals))
        yield row(metric, value, (interval.low, interval.high), f"{told}{hint}; {how}{reason}")
    for metric, told in ((m.name, m.estimator) for m in METRICS):
        yield row(
            metric + COMPAT, float(reference[metric]), (math.nan, math.nan),
            f"{told}, as the reference implementation of June 2024 gives it",
        )  # fmt: skip


def guessed_spots(
    guessed: Sequence[Sequence[Spot]],
    truth: Sequence[Spot],
    names: tuple[str, str, str, str],
    videos: Sequence[tuple[str, str]],
) -> Iterator[ScoreRow]:
    """Mean scores of several sets of guessed intervals, and the range that the middle 95% of them lie in."""
    task, model, prompt, condition = names
    found: dict[str, list[float]] = {}
    for spots in guessed:
        family = spotting_family(spots, truth, videos=videos)
        totals, reference = family.rows().sum(axis=0), _reference(spots, truth)
        for one in METRICS:
            found.setdefault(one.name, []).append(float(family.value(one.name, totals)))
            found.setdefault(one.name + COMPAT, []).append(float(reference[one.name]))
    ends = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    for suffix in ("", COMPAT):
        for one in METRICS:
            values = np.array(found[one.name + suffix])
            values = values[~np.isnan(values)]
            low, high = np.quantile(values, ends) if values.size else (math.nan, math.nan)
            yield ScoreRow(
                task=task, model=model, prompt=prompt, condition=condition, slice="all", field=FIELD,
                metric=one.name + suffix, value=_number(float(values.mean()) if values.size else math.nan),
                low=_number(float(low)), high=_number(float(high)), n=len(videos), coverage=None,
                estimator=f"{one.estimator}; mean of {len(guessed)} draws of what each window is, by how often each "
                f"answer occurs, and the range of the middle {LEVEL:.0%}"
                + (f"; undefined in {len(guessed) - values.size}" if values.size < len(guessed) else "")
                + (", as the reference implementation of June 2024 gives it" if suffix else ""),
            )  # fmt: skip


def _reference(spots: Sequence[Spot], truth: Sequence[Spot]) -> dict[str, float]:
    """What the reference implementation gives."""
    reference = asdict(compat(spots, truth))
    return reference | {f"{part}_spotting": reference[part] for part in ("tp", "fp", "fn")}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6) + 0.0
