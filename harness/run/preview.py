"""One sample as a model would get it, for `harness show` and lint: nothing is asked."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.conditions import load_condition
from harness.conditions.label_order import in_order
from harness.core.errors import MediaError
from harness.core.message import Image
from harness.core.picture import Picture
from harness.core.prompt import Prompt
from harness.core.sample import Sample
from harness.core.source import Source
from harness.core.task import Task
from harness.media import check, portable
from harness.prompting import Library
from harness.run.journal import conversation_turns
from harness.run.prepare import as_shown, prompt_variables, record_of, told_by
from harness.run.samples import collect_classes, with_classes
from harness.sources import open_source

_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
"""Stands in for a picture that cannot be read, so that the text can be shown all the same."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What `harness show` prints."""

    pictures: tuple[str, ...]
    """For each picture its name and size, or why it cannot be read."""
    turns: tuple[tuple[str, str], ...]
    """(role, text) with pictures as `[image N]`."""
    awaiting: str | None
    record: Mapping[str, Sequence[int | str]] | None = None
    """For a clip, which frames are shown and by what rules."""


def with_labels(task: Task, *, here: Path) -> tuple[Task, Source]:
    """The task with labels taken from its data where it says so, and its source."""
    source = open_source(task.source, fields=task.fields, base=here)
    return with_classes(task, collect_classes(source, task)), source


def preview(
    sample: Sample, task: Task, prompt: Prompt, library: Library, condition: str
) -> Preview | None:
    """The rendered messages of a sample up to the model's first reply; None where nothing is asked."""
    asks = prompt.head.fills(sample.asked_of(task.fields))
    if not asks:
        return None
    shown_as = load_condition(condition)
    try:
        shown = as_shown(sample.medium, shown_as, task)
        lines, images = _pictures(shown.frames)
        record = record_of(shown)
    except MediaError as error:  # no frames can be chosen; the text is shown all the same
        lines, images = [f"(cannot be shown: {error.message})"], [Image("none", _PIXEL)]
        record = None
    rendering = library.render(
        prompt,
        variables={
            **prompt_variables(in_order(task, condition), asks, question=sample.question),
            **told_by(shown_as),
        },
        pictures=images,
        replies={},
    )
    turns = tuple((role, text) for role, text in conversation_turns(rendering.messages))
    return Preview(tuple(lines), turns, rendering.awaiting, record)


def _pictures(frames: Sequence[Picture]) -> tuple[list[str], list[Image]]:
    """A line about each picture, and the picture, or a pixel where it cannot be read."""
    lines, images = [], []
    for picture in frames:
        try:
            data = picture.read()
            width, height = check(data, picture.name)
            data = portable(data, name=picture.name)
            lines.append(f"{picture.name}  ({width}x{height}, {len(data):,} bytes)")
        except MediaError as error:
            data = _PIXEL
            lines.append(f"{picture.name}  (cannot be shown: {error.message})")
        images.append(Image(picture.name, data))
    return lines, images
