"""Pictures of filmstrips: what a model was shown, and what its tools gave, made again from the calls that are recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.analyses.keys import is_blank
from harness.conditions.mixture import mixes
from harness.conditions.presentation import read_presentation
from harness.core.errors import HarnessError, MediaError
from harness.core.picture import HeldPicture
from harness.core.sample import Sample
from harness.core.task import Task
from harness.core.tool import Call
from harness.core.tools_asked import NOISE, ToolsAsked, read_tools
from harness.report.films import Film, Step, choose_films, film_steps, read_talks
from harness.report.inputs import RunView
from harness.report.pictures import (
    DRAWN,
    PEOPLE,
    Opener,
    data_url,
    samples_of,
    shown_pictures,
    thumbnail,
)
from harness.run.toolboxes import frames_under, true_region
from harness.sources import open_source
from harness.tools.registry import load_tools
from harness.tools.toolbox import TOOLBOX_VERSION, BoundTools, Donor

MOST_BYTES = 3_000_000
"""Of all pictures of filmstrips on a page, as they are embedded."""
SIDE = 448
"""Pixels of the longer side of what tools gave, where the protocol says nothing."""

PictureUrls = Mapping[int, Sequence[str]]
"""Number of a call, -1 for what was shown first -> data URLs."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One step with its pictures."""

    step: Step
    pictures: tuple[str, ...] = ()
    """Data URLs."""
    hidden: int = 0
    """How many more the model was shown that are not shown here."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One trial with its pictures."""

    film: Film
    shots: tuple[Shot, ...]


@dataclass(slots=True)
class Strips:
    """The filmstrips of a page."""

    tasks: dict[str, list[tuple[str, list[Strip]]]] = field(default_factory=dict)
    """Task -> (cell in words, its strips)."""
    notes: dict[str, str] = field(default_factory=dict)
    """Why pictures are not shown -> task."""


def collect_strips(view: RunView, *, own: bool = False, opener: Opener = open_source) -> Strips:
    """The filmstrips of a run; nothing where no cell has tools.

    `own`: with pictures of people too. `opener` opens a task's source. What goes wrong with a source becomes a note; with
    `own` it is an error.
    """
    films = choose_films(view)
    talks = read_talks(view, films)
    found = Strips()
    left = MOST_BYTES
    for name, task in view.tasks.items():
        mine = [film for film in films if film.task == name]
        pictures: list[PictureUrls] = [{} for _ in mine]
        if mine and (own or task.source.get("family") == DRAWN):
            try:
                pictures = list(_redone(view, task, mine, opener))
            except HarnessError as error:
                if own:
                    raise
                found.notes[name] = f"Pictures could not be drawn again: {error.message}"
        elif mine:
            found.notes[name] = PEOPLE
        for film, made in zip(mine, pictures, strict=True):
            size = sum(len(url) for some in made.values() for url in some)
            urls = made if size <= left else {}
            if made and not urls:
                found.notes[name] = "Pictures are shown in the first filmstrips only."
            left -= size if urls else 0
            talk = talks.get((film.cell["id"], film.repeat, film.sample))
            shots = tuple(_shot(film, step, urls) for step in film_steps(film, talk))
            cells = found.tasks.setdefault(name, [])
            if not cells or cells[-1][0] != film.name:
                cells.append((film.name, []))
            cells[-1][1].append(Strip(film, shots))
    return found


def _shot(film: Film, step: Step, urls: PictureUrls) -> Shot:
    if step.kind == "shown":
        held = tuple(urls.get(-1, ()))
        return Shot(step, held, hidden=0 if held else 1)
    if step.kind != "seen" or step.call < 0:
        return Shot(step)
    held = tuple(urls.get(step.call, ()))
    return Shot(step, held, hidden=max(0, int(film.calls[step.call][4]) - len(held)))


def _redone(
    view: RunView, task: Task, films: Sequence[Film], opener: Opener
) -> Iterator[PictureUrls]:
    source = opener(task.source, fields=task.fields, base=Path())
    drawn = task.source.get("family") == DRAWN
    if drawn and source.digest() != view.manifest["tasks"][task.name]["data_digest"]:
        raise HarnessError("this version draws these faces differently from the version that ran")
    donors = {str(call[5]) for film in films for call in film.calls if call[5]}
    samples = samples_of(source, {film.sample for film in films} | donors)
    for film in films:
        try:
            yield dict(_pictures(film, task, samples))
        except MediaError:
            if drawn:
                raise
            yield {}


def _pictures(
    film: Film, task: Task, samples: Mapping[str, Sample]
) -> Iterator[tuple[int, Sequence[str]]]:
    """What was shown, and what each call gave; nothing of a mixture, which another sample is part of."""
    shown = read_presentation(film.cell["condition"])
    view = shown.load()
    if film.sample not in samples or mixes(view):
        return
    mine = samples[film.sample]
    if not is_blank(film.cell["condition"]):
        yield -1, [data_url(thumbnail(p)) for _, p in shown_pictures(mine, task, view)]
    settings: Mapping[str, Any] = film.cell.get("tool_settings", {})
    asked = read_tools(film.cell["tools"])
    tools = load_tools(() if asked is None else asked.names)
    same = {tool.name: tool.version for tool in tools} == settings.get("versions")
    if asked is None or not same or settings.get("toolbox") != TOOLBOX_VERSION:
        return
    side = int(settings.get("protocol", {}).get("side", SIDE))
    frames = frames_under(mine.medium, view)
    region = true_region(asked, mine, frames)
    for number, (_, name, arguments, _, count, donor) in enumerate(film.calls):
        given = _arguments(arguments) if count else None
        if given is None or (donor and donor not in samples):
            continue
        lender = Donor(donor, frames_under(samples[donor].medium, view)) if donor else None
        box = BoundTools(tools, _as_it_was(asked, donor), frames, lender, region=region)
        seen = box.use(Call(name, given), side=side)
        held = [HeldPicture(one.name, one.data) for one in seen.pictures[:count]]
        yield number, [data_url(thumbnail(picture)) for picture in held]


def _as_it_was(asked: ToolsAsked, donor: str) -> ToolsAsked:
    """The toolbox as one call found it: of one that lies now and then, a lie or the truth."""
    if asked.alteration != NOISE:
        return asked
    return replace(asked, alteration="swap" if donor else "", share=0.0)


def _arguments(written: str) -> Mapping[str, Any] | None:
    """The arguments as they are recorded; None where they were cut."""
    try:
        found = json.loads(written)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
