"""Thumbnails for the page: drawn faces, drawn again from the task's own options; pictures of people only where they are
asked for, for the private part of a run."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from harness.analyses.keys import BLANK
from harness.conditions.mixture import beside, mixes
from harness.conditions.presentation import read_presentation
from harness.conditions.sound import sounded
from harness.core.condition import Condition
from harness.core.errors import HarnessError, MediaError
from harness.core.field import FieldSpec
from harness.core.medium import Medium
from harness.core.picture import Picture
from harness.core.sample import Sample
from harness.core.source import Source
from harness.core.task import Task
from harness.media.decode import open_picture
from harness.media.frames import parse_policy
from harness.media.video_file import opened
from harness.report.inputs import RunView
from harness.run.mix_pairing import read_partners
from harness.sources import open_source

DRAWN = "faces"
"""The family of source whose pictures show nobody."""
MOST = 1000
"""Distinct pictures of drawn faces embedded: some 2 MB, drawn in half a minute."""
MOST_OWN = 2000
"""Distinct pictures of people embedded, where they are asked for."""
SIDE = 160
"""Longer side of a thumbnail, in pixels."""
QUALITY = 60
"""Of WebP: a face takes 1.5 kB, as JPEG 4."""
READ_AT_MOST = 200_000
"""Samples of a source gone through in search of those shown."""
WANTED = 20
"""So many times as many samples as pictures are looked for: questions on one clip share its frames."""

PEOPLE = (
    "Pictures are not shown: faces are people, and reports are passed on. The pictures stay with the data. "
    "`harness report RUN --with-pictures` writes a page that shows them to the private part of the run."
)

GREY = ("uniform grey shown instead of the picture", "")
"""Caption and (empty) name of what stands for a blank picture."""

Place: TypeAlias = "tuple[str, str, str]"
"""Task, condition, sample."""

Opener: TypeAlias = Callable[..., Source]


@dataclass(slots=True)
class Thumbnails:
    """Thumbnails and who shows them."""

    urls: dict[str, str] = field(default_factory=dict)
    """Name -> data URL, each picture once."""
    shown: dict[Place, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """Place -> (caption, name) of its pictures; the name of the grey one is empty."""
    notes: dict[str, str] = field(default_factory=dict)
    """Task -> why its pictures, or some of them, are not shown."""


def collect(
    view: RunView, places: Iterable[Place], *, own: bool = False, opener: Opener = open_source
) -> Thumbnails:
    """The thumbnails of `places` in that order, at most MOST distinct ones.

    `own`: of people too, at most MOST_OWN. `opener` opens a task's source (options, fields=, base=). Whatever goes wrong
    with a source becomes a note of its task; with `own` it is an error.
    """
    album = Thumbnails()
    by_task: dict[str, list[Place]] = {name: [] for name in view.tasks}
    for place in dict.fromkeys(places):
        by_task[place[0]].append(place)
    drawn = [name for name, task in view.tasks.items() if own or task.source.get("family") == DRAWN]
    album.notes = {name: PEOPLE for name in view.tasks if name not in drawn}
    partners = _partners(view)
    # The task that needs least comes first, so that what it leaves is shared by the others.
    drawn.sort(key=lambda name: len(by_task[name]))
    for rest, name in zip(range(len(drawn), 0, -1), drawn, strict=True):
        task = view.tasks[name]
        hidden = [place for place in by_task[name] if place[1] == BLANK]
        album.shown |= dict.fromkeys(hidden, (GREY,))
        seen = [place for place in by_task[name] if place[1] != BLANK]
        most = ((MOST_OWN if own else MOST) - len(album.urls)) // rest
        digest = view.manifest["tasks"][name]["data_digest"]
        try:
            mixed = {p: other for p, other in partners.items() if p[0] == name}
            _redraw(album, task, seen, mixed, most=most, digest=digest, opener=opener)
        except HarnessError as error:
            if own:
                raise
            album.notes[name] = f"Pictures could not be drawn again: {error.message}"
    album.notes = {name: album.notes[name] for name in view.tasks if name in album.notes}
    return album


def _redraw(
    album: Thumbnails,
    task: Task,
    places: Sequence[Place],
    mixed: Mapping[Place, str],
    *,
    most: int,
    digest: str,
    opener: Opener,
) -> None:
    if not places:
        return
    fields: Mapping[str, FieldSpec] = task.fields
    source = opener(task.source, fields=fields, base=Path())
    if source.digest() != digest and task.source.get("family") == DRAWN:
        album.notes[task.name] = (
            "Pictures are not shown: this version draws these faces differently from the "
            "version that ran."
        )
        return
    places = places[: WANTED * most]
    ids = {sample for _, _, sample in places} | {mixed[p] for p in places if p in mixed}
    lost = _add_all(album, task, places, samples_of(source, ids), mixed, most=most)
    if lost:
        album.notes.setdefault(task.name, f"{lost} pictures cannot be read and are not shown.")


def samples_of(source: Source, ids: Collection[str]) -> dict[str, Sample]:
    """Samples by their ids, of those among the first READ_AT_MOST of a source."""
    found: dict[str, Sample] = {}
    for sample in islice(source, READ_AT_MOST if ids else 0):
        if sample.id in ids:
            found[sample.id] = sample
            if len(found) == len(ids):
                break
    return found


def _add_all(
    album: Thumbnails,
    task: Task,
    places: Sequence[Place],
    samples: Mapping[str, Sample],
    mixed: Mapping[Place, str],
    *,
    most: int,
) -> int:
    """Add the pictures of the places, `most` distinct ones; gives how many places have pictures that cannot be read."""
    used: set[str] = set()
    lost = 0
    drawn: dict[tuple[str, str], str] = {}  # questions on one clip share its frames
    for place in places:
        view = read_presentation(place[1]).load()
        other = mixed.get(place, "")
        if place[2] not in samples or (mixes(view) and other not in samples):
            continue
        if mixes(view):
            view = beside(view, samples[other].medium, called=other, policy=task.media.frames)
        try:
            frames = shown_pictures(samples[place[2]], task, view)
            if len(used) + len(frames) > most:
                shown = len({sample for name, _, sample in album.shown if name == task.name})
                album.notes[task.name] = (
                    f"{len(used):,} pictures are on this page, of {shown:,} samples: those that stand first. `harness view` "
                    "shows those of all."
                )
                break
            for _, picture in frames:
                if (place[1], picture.name) not in drawn:
                    drawn[place[1], picture.name] = _add(album, picture)
        except MediaError:
            if task.source.get("family") == DRAWN:
                raise
            lost += 1
            continue
        album.shown[place] = tuple((caption, drawn[place[1], p.name]) for caption, p in frames)
        used.update(name for _, name in album.shown[place])
    return lost


def _partners(view: RunView) -> dict[Place, str]:
    """Where two samples were mixed, the second one, as the trials recorded it."""
    cells = {cell["id"]: (cell["task"], cell["condition"]) for cell in view.manifest["cells"]}
    return {
        (*cells[cell], sample): other
        for cell, found in read_partners(view.folder, view.manifest).items()
        for sample, other in found.items()
    }


def shown_pictures(sample: Sample, task: Task, condition: Condition) -> list[tuple[str, Picture]]:
    """(caption, picture) of all that a model was shown of a sample: of a pair the first and the second, so called."""
    first = shown_frames(sample.medium, task, condition)
    if sample.second is None:
        return first
    both = (("first", first), ("second", shown_frames(sample.second, task, condition)))
    return [
        (f"{which}, {caption}" if caption else which, picture)
        for which, frames in both
        for caption, picture in frames
    ]


def shown_frames(medium: Medium, task: Task, condition: Condition) -> list[tuple[str, Picture]]:
    """The pictures a model was shown; onset, apex and offset of a long clip."""
    medium = opened(sounded(medium, condition))
    changed = condition.apply(parse_policy(task.media.frames)(medium))
    if len(changed.frames) > 3:
        changed = parse_policy("onset-apex-offset")(changed)
    names = {changed.onset: "onset", changed.offset: "offset", changed.apex: "apex"}
    if changed.kind == "image":
        return [("", changed.frames[0])] if changed.frames else []
    return [
        (f"{names.get(number, 'frame')} ({number})", frame)
        for number, frame in zip(changed.indices, changed.frames, strict=True)
    ]


def _add(album: Thumbnails, picture: Picture) -> str:
    data = thumbnail(picture)
    name = hashlib.sha256(data).hexdigest()[:12]
    album.urls[name] = data_url(data)
    return name


def data_url(webp: bytes) -> str:
    """A picture as a page embeds it."""
    return "data:image/webp;base64," + base64.b64encode(webp).decode("ascii")


def thumbnail(picture: Picture) -> bytes:
    """WebP bytes of a picture, its longer side at most SIDE pixels. Raises MediaError."""
    from PIL import Image

    image = open_picture(picture)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY)
    return out.getvalue()
