"""Aff-Wild2: expressions, valence and arousal, or action units; one line per video frame.

Kollias and Zafeiriou, arXiv 1811.07770 and later ABAW challenges. Line n of a video's file (its
header not counted) is its frame n, counted from 1. Expression -1, unit -1 and valence -5 mean that
there is none. The video is the unit of resampling. The test videos have no such files: their frames are those that an
example of a submission lists (`image_location`, then a line a frame).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import PositiveInt

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.source import Source
from harness.sources.dataset import (
    DatasetEntry,
    DatasetOptions,
    DatasetSource,
    Found,
    existing,
    label_of,
    text_lines,
)
from harness.sources.options import read_options

EXPRESSIONS: Mapping[str, str] = {
    "0": "neutral", "1": "anger", "2": "disgust", "3": "fear", "4": "happiness", "5": "sadness",
    "6": "surprise", "7": "other",
}  # fmt: skip
UNITS = ("AU1", "AU2", "AU4", "AU6", "AU7", "AU10", "AU12", "AU15", "AU23", "AU24", "AU25", "AU26")
SKIPPED = "frame without annotation"
LOCATION = "image_location"


class AffWildOptions(DatasetOptions):
    """Options of Aff-Wild2."""

    annotations: str
    """Folder of one part's text files, below the root: `EXPR_Recognition_Challenge/Validation_Set`."""
    part: Literal["expr", "va", "au"] = "expr"
    """Expressions, valence and arousal, or action units."""
    frames: str = "cropped_aligned"
    """Folder of `video/00001.jpg`, below the root."""
    every: PositiveInt = 30
    """Take every n-th frame: neighbouring frames are all but equal."""
    to_answer: str | None = None
    """A file that the challenge wants answered, relative to the folder of the task: its frames are asked, without labels."""


def open_aff_wild2(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over the frames of all videos of one part. Raises HarnessError."""
    asked = read_options(AffWildOptions, options, family="aff-wild2")
    root = base / asked.root
    offers = {"expr": ("emotion",), "va": ("valence", "arousal"), "au": ("action_units",)}
    if asked.to_answer is not None:
        file = existing(base / asked.to_answer, hint="set source.to_answer to the challenge's example of a submission")  # fmt: skip
        return DatasetSource(
            lambda: _listed(root, file, asked), asked, fields, offers=offers[asked.part], files=[file], unlabelled=True
        )  # fmt: skip
    folder = existing(
        root / asked.annotations,
        hint="source.root must be a folder with annotation files; source.annotations must be a "
        "folder of .txt files",
    )
    files = sorted(folder.glob("*.txt"))
    return DatasetSource(
        lambda: _entries(root, files, asked), asked, fields, offers=offers[asked.part], files=files
    )


def _entries(root: Path, files: list[Path], asked: AffWildOptions) -> Iterator[Found]:
    for file in files:
        for number, (line, text) in enumerate(text_lines(file)):
            # The header is line 0, so that the first frame is number 1.
            if number == 0 or (number - 1) % asked.every:
                continue
            name = f"{file.stem}/{number:05d}.jpg"
            values = _values(text, asked.part, where=f"{file.name}, line {line}")
            if values is None:
                yield SKIPPED
            else:
                yield DatasetEntry(name, root / asked.frames / name, values, subject=file.stem)


def _listed(root: Path, file: Path, asked: AffWildOptions) -> Iterator[Found]:
    """The frames of a file to be answered, every n-th of each video, from its first."""
    seen: dict[str, int] = {}
    for number, (line, text) in enumerate(text_lines(file)):
        name = text.partition(",")[0].strip()
        if number == 0:
            if name != LOCATION:
                raise HarnessError(f"{file.name}: the first line does not begin with {LOCATION}", hint="use the challenge's example of a submission")  # fmt: skip
            continue
        path = PurePosixPath(name)
        if len(path.parts) != 2 or ".." in path.parts:
            raise HarnessError(f"{file.name}, line {line}: {name[:60]!r} is not VIDEO/FRAME.jpg", hint="use the file as published")  # fmt: skip
        video = path.parts[0]
        if seen.setdefault(video, 0) % asked.every == 0:
            yield DatasetEntry(name, root / asked.frames / name, {}, subject=video)
        seen[video] += 1


def _values(text: str, part: str, *, where: str) -> dict[str, Any] | None:
    cells = [cell.strip() for cell in text.split(",")]
    if part == "expr":
        return (
            None if cells[0] == "-1" else {"emotion": label_of(cells[0], EXPRESSIONS, where=where)}
        )
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        raise HarnessError(
            f"{where}: {text[:60]!r} is not a list of numbers", hint="get the file again"
        ) from None
    wanted = 2 if part == "va" else len(UNITS)
    if len(numbers) != wanted:
        raise HarnessError(
            f"{where}: {len(numbers)} values, expected {wanted}", hint="check source.part"
        )
    if part == "va":
        return None if -5 in numbers else dict(zip(("valence", "arousal"), numbers, strict=True))
    if -1 in numbers:
        return None
    return {"action_units": [unit for unit, on in zip(UNITS, numbers, strict=True) if on > 0]}
