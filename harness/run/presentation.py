"""Pictures, clips and videos as shown under a condition, encoded for sending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.conditions.sound import sounded
from harness.core.condition import Condition, takes_whole_clip
from harness.core.enhancer import EnhancerError
from harness.core.errors import MediaError
from harness.core.generation import Failure
from harness.core.medium import Medium
from harness.core.message import Audio, Image, Visual
from harness.core.task import AtMost, Task
from harness.media.frames import parse_policy
from harness.media.portable import portable_noted
from harness.media.sound import audio_of
from harness.media.transforms import RESIZED, is_resized, limit_pixels, resize, shrink
from harness.media.video import video_of
from harness.media.video_file import opened


@dataclass(frozen=True, slots=True)
class ShownSample:
    """What a model is shown of one sample under one condition."""

    pictures: tuple[Visual, ...] = ()
    failure: Failure | None = None
    sound: Audio | None = None
    """What is heard with the pictures, where the condition sends both."""
    record: Mapping[str, Sequence[int | str]] | None = None
    """For a clip: `frames`, their numbers in it, and `changes`, what was done to it in order."""
    read_as: tuple[str, ...] = ()
    """Rules of `harness.media.portable.READ_AS` that were applied to its pictures."""


def as_shown(medium: Medium, condition: Condition, task: Task, *, pixels: int = 0) -> Medium:
    """The task's frames of a medium, or those that a condition chooses, in the task's size or the condition's, at last
    made smaller where they have more than `pixels` (0: no limit).

    Nothing is opened but what must be seen to choose frames. Raises MediaError, as the policy does.
    """
    medium = opened(sounded(medium, condition))
    if medium.fps is None and task.media.fps is not None:
        medium = replace(medium, fps=task.media.fps)
    if medium.kind != "clip" or not takes_whole_clip(condition):
        medium = parse_policy(task.media.frames)(medium)
    changed = _sized(condition.apply(medium), task)
    return limit_pixels(changed, most=pixels) if pixels else changed


def _sized(medium: Medium, task: Task) -> Medium:
    size = task.media.resize
    if size is None or is_resized(medium):
        return medium
    if isinstance(size, AtMost):
        return shrink(medium, longer_side=size.at_most)
    return resize(medium, longer_side=size)


def show(medium: Medium, condition: Condition, task: Task, *, pixels: int = 0) -> ShownSample:
    """The pictures of a medium under a condition, or its video, encoded as they will be sent.

    A picture that is missing, broken or too large gives a failure of kind `media`; the run goes on.
    """
    pictures = []
    rules: dict[str, None] = {}
    try:
        changed = as_shown(medium, condition, task, pixels=pixels)
        for picture in changed.frames:
            name = picture.name
            data, applied = portable_noted(picture.read(), name=name)
            pictures.append(Image(name, data))
            rules |= dict.fromkeys(applied)
        video = (video_of(changed, pictures),) if changed.kind == "video" else ()
        sound = audio_of(changed.sound) if changed.heard and changed.sound is not None else None
    except EnhancerError as error:
        return ShownSample(failure=error.failure)
    except MediaError as error:
        hint = f" ({error.hint})" if error.hint else ""
        return ShownSample(failure=Failure("media", f"{error.kind}: {error.message}{hint}"))
    read_as = tuple(rules)
    seen: tuple[Visual, ...] = video or tuple(pictures)
    if sound is not None and not seen:
        seen, sound = (sound,), None  # it stands where the picture would
    return ShownSample(seen, sound=sound, record=record_of(changed, read_as), read_as=read_as)


def record_of(
    medium: Medium, read_as: tuple[str, ...] = ()
) -> Mapping[str, Sequence[int | str]] | None:
    """What is kept of a clip as shown, and of a picture that a condition or a rule of reading changed; else None."""
    if medium.kind == "image":
        changes = [change for change in medium.changes if not change.startswith(RESIZED)]
        changes += read_as
        return {"changes": changes} if changes else None
    return {"frames": medium.indices, "changes": (*medium.changes, *read_as)}
