"""Contact sheets of many drawn faces with captions in one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import Literal, get_args

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from harness.core.errors import HarnessError
from harness.faces import ranges
from harness.faces.change import with_cue
from harness.faces.clip import clip_at, frame_at
from harness.faces.face import Face, Identity, Nuisance, Pose
from harness.faces.intervention import INTERVENTIONS
from harness.faces.long import long_frame_at
from harness.faces.long_sampling import long_at
from harness.faces.mixture import MIXTURES_EACH, mixture_at
from harness.faces.paint import draw
from harness.faces.prototypes import BASIC_8, MICRO_7
from harness.faces.sampling import face_at, identity_at
from harness.faces.units import UNIT_TABLE, both

Sheet = Literal["emotions", "tones", "ages", "units", "clip", "long", "cues", "mixtures"]
SHEETS: tuple[Sheet, ...] = get_args(Sheet)
_PAPER, _INK = (250, 250, 248), (40, 40, 44)
_CAPTION = 15
"""Pixels under each face."""


@dataclass(frozen=True, slots=True)
class SheetCell:
    """One face and what is written under it."""

    face: Face
    caption: str


def sheet(what: Sheet, *, seed: int = 0, rows: int = 4, size: int = 128) -> Image.Image:
    """A contact sheet of drawn faces of the test split.

    Args:
        what: emotions (a row for each subject), tones (the Monk scale), ages, units
            (each action unit alone, fully at work), clip (strips from onset to offset), long
            (events and moments between), cues (one person, one cue changed in each), mixtures (a
            blend from one emotion to another in each row).
        rows: rows of faces, where their number is free.
        size: side of each face in pixels.

    Raises:
        HarnessError: for an unknown sheet, or fewer than one row.
    """
    makers: dict[str, Callable[[int, int], list[list[SheetCell]]]] = {
        "emotions": _emotions,
        "tones": _tones,
        "ages": _ages,
        "units": _units,
        "clip": _clips,
        "long": _longs,
        "cues": _cues,
        "mixtures": _mixtures,
    }
    if what not in makers:
        raise HarnessError(f"sheet {what!r} is unknown", hint=f"use one of {', '.join(SHEETS)}")
    if rows < 1:
        raise HarnessError(f"a sheet of {rows} rows is empty", hint="ask for 1 or more")
    return _lay_out(makers[what](seed, rows), size)


def _lay_out(table: Sequence[Sequence[SheetCell]], size: int) -> Image.Image:
    gap = 4
    wide = max(len(row) for row in table)
    high = len(table) * (size + _CAPTION + gap) + gap
    page = Image.new("RGB", (wide * (size + gap) + gap, high), _PAPER)
    pen = ImageDraw.Draw(page)
    fonts = [ImageFont.load_default(points) for points in range(max(9, min(12, size // 10)), 5, -1)]
    for r, row in enumerate(table):
        for c, cell in enumerate(row):
            x, y = gap + c * (size + gap), gap + r * (size + _CAPTION + gap)
            page.paste(Image.fromarray(draw(cell.face, size=size).pixels), (x, y))
            fits = (f for f in fonts if pen.textlength(cell.caption, f) <= size)
            pen.text((x + 1, y + size + 1), cell.caption, fill=_INK, font=next(fits, fonts[-1]))
    return page


def _emotions(seed: int, rows: int) -> list[list[SheetCell]]:
    n = len(BASIC_8)
    table = []
    for subject in range(rows):
        faces = [face_at(subject * n + k, seed=seed, labels=BASIC_8) for k in range(n)]
        found = {face.emotion: SheetCell(face, face.emotion) for face in faces}
        table.append([found[name] for name in BASIC_8])
    return table


def _still(identity: Identity) -> Face:
    """The person at rest under plain light."""
    return Face(identity=identity, nuisance=Nuisance())


def _people(seed: int, n: int, trait: str, value: str | int) -> list[Identity]:
    """The first n people of the test split who have the trait."""
    everyone = (identity_at(number, seed=seed, split="test") for number in count())
    return list(islice((person for person in everyone if getattr(person, trait) == value), n))


def _tones(seed: int, rows: int) -> list[list[SheetCell]]:
    """A column for each tone, other people in each; every second row smiles."""
    tones = range(1, len(ranges.MONK_SCALE) + 1)
    columns = [_people(seed, rows, "skin_tone", tone) for tone in tones]
    smile = (both(6, 0.6), both(12, 0.7))
    return [
        [
            SheetCell(_still(people[row]).with_units(*(smile if row % 2 else ())), f"Monk {tone}")
            for tone, people in zip(tones, columns, strict=True)
        ]
        for row in range(rows)
    ]


def _ages(seed: int, rows: int) -> list[list[SheetCell]]:
    """A row for each age group, eight people in each."""
    return [
        [
            SheetCell(_still(person), f"{group} ({person.age:.2f})")
            for person in _people(seed, 8, "age_group", group)
        ]
        for group in ranges.AGE_GROUPS
    ]


def _plain_person(seed: int) -> Identity:
    person = identity_at(0, seed=seed, split="test")
    return replace(person, glasses="none", beard="none", hair_style="short", hairline=-0.9, age=0.0)


def _units(seed: int, rows: int) -> list[list[SheetCell]]:
    """Rows follow from the number of units."""
    rest = _still(_plain_person(seed))
    cells = [SheetCell(rest, "at rest")]
    for number, row in UNIT_TABLE.items():
        opened = (both(25, 0.6),) if number in (26, 27) else ()
        face = rest.with_units(*opened, both(number, 1.0))
        cells.append(SheetCell(face, f"{number} {row.megc}"))
    return [cells[i : i + 5] for i in range(0, len(cells), 5)]


def _clips(seed: int, rows: int) -> list[list[SheetCell]]:
    table = []
    for index in range(rows):
        clip = clip_at(index * (len(MICRO_7) + 1), seed=seed)
        middle = (clip.onset + clip.apex) // 2, (clip.apex + clip.offset) // 2
        marks = (
            (clip.onset, "onset"),
            (middle[0], ""),
            (clip.apex, f"apex, {clip.emotion}"),
            (middle[1], ""),
            (clip.offset, "offset"),
        )
        table.append([SheetCell(frame_at(clip, n), f"{n} {name}".strip()) for n, name in marks])
    return table


def _longs(seed: int, rows: int) -> list[list[SheetCell]]:
    """Each row a video: its events' apexes, and moments between them."""
    table = []
    for index in range(rows):
        spec = long_at(index * ranges.LONG_VIDEOS, seed=seed, seconds=(10.0, 12.0))
        frames = {int(n): "" for n in np.linspace(0, spec.frames - 1, 6)}
        frames |= {b.onset + (b.offset - b.onset) // 2: "blink" for b in spec.blinks[:1]}
        frames |= {e.apex: f"{e.kind[:5]} {e.emotion}" for e in spec.events[:3]}
        table.append(
            [SheetCell(long_frame_at(spec, n), f"{n} {frames[n]}".strip()) for n in sorted(frames)]
        )
    return table


def _cues(seed: int, rows: int) -> list[list[SheetCell]]:
    """One person; a row for each cue, its values one by one."""
    rest = _still(replace(_plain_person(seed), age=0.0)).with_units(both(25, 0.5))
    table = [[SheetCell(rest, "as it was")]]
    for cue, intervention in INTERVENTIONS.items():
        cells = []
        for value in intervention.values:
            wanted = value == "yes" if cue == "teeth_visible" else value
            change = {cue: wanted, "allow": ("gaze", "forehead")}
            cells.append(SheetCell(with_cue(rest, **change), f"{cue}: {value}"))  # type: ignore[arg-type]
        table.append(cells)
    return table


def _mixtures(seed: int, rows: int) -> list[list[SheetCell]]:
    table = []
    for index in range(rows):
        cells = []
        for share in (1.0, 0.75, 0.5, 0.25, 0.0):
            mixture = mixture_at(index * MIXTURES_EACH, seed=seed, share=share)
            face = replace(mixture.face, pose=Pose(), nuisance=Nuisance())
            first, second = mixture.emotions
            cells.append(SheetCell(face, f"{first} {share:g} {second}"))
        table.append(cells)
    return table
