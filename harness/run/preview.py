"""One sample as a model would get it, for `harness show` and lint. Sends nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness.conditions.label_order import in_order
from harness.conditions.presentation import Presentation
from harness.core.condition import Condition, variables_of
from harness.core.errors import HarnessError, MediaError
from harness.core.medium import Medium
from harness.core.message import Audio, Image, Message, Text, Visual, medium_word
from harness.core.picture import Picture
from harness.core.prompt import Prompt
from harness.core.sample import Sample
from harness.core.source import Source
from harness.core.task import Task
from harness.media.portable import READ_AS, portable_noted
from harness.media.sound import audio_of
from harness.media.verify import check
from harness.media.video import video_of
from harness.prompting.library import Library
from harness.run.examples import Gallery
from harness.run.exemplars import ExamplePool
from harness.run.journal import conversation_turns
from harness.run.mix_pairing import Partners
from harness.run.prepare import prompt_variables, second_variable, with_sound
from harness.run.presentation import ShownSample, as_shown, record_of
from harness.run.samples import collect_classes, with_classes
from harness.sources import open_source

_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
"""Stands in for a picture that cannot be read, so that the text can be shown all the same."""
_NONE: Visual = Image("none", _PIXEL)


@dataclass(frozen=True, slots=True)
class Preview:
    """What `harness show` prints."""

    shown: tuple[tuple[str, str], ...]
    """For each picture, video or sound what it is (`image`, `video`, `sound`), and its name and size or why it cannot be
    read; those that are shown in their order."""
    turns: tuple[tuple[str, str], ...]
    """(role, text) with pictures as `[image N]`, videos as `[video N]`, sounds as `[sound N]`."""
    awaiting: str | None
    record: Mapping[str, Sequence[int | str]] | None = None
    """For a clip, which frames are shown and by what rules."""


def with_labels(task: Task, *, here: Path) -> tuple[Task, Source]:
    """The task with labels taken from its data where it says so, and its source."""
    source = open_source(task.source, fields=task.fields, base=here)
    return with_classes(task, collect_classes(source, task)), source


def preview(
    sample: Sample,
    task: Task,
    prompt: Prompt,
    library: Library,
    presentation: Presentation,
    *,
    pool: ExamplePool | None = None,
    pairs: Partners | None = None,
) -> Preview | None:
    """The rendered messages of a sample up to the model's first reply; None where nothing is asked.

    `pool` holds the few-shot examples, where any are shown, `pairs` the partners where the condition mixes. Raises
    HarnessError where too few can be drawn.
    """
    asks = prompt.head.fills(sample.asked_of(task.fields))
    if not asks:
        return None
    more: list[str] = []
    others: list[Visual] = []
    condition = shown_as = presentation.load()
    if pairs is not None:
        shown_as = pairs.beside(shown_as, sample)
    try:
        shown = as_shown(sample.medium, shown_as, task, pixels=presentation.pixels)
        lines, images = _visuals(shown)
        record = record_of(shown)
        if sample.second is not None:
            more, others = _visuals(
                as_shown(sample.second, shown_as, task, pixels=presentation.pixels)
            )
    except MediaError as error:  # no frames can be chosen; the text is shown all the same
        lines, images = [f"(cannot be shown: {error.message})"], [_NONE]
        record = None
    heard = [one for one in images if isinstance(one, Audio)] if len(images) > 1 else []
    pictures = [one for one in images if one not in heard]
    seen = [image for image in pictures if image.digest != _NONE.digest]
    gallery = Gallery(
        pool, presentation.shots, condition, partial(_example, task, presentation.pixels)
    )
    examples = gallery.of(sample, asks, seen)
    if examples.failure is not None:
        raise HarnessError(examples.failure.detail)
    rendering = library.render(
        prompt,
        variables={
            **prompt_variables(
                in_order(task, presentation.label_order), asks, question=sample.question
            ),
            **variables_of(shown_as),
            "exemplars": examples.given,
            **second_variable(others),
        },
        pictures=pictures,
        replies={},
    )
    if heard:
        rendering = with_sound(rendering, heard[0])
    known = list(zip((*images, *others), (*lines, *more), strict=True))
    for name, given in zip(examples.ids, examples.given, strict=True):
        truth = ", ".join(f"{field} {given[field]}" for field in asks)
        known += [
            (image, f"{image.name}  (few-shot example {name}: {truth})")
            for image in given["frames"]
        ]
    turns = tuple((role, text) for role, text in conversation_turns(rendering.messages))
    ordered = tuple(_in_order_shown(rendering.messages, known))
    return Preview(ordered, turns, rendering.awaiting, record)


def _in_order_shown(
    messages: Sequence[Message], known: Sequence[tuple[Visual, str]]
) -> Iterator[tuple[str, str]]:
    """What each is and its line, as the conversation numbers them, then of those that it does not show."""
    shown = [part for message in messages for part in message.parts if not isinstance(part, Text)]
    for image in shown:
        yield from ((medium_word(one), line) for one, line in known if one is image)
    for one, line in known:
        if all(one is not image for image in shown):
            yield medium_word(one), line


def _example(task: Task, pixels: int, medium: Medium, view: Condition) -> ShownSample:
    """The pictures of a few-shot example, a pixel for one that cannot be read."""
    try:
        return ShownSample(tuple(_visuals(as_shown(medium, view, task, pixels=pixels))[1]))
    except MediaError:
        return ShownSample((Image("(cannot be shown)", _PIXEL),))


def _visuals(shown: Medium) -> tuple[list[str], list[Visual]]:
    """A line about each picture, and the picture; or about the video, and the video. Raises MediaError for a medium
    that is no video."""
    lines, images = _pictures(shown.frames)
    if shown.heard and shown.sound is not None:
        audio = audio_of(shown.sound)
        told = f"{audio.name}  (sound of {audio.seconds:.2f} s, {len(audio.data):,} bytes)"
        return [*lines, told], [*images, audio]
    if shown.kind != "video":
        return lines, [*images]
    video = video_of(shown, images)
    size = "{}x{}".format(*check(images[0].data, images[0].name))
    length = sum(len(frame.data) for frame in images)
    seconds = video.numbers[-1] / video.fps
    line = (
        f"{video.name}  (video of {len(images)} frames over {seconds:.3f} s, recorded at {video.fps:g} fps; "
        f"{size}, {length:,} bytes)"
    )
    return [line], [video]


def _pictures(frames: Sequence[Picture]) -> tuple[list[str], list[Image]]:
    """A line about each picture, and the picture, or a pixel where it cannot be read."""
    lines, images = [], []
    for picture in frames:
        try:
            data = picture.read()
            width, height = check(data, picture.name)
            data, rules = portable_noted(data, name=picture.name)
            said = "".join(f"; {READ_AS[rule]}" for rule in rules)
            lines.append(f"{picture.name}  ({width}x{height}, {len(data):,} bytes{said})")
        except MediaError as error:
            data = _PIXEL
            lines.append(f"{picture.name}  (cannot be shown: {error.message})")
        images.append(Image(picture.name, data))
    return lines, images
