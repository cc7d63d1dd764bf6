"""Check all pictures of a source: unreadable ones, duplicates, near-duplicates across subsets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from harness.core.errors import MediaError
from harness.core.medium import Medium
from harness.core.picture import FilePicture
from harness.core.sample import Sample
from harness.media.decode import decode
from harness.media.likeness import Look, look_of, near_pairs
from harness.media.video_file import opened
from harness.sources.cells import is_blank, plain

SPLITS = ("split", "subset", "partition", "usage", "set", "fold")
"""Annotations that say which part of its data set a sample is of; the first that is there."""
_AT_ONCE = 64
_THREADS = 4


@dataclass(frozen=True, slots=True)
class SamePictures:
    """Samples whose pictures are the same, or nearly."""

    samples: tuple[str, ...]
    subsets: tuple[str, ...]
    """The subsets that they are of; empty where the data name none."""
    labels: tuple[str, ...]
    """Their different labels, where they have one."""


@dataclass(frozen=True, slots=True)
class PictureFindings:
    """What reading all pictures showed."""

    unreadable: Mapping[str, str]
    """Sample -> why its picture cannot be used, of those that are there."""
    same: tuple[SamePictures, ...]
    """Of the same content, byte for byte, with the same question; pairs of the same two pictures, in either order."""
    near: tuple[SamePictures, ...]
    """Nearly the same in two subsets: pairs."""
    itself: tuple[str, ...] = ()
    """Samples of pairs whose two pictures are one, byte for byte."""
    clips: bool = False
    """Whether there are clips, of which not every frame was read."""


@dataclass(slots=True)
class _Read:
    sample: str
    subset: str
    label: str
    fault: str = ""
    digest: bytes = b""
    itself: bool = False
    clip: bool = False
    look: Look | None = field(default=None)


def subset_of(sample: Sample) -> str:
    """The subset that a sample says it is of; empty where it says none."""
    for name in SPLITS:
        value = sample.annotations.get(name)
        if not is_blank(value):
            return plain(value)
    return ""


def check_pictures(samples: Iterator[Sample], labels: Sequence[str]) -> PictureFindings:
    """Read and decode every picture, of a clip the first, middle and last frame; a file of any other is not empty.
    `labels` are the label fields.

    Of each picture a digest and some 300 bytes are kept. Raises HarnessError where the machine runs out of something.
    """
    found: list[_Read] = []
    with ThreadPoolExecutor(_THREADS) as pool:
        while chunk := list(islice(samples, _AT_ONCE)):
            found += pool.map(lambda sample: _read(sample, labels), chunk)
    usable = [one for one in found if not one.fault]
    return PictureFindings(
        unreadable={one.sample: one.fault for one in found if one.fault},
        same=tuple(_same(usable)),
        near=tuple(_near(usable)),
        itself=tuple(one.sample for one in usable if one.itself),
        clips=any(one.clip for one in found),
    )


def _read(sample: Sample, labels: Sequence[str]) -> _Read:
    said = next((str(sample.targets[name]) for name in labels if name in sample.targets), "")
    made = _Read(sample.id, subset_of(sample), said, clip=sample.medium.kind == "clip")
    # One picture with several questions is several samples, and no duplicate.
    summary = hashlib.sha256((sample.question or "").encode("utf-8", "surrogatepass"))
    shown = []
    try:
        for one in (sample.medium, sample.second):
            if one is not None:
                digest, made.look = _looked_at(opened(one))
                shown.append(digest)
    except MediaError as error:
        made.fault = f"{error.kind}: {error.message}"
    if sample.second is not None:
        made.look = None  # a picture may stand in many pairs
        made.itself = len(shown) == 2 and shown[0] == shown[1]
    for digest in sorted(shown):
        summary.update(digest)
    made.digest = summary.digest()
    return made


def _looked_at(medium: Medium) -> tuple[bytes, Look | None]:
    """The digest of a medium's pictures, and what the middle one looks like. Raises MediaError."""
    summary, look = hashlib.sha256(), None
    _refuse_empty(medium)
    for number, place in enumerate(_places(medium)):
        picture = medium.frames[place]
        data = picture.read()
        summary.update(hashlib.sha256(data).digest())
        image = decode(data, name=picture.name)
        if number == 0 or place == len(medium.frames) // 2:
            look = look_of(image)
    return summary.digest(), look


def _refuse_empty(medium: Medium) -> None:
    """Raises MediaError for a frame whose file holds nothing, as an unpacking that stopped leaves it; none is read for that."""
    for frame in medium.frames:
        if isinstance(frame, FilePicture) and frame.path.is_file() and not frame.path.stat().st_size:  # fmt: skip
            raise MediaError(f"picture is empty: {frame.name}", kind="empty", hint="get the file again")  # fmt: skip


def _places(medium: Medium) -> list[int]:
    count = len(medium.frames)
    if not count:
        raise MediaError("a clip of 0 frames", kind="empty")
    return sorted({0, count // 2, count - 1})


def _same(found: Sequence[_Read]) -> Iterator[SamePictures]:
    groups: dict[bytes, list[_Read]] = {}
    for one in found:
        groups.setdefault(one.digest, []).append(one)
    yield from (_group(group) for group in groups.values() if len(group) > 1)


def _near(found: Sequence[_Read]) -> Iterator[SamePictures]:
    if len({one.subset for one in found}) < 2:
        return
    looks = [(one, one.look) for one in found if one.look is not None]
    for a, b in near_pairs([look for _, look in looks]):
        pair = [looks[a][0], looks[b][0]]
        if pair[0].subset != pair[1].subset and pair[0].digest != pair[1].digest:
            yield _group(pair)


def _group(members: Sequence[_Read]) -> SamePictures:
    return SamePictures(
        samples=tuple(one.sample for one in members),
        subsets=tuple(sorted({one.subset for one in members if one.subset})),
        labels=tuple(sorted({one.label for one in members if one.label})),
    )
