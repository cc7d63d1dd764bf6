"""Items to rate: a sample under a condition, in a random order per rater, with its pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from harness.conditions.enhance import endpoints_of
from harness.conditions.mixture import mixes
from harness.conditions.registry import load_condition
from harness.conditions.sound import sounded, wants_sound
from harness.core.errors import HarnessError, MediaError
from harness.core.medium import Medium
from harness.core.message import Audio, Image, Video
from harness.core.sample import Sample
from harness.core.task import Task
from harness.media.frames import parse_policy
from harness.media.portable import portable_noted
from harness.media.sound import audio_of
from harness.media.video_file import opened
from harness.run.presentation import show

PLAIN = "none"
"""The condition of a sample as it lies there, a clip with all its frames."""
WHOLE = (PLAIN, "picture", "both")
"""Conditions under which a clip is shown with all its frames at their times."""
MOST_ITEMS = 20_000
"""A study of more is refused: nobody rates them."""
MOST_FRAMES = 240
"""Frames of a clip that a rater sees; of a longer one as many, evenly spaced."""


class ItemKey(NamedTuple):
    """What names an item in the journal and in tables."""

    sample: str
    condition: str


@dataclass(frozen=True, slots=True)
class Item:
    """A sample under a condition."""

    sample: Sample
    condition: str
    asks: tuple[str, ...]
    """The fields that are asked of it."""

    @property
    def key(self) -> ItemKey:
        return ItemKey(self.sample.id, self.condition)


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows of an item."""

    media: tuple[tuple[Image, ...], ...]
    """The pictures of its medium, and of the other one of a pair."""
    times: tuple[float, ...] = ()
    """Seconds of each frame of a clip from its first; empty for a picture, and where they are not known."""
    total: int = 0
    """Frames that the clip has, where fewer are shown."""
    sound: Audio | None = None
    """What is played with them, or alone."""
    failure: str = ""
    """Why it cannot be shown; without the name of a file, which may tell a label."""


def items_of(
    samples: Iterable[Sample], conditions: Sequence[str], *, fields: Sequence[str], task: Task
) -> list[Item]:
    """Every sample under every condition, with those of `fields` that it asks for; without any it is no item.

    A field that the task does not have is asked of every sample. Raises HarnessError for a condition that does not exist or needs a partner, and for no or too many items.
    """
    for name in conditions:
        if endpoints := endpoints_of(name):
            raise HarnessError(
                f"--condition {name}: the page sends no picture to the endpoint {endpoints[0]}",
                hint="leave it out, or use a method of this package, such as enhance:unsharp",
            )
        if mixes(load_condition(name)):
            raise HarnessError(
                f"--condition {name}: mixed samples cannot be rated",
                hint="rate drawn mixtures instead: faces/mixture",
            )
    samples = list(samples)
    for name in conditions:
        condition = load_condition(name)
        if wants_sound(condition) and all(
            sounded(s.medium, condition).sound is None for s in samples
        ):
            raise HarnessError(
                f"--condition {name}: no sample has a sound",
                hint="lay a WAV beside each (NAME.wav), or leave the condition out",
            )
    found: list[Item] = []
    for sample in samples:
        own = sample.asked_of(task.fields)
        asks = tuple(name for name in fields if name in own or name not in task.fields)
        found += [Item(sample, condition, asks) for condition in conditions if asks]
        if len(found) > MOST_ITEMS:
            raise HarnessError(
                f"there are more than {MOST_ITEMS:,} items to rate",
                hint="rate a subset: harness data subset TASK --n 200 --out subset.yaml, then "
                "--set source.subset=subset.yaml",
            )
    if not found:
        raise HarnessError("the source has no samples to rate", hint="harness data check TASK")
    return found


def in_order(items: Iterable[Item], *, rater: str, seed: int) -> list[Item]:
    """The items in a random order of the rater's own, that other items do not change: by SHA-256(seed, rater, item)."""

    def mark(item: Item) -> bytes:
        text = "\x1f".join((str(seed), rater, *item.key))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()

    return sorted(items, key=mark)


def view_of(item: Item, task: Task) -> View:
    """The pictures of an item. What cannot be read is told in `failure`. Raises HarnessError as the media do."""
    first = _seen(item.sample.medium, item.condition, task)
    if item.sample.second is None or first.failure:
        return first
    if first.sound is not None:
        return View((), failure="unsupported")  # two sounds at once
    other = _seen(item.sample.second, item.condition, task)
    return replace(first, media=first.media + other.media, failure=other.failure)


def _seen(medium: Medium, condition: str, task: Task) -> View:
    if condition not in WHOLE:
        shown = show(medium, load_condition(condition), task)
        if shown.failure is not None:
            return View((), failure=shown.failure.detail.partition(":")[0])
        if isinstance(shown.pictures[0], Audio):
            return View((), sound=shown.pictures[0])
        (video,) = shown.pictures if isinstance(shown.pictures[0], Video) else (None,)
        if isinstance(video, Video):
            return View((video.frames,), tuple(n / video.fps for n in video.numbers))
        seen = tuple(one for one in shown.pictures if isinstance(one, Image))
        return View((seen,), sound=shown.sound)
    try:
        heard = load_condition(condition)
        whole = heard.apply(opened(sounded(medium, heard)))
        if whole.fps is None and task.media.fps is not None:
            whole = replace(whole, fps=task.media.fps)
        chosen = whole
        if whole.kind == "clip" and len(whole.frames) > MOST_FRAMES:
            chosen = parse_policy(f"uniform-{MOST_FRAMES}")(whole)
        pictures = []
        for picture in chosen.frames:
            data, _ = portable_noted(picture.read(), name=picture.name)
            pictures.append(Image(picture.name, data))
        sound = audio_of(whole.sound) if whole.heard and whole.sound is not None else None
    except MediaError as error:
        return View((), failure=str(error.kind))
    return View((tuple(pictures),), _times(chosen), len(whole.frames), sound)


def _times(medium: Medium) -> tuple[float, ...]:
    if medium.kind == "image" or not medium.fps:
        return ()
    if any(b <= a for a, b in zip(medium.indices, medium.indices[1:], strict=False)):
        return ()
    return tuple((number - medium.indices[0]) / medium.fps for number in medium.indices)
