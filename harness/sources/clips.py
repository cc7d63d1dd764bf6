"""Folders of frames as clips: the folder, the numbering of its frames, and the range of the clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import HarnessError
from harness.core.medium import Medium
from harness.core.sample import Scalar
from harness.sources.ids import fault_of
from harness.sources.pictures import NoFrames, clip_numbers, frames_of


@dataclass(frozen=True, slots=True)
class CodedMoments:
    """Frame numbers as a coding sheet has them; None where it has none."""

    onset: int | None = None
    apex: int | None = None
    offset: int | None = None
    first: int | None = None
    """The number at which the sheet begins to count where frame files begin at 0 (SMIC's FirstF)."""


def folder_of(root: Path, patterns: Sequence[str], names: Mapping[str, str]) -> Path:
    """The first folder of these patterns that is there, else the first of them.

    Raises HarnessError for a name that leads out of the root, and for a pattern of an unknown name.
    """
    for name, value in names.items():
        if value and fault_of(value):
            raise HarnessError(
                f"{name} {value[:80]!r} is not a folder name", hint="correct the coding sheet"
            )
    try:
        places = [root / pattern.format_map(names) for pattern in patterns]
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        raise HarnessError(
            f"source.frames: {patterns[0]!r} cannot be filled in: {error}",
            hint=f"it can use {', '.join('{' + name + '}' for name in names)}",
        ) from None
    return next((place for place in places if place.is_dir()), places[0])


def clip_of(
    folder: Path, at: CodedMoments, *, fps: float | None, cut: bool = False, where: str = ""
) -> tuple[Medium, dict[str, Scalar]]:
    """The clip in a folder, and notes on what of the coding sheet was not used.

    Frames carry the numbers in their file names where these rise. Where the sheet's onset and offset
    lie outside them and it has a `first`, it counts from there. A moment that still lies outside the
    frames is not used, and told in the notes. `cut` keeps the frames from onset to offset only.
    """
    frames = frames_of(folder.name, root=folder.parent, name=str(folder), where=where)
    if isinstance(frames[0], NoFrames):
        return Medium("clip", frames, (0,), fps, at.onset, at.apex, at.offset), {}
    numbers = clip_numbers(frames)
    inside = [n for n in (at.onset, at.offset) if n is not None and numbers[0] <= n <= numbers[-1]]
    shift = at.first if at.first is not None and not inside else 0
    kept: dict[str, int | None] = {}
    notes: dict[str, Scalar] = {}
    for name, written in (("onset", at.onset), ("apex", at.apex), ("offset", at.offset)):
        number = None if written is None else written - shift
        if number is not None and not numbers[0] <= number <= numbers[-1]:
            notes[f"{name}_not_used"] = f"{written} outside frames {numbers[0]} to {numbers[-1]}"
            number = None
        kept[name] = number
    if cut and kept["onset"] is not None and kept["offset"] is not None:
        low, high = kept["onset"], kept["offset"]
        chosen = [k for k, number in enumerate(numbers) if low <= number <= high]
        frames = tuple(frames[k] for k in chosen) or (NoFrames(str(folder)),)
        numbers = tuple(numbers[k] for k in chosen) or (0,)
    return Medium("clip", frames, numbers, fps, kept["onset"], kept["apex"], kept["offset"]), notes
