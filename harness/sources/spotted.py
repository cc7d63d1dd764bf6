"""`source.spots`: intervals that a spotter found in long videos, as samples in place of windows.

The option `--spots` of `harness run` fills it in from a table or a run (`harness.imports.given_spots`). Each interval is a
sample: its frames, with first, apex (else the middle) and last as onset, apex and offset. Its true emotion is that of the
true interval it matches (`harness.metrics.spots`); an interval that matches none has none. What concerns the videos is
checked here, where they are known: an interval outside its video, a video that is not there.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.medium import Medium
from harness.core.sample import Sample, Scalar
from harness.core.source import Skipped, Source, source_notes, stated_labels
from harness.core.text import canonical_json, counted, digest_json
from harness.metrics.spots import Spot, matched
from harness.sources.options import Options, read_options
from harness.sources.windows import (
    EVENTS,
    FIRST,
    LAST,
    UNSPOTTED,
    VIDEO,
    LongVideo,
    OverVideos,
    no_windows,
)

ORIGIN, ROW, SCORE = "spotted_by", "spot_row", "spot_score"
"""Annotations of an interval: the table or run it comes from, its row there, the spotter's own score."""
SHOWN = 5
"""Rows, and videos, named in one message."""
SHORTEST = 1 / 25
"""Seconds. No expression is shorter: where every interval is, the numbers are no frames."""


class GivenInterval(Options):
    """One interval; frames are numbers as the video's frames have them, and both ends belong to it."""

    row: int
    """Its row in the table, from 1."""
    at: str = ""
    """Where a file has it, for errors: `row 3 (line 4)`."""
    video: str
    onset: int
    offset: int
    subject: str = ""
    """Empty where the table does not say."""
    apex: int | None = None
    score: float | None = None

    @property
    def place(self) -> str:
        """Its row, with the line where a file has one."""
        return self.at or f"row {self.row}"


class SpotsOptions(Options):
    """Intervals and where they come from."""

    origin: str
    rows: tuple[GivenInterval, ...] = ()
    truth: bool = False
    """The true intervals, in place of rows."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What has to be known of a video before its intervals are read."""

    subject: str
    name: str
    first: int
    last: int
    fps: float
    told: str
    """Its true intervals as JSON."""

    @property
    def key(self) -> tuple[str, str]:
        return (self.subject, self.name)


class SpottedSource:
    """A source over intervals of the videos that another source lays windows over."""

    def __init__(
        self,
        source: Source,
        videos: OverVideos,
        options: SpotsOptions,
        fields: Mapping[str, FieldSpec],
    ) -> None:
        self._source, self._videos, self._options = source, videos, options
        self._field = next((n for n, spec in fields.items() if spec.one_label), "emotion")
        self._notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Sample]:
        known = [_known(video) for video in self._videos.long_videos()]
        if not known:
            raise HarnessError("no long videos were found", hint="check source.root")
        rows = None if self._options.truth else _by_video(self._options, known)
        silent = [v for v in known if (not _events(v.told) if rows is None else v.key not in rows)]
        if rows is None and len(silent) == len(known):
            raise HarnessError(
                "the true intervals of these videos are not known, or there are none",
                hint="give the intervals of a spotter: --spots FILE",
            )
        shared: dict[str, Scalar] = {
            ORIGIN: self._options.origin,
            UNSPOTTED: canonical_json([[v.subject, v.name, _events(v.told)] for v in silent]),
        }
        self._notes = tuple(_silent_note(silent, known, self._options.truth))
        for video in self._videos.long_videos():
            key = (video.subject, video.name)
            given = _true(video) if rows is None else rows.get(key, [])
            yield from _intervals(video, given, field=self._field, shared=shared)

    def digest(self) -> str:
        """Over the source's own digest and the intervals."""
        return digest_json({"source": self._source.digest(), "spots": spots_digest(self._options)})

    def skipped(self) -> tuple[Skipped, ...]:
        return self._source.skipped()

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Those that the source states."""
        return stated_labels(self._source)

    def notes(self) -> tuple[str, ...]:
        """Those of the source, and which videos have no interval."""
        return (*source_notes(self._source), *self._notes)


def with_spots(
    source: Source, written: Any, *, fields: Mapping[str, FieldSpec], family: str
) -> Source:
    """The source with the intervals of `source.spots` as its samples; itself where there are none.

    Raises HarnessError for a source without long videos.
    """
    if written is None:
        return source
    if not isinstance(written, Mapping):
        raise HarnessError(
            f"source.spots: {str(written)[:80]!r} is not a list of intervals",
            hint="name a table or a run with the option --spots",
        )
    if not isinstance(source, OverVideos):
        raise no_windows(f"the source family {family!r}")
    return SpottedSource(
        source, source, read_options(SpotsOptions, written, family="spots"), fields
    )


def spots_digest(options: SpotsOptions) -> str:
    """Of the intervals, wherever they come from."""
    rows = [one.model_dump(exclude={"row", "at"}, exclude_defaults=True) for one in options.rows]
    return digest_json({"truth": options.truth, "rows": sorted(rows, key=canonical_json)})


def refuse_rows(origin: str, faults: Sequence[tuple[str, str]], *, hint: str) -> None:
    """Raise HarnessError that names the faulty rows of a table of intervals, each by its place; none where there are no
    faults."""
    if not faults:
        return
    told = "; ".join(f"{place}: {what}" for place, what in faults[:SHOWN])
    more = f"; and {counted(len(faults) - SHOWN, 'more row')}" if len(faults) > SHOWN else ""
    raise HarnessError(f"{origin}, {told}{more}", hint=hint)


def _known(video: LongVideo) -> _Known:
    medium = video.medium
    if not medium.fps:
        raise HarnessError(f"{video.name}: no frame rate", hint="set source.fps")
    return _Known(
        video.subject, video.name, medium.indices[0], medium.indices[-1], medium.fps, video.told
    )


def _events(told: str) -> list[Any]:
    import json

    found: list[Any] = json.loads(told)
    return found


def _by_video(
    options: SpotsOptions, known: Sequence[_Known]
) -> dict[tuple[str, str], list[GivenInterval]]:
    """(subject, video) -> its intervals in order of time.

    Raises HarnessError naming rows: videos that are not there, or of several subjects; frames outside the video; intervals
    that overlap or stand twice; and seconds in place of frames.
    """
    videos: dict[str, list[_Known]] = {}
    for video in known:
        videos.setdefault(video.name, []).append(video)
    found: dict[tuple[str, str], list[GivenInterval]] = {}
    faults: list[tuple[str, str]] = []
    strange: list[tuple[str, str]] = []
    short = 0
    for one in options.rows:
        fits = [v for v in videos.get(one.video, ()) if one.subject in {"", v.subject}]
        if len(fits) != 1:
            strange.append((one.place, _no_video(one, fits, videos)))
            continue
        (video,) = fits
        short += (one.offset - one.onset) / video.fps < SHORTEST and one.offset <= (
            (video.last - video.first + 1) / video.fps
        )
        if not video.first <= one.onset <= one.offset <= video.last:
            faults.append(
                (one.place, f"frames {one.onset} to {one.offset} are not within video {video.name!r} "
                 f"(frames {video.first} to {video.last})")
            )  # fmt: skip
            continue
        found.setdefault(video.key, []).append(one)
    refuse_rows(
        options.origin, strange,
        hint="write subject and video as `harness show TASK` has them, before the @; nothing was asked",
    )  # fmt: skip
    if options.rows and short == len(options.rows):
        raise HarnessError(
            f"{options.origin}: no interval lasts {SHORTEST:g} seconds, so these numbers look like seconds, not frames",
            hint="multiply onset and offset by the frame rate of the video",
        )
    refuse_rows(
        options.origin, faults,
        hint="correct the rows; nothing was asked. Frames count as in the names of the files, from 0 where these have no numbers",
    )  # fmt: skip
    overlapping = sorted(fault for rows in found.values() for fault in _overlaps(rows))
    refuse_rows(
        options.origin, [(place, what) for _, place, what in overlapping],
        hint="keep one of them: an event is counted once; nothing was asked",
    )  # fmt: skip
    return found


def _no_video(
    one: GivenInterval, fits: Sequence[_Known], videos: Mapping[str, Sequence[_Known]]
) -> str:
    if fits:
        subjects = ", ".join(v.subject for v in fits[:SHOWN])
        return (
            f"video {one.video!r} is there for several subjects ({subjects}): add a column subject"
        )
    there = videos.get(one.video, ())
    if there:
        subjects = ", ".join(v.subject for v in there[:SHOWN])
        return f"video {one.video!r} is of subject {subjects}, not of {one.subject!r}"
    near = difflib.get_close_matches(one.video, videos, n=1)
    meant = near[0] if near else next(iter(videos))
    return f"there is no video {one.video!r} (there is {meant!r})"


def _overlaps(rows: list[GivenInterval]) -> Iterator[tuple[int, str, str]]:
    """Row, place and fault of each interval that stands twice or overlaps the one before."""
    rows.sort(key=lambda one: (one.onset, one.offset, one.row))
    before = rows[0]
    for one in rows[1:]:
        if (one.onset, one.offset) == (before.onset, before.offset):
            yield one.row, one.place, f"the same interval as {before.place}"
        elif one.onset <= before.offset:
            frames = f"frames {before.onset} to {before.offset}"
            yield one.row, one.place, f"overlaps {before.place}, {frames}"
        before = max(before, one, key=lambda each: each.offset)


def _true(video: LongVideo) -> list[GivenInterval]:
    return [
        GivenInterval(
            row=number, video=video.name, onset=event["onset"], offset=event["offset"],
            apex=event.get("apex"),
        )
        for number, event in enumerate(video.events or (), 1)
    ]  # fmt: skip


def _silent_note(silent: Sequence[_Known], known: Sequence[_Known], truth: bool) -> Iterator[str]:
    if silent and not truth:
        names = ", ".join(v.name for v in silent[:SHOWN])
        more = ", ..." if len(silent) > SHOWN else ""
        yield (
            f"{len(silent)} of {counted(len(known), 'video')} without an interval ({names}{more}): their true intervals, if "
            "any, count as missed"
        )


def _intervals(
    video: LongVideo,
    given: Sequence[GivenInterval],
    *,
    field: str,
    shared: Mapping[str, Scalar],
) -> Iterator[Sample]:
    """A sample for each interval of one video."""
    spots = [Spot(video.subject, video.name, one.onset, one.offset, "") for one in given]
    truth = [
        Spot(video.subject, video.name, e["onset"], e["offset"], str(e["emotion"]))
        for e in video.events or ()
    ]
    emotions = {said: true.emotion for said, true in matched(spots, truth)}
    for one, spot in zip(given, spots, strict=True):
        told: dict[str, Scalar] = {ROW: one.row}
        if one.score is not None:
            told[SCORE] = one.score
        yield Sample(
            id=f"{video.subject}/{video.name}@{one.onset:05d}-{one.offset:05d}",
            medium=_clip(video, one),
            targets={field: emotions[spot]} if spot in emotions else {},
            annotations={
                **video.about, VIDEO: video.name, FIRST: one.onset, LAST: one.offset,
                "subject": video.subject, "fps": video.medium.fps, EVENTS: video.told, **shared, **told,
            },
            cluster=video.subject,
        )  # fmt: skip


def _clip(video: LongVideo, one: GivenInterval) -> Medium:
    medium = video.medium
    at = [n for n, index in enumerate(medium.indices) if one.onset <= index <= one.offset]
    if not at:
        raise HarnessError(
            f"{video.name}: there is no frame between {one.onset} and {one.offset}",
            hint="frames are missing in the folder of the video",
        )
    indices = medium.indices[at[0] : at[-1] + 1]
    middle = (one.onset + one.offset) // 2 if one.apex is None else one.apex
    return Medium(
        kind="clip",
        frames=medium.frames[at[0] : at[-1] + 1],
        indices=indices,
        fps=medium.fps,
        onset=indices[0],
        apex=min(indices, key=lambda index: abs(index - middle)),
        offset=indices[-1],
    )
