"""Windows over a long video as samples, so that models with few frames can spot expressions.

The windows overlap by half, so that the middle halves of a video's windows lie side by side and an apex
stands in the middle of one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from harness.core.errors import HarnessError
from harness.core.medium import Medium
from harness.core.sample import Sample, Scalar
from harness.core.text import canonical_json

REST = "none"
"""The emotion of a window in which no event is at its height."""
EVENTS, FIRST, LAST, VIDEO = "events", "first", "last", "video"
"""Annotations of a window: the video's true intervals as JSON, the window's frames, the video's name."""
UNSPOTTED = "unspotted"
"""Annotation of an interval that was given: the videos without any interval, as JSON [[subject, video, events], ...]."""
WINDOW = frozenset({EVENTS, FIRST, LAST, VIDEO, UNSPOTTED, "subject", "fps"})
"""All that scoring needs to know of a window or an interval."""


@dataclass(frozen=True, slots=True)
class LongVideo:
    """A long video with its events; frames count as in `medium.indices`."""

    name: str
    subject: str
    medium: Medium
    """All frames."""
    events: tuple[Mapping[str, Any], ...] | None
    """Those to spot: onset, offset, emotion, and apex where it is known (else the middle stands in); None
    where nobody says, as in a test set."""
    about: Mapping[str, Scalar]
    """Further annotations of its samples."""

    @property
    def told(self) -> str:
        """The events as the annotation `events` holds them."""
        return canonical_json([[e["onset"], e["offset"], e["emotion"]] for e in self.events or ()])


def no_windows(what: str) -> HarnessError:
    """The error for samples that are no windows over long videos."""
    return HarnessError(
        f"intervals can be given only for windows over long videos, not for {what}",
        hint="use a spotting task, such as faces/me-str or megc/me-str",
    )


@runtime_checkable
class OverVideos(Protocol):
    """A source whose samples are windows over long videos."""

    def long_videos(self) -> Iterator[LongVideo]:
        """The videos in their order, the same at each call. Raises HarnessError where the samples are no windows."""
        ...


def windows(video: LongVideo, *, field: str, seconds: float) -> Iterator[Sample]:
    """The windows of a video, in order of time.

    Each has the frames of `seconds`, their first, middle and last as onset, apex and offset, and as target
    the emotion of the event whose apex lies in its middle half, else REST; none where no event is known.

    Raises HarnessError for a video without a frame rate, or shorter than a window.
    """
    medium = video.medium
    if not medium.fps:
        raise HarnessError(f"{video.name}: no frame rate", hint="set source.fps")
    length = max(4, round(seconds * medium.fps / 4) * 4)
    if length > len(medium.frames):
        raise HarnessError(
            f"{video.name}: {len(medium.frames)} frames, fewer than one window of {length}",
            hint="use shorter windows",
        )
    told = video.told
    for start in range(0, len(medium.frames) - length + 1, length // 2):
        indices = medium.indices[start : start + length]
        inside = indices[length // 4 : length - length // 4]
        yield Sample(
            id=f"{video.subject}/{video.name}@{indices[0]:05d}",
            medium=Medium(
                kind="clip",
                frames=medium.frames[start : start + length],
                indices=indices,
                fps=medium.fps,
                onset=indices[0],
                apex=indices[length // 2],
                offset=indices[-1],
            ),
            targets={} if video.events is None else {field: _emotion(video.events, inside)},
            annotations={
                **video.about, VIDEO: video.name, FIRST: indices[0], LAST: indices[-1],
                "subject": video.subject, "fps": medium.fps, EVENTS: told,
            },
            cluster=video.subject,
        )  # fmt: skip


def _emotion(events: Sequence[Mapping[str, Any]], inside: Sequence[int]) -> str:
    for event in events:
        apex = event.get("apex")
        middle = (event["onset"] + event["offset"]) // 2 if apex is None else apex
        if inside[0] <= middle <= inside[-1]:
            return str(event["emotion"])
    return REST
