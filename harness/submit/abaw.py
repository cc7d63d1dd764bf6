"""ABAW (Affective Behavior Analysis in-the-wild): valence and arousal, expressions, action units, one line a frame.

The files to be answered are the organisers' examples (`..._ABAW_VA_test_set_example.txt`): a header that begins with
`image_location`, then a line a frame. Their layout was read in the public code of participants of the 5th to the 10th
edition; the name `predictions.txt` of the upload is that of several of them and was not seen confirmed.
Metrics: Kollias et al. (arXiv 2402.19344), section 2.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import numpy as np

from harness.core.errors import HarnessError
from harness.core.text import counted, digest_file
from harness.submit.choice import Choice, Given
from harness.submit.findings import Findings, name_rows
from harness.submit.form import Answers, Asked, Draft, Options, no_labels
from harness.submit.frame_scores import (
    EXPRESSION_NAMES,
    MEASURES,
    UNITS,
    What,
    unit_cells,
)
from harness.submit.items import (
    answers_to,
    order_faults,
    read_each,
    read_text,
    refuse_missing,
    refuse_unnamed,
    refuse_unusable,
    the_only,
    used,
)
from harness.submit.local_score import LocalScore
from harness.submit.text import decoded, whole_number

LOCATION = "image_location"
_PLAIN = re.compile(r" *[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})? *", re.ASCII)
"""A number as every reader takes it; Python's own `float` also takes `1_0`, other digits and spaces."""
_ABSENT: Mapping[What, float] = MappingProxyType({"va": -5, "expr": -1, "au": -1})
"""How files of true values mark a frame without a label."""
_NEAREST = "nearest"
_FILL = "; or --fill nearest takes the answer of the nearest answered frame of the same video"


@dataclass(frozen=True, slots=True)
class Frames:
    """A file to be answered."""

    header: str
    locations: tuple[str, ...]
    """`VIDEO/FRAME.jpg`, in the file's order."""


@dataclass(frozen=True, slots=True)
class FrameForm:
    """One of the three challenges of frames."""

    name: str
    description: str
    what: What
    columns: tuple[str, ...]
    """The header behind `image_location`."""
    fields: tuple[str, ...]
    """Task fields that answer it, the first that a run has; all of them for `va`."""
    files: tuple[str, ...] = field(default=())
    unconfirmed: str = "the name predictions.txt and the layout of the zip file are"

    def read(self, path: Path) -> Asked:
        """Read a file of frames. Raises HarnessError for another challenge's header, and naming a row at fault."""
        header, rows = _lines(read_text(path, "--to-answer"))
        if header.lower() != ",".join((LOCATION, *self.columns)).lower():
            raise HarnessError(
                f"{path.name}: the header is {header[:120]!r}",
                hint=f"{self.name} answers files that begin with {','.join((LOCATION, *self.columns))}",
            )
        locations = tuple(row.partition(",")[0].strip() for row in rows)
        refuse_unnamed(path.name, locations, what="frame", column=LOCATION)
        return Asked(path, digest_file(path), "predictions.txt", Frames(header, locations), False)

    def answer(
        self, asked: Sequence[Asked], runs: Sequence[Path], choice: Choice, options: Options
    ) -> Answers:
        """One line a frame, in the order of the file."""
        no_labels(self.name, options)
        for text in options.fill:
            if text != _NEAREST:
                raise HarnessError(f"--fill {text!r} has no effect for {self.name}", hint="use --fill nearest, or leave it out")  # fmt: skip
        one = the_only(asked, self.name)
        return Answers((self._draft(one, runs, choice, bool(options.fill)),))

    def _draft(self, asked: Asked, runs: Sequence[Path], choice: Choice, nearest: bool) -> Draft:
        frames: Frames = asked.content
        given = answers_to(asked.path.name, frames.locations, runs, choice)
        found = read_each(frames.locations, given, self._cells, self.fields)
        values, filled = found.values, 0
        if nearest:
            values = nearest_answers(frames.locations, found.values, asked.path.name)
            filled = len(values) - len(found.values)
        else:
            refuse_missing(asked.path.name, found.absent, fill=_FILL)
            refuse_unusable(asked.path.name, found.lacking, fill=_FILL if found.values else "")
        body = "".join(f"{location},{values[location]}\n" for location in frames.locations)
        notes = [f"{len(found.values):,} of {len(frames.locations):,} frames from replies"]
        if filled:
            notes.append(f"{filled:,} frames took the answer of the nearest answered frame of their video")  # fmt: skip
        entry = {
            "filled_nearest": filled,
            "unusable": len(found.lacking),
            "not_asked": len(found.absent),
        }
        return Draft(asked, f"{frames.header}\n{body}".encode(), used(given), entry, tuple(notes))

    def _cells(self, given: Given) -> str | None:
        """The cells of one line; None without a usable answer."""
        values = [given.answers[name].value for name in self.fields if name in given.answers]
        if self.what == "va":
            numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
            inside = len(numbers) == 2 and all(-1 <= v <= 1 for v in numbers)
            return ",".join(f"{v:.4f}" for v in numbers) if inside else None
        if not values or values[0] is None:
            return None
        if self.what == "expr":
            label = str(values[0]).lower()
            return str(EXPRESSION_NAMES.index(label)) if label in EXPRESSION_NAMES else None
        named = values[0]
        if isinstance(named, str) or not isinstance(named, Iterable):
            return None
        return unit_cells([str(unit) for unit in named])

    def check(self, data: bytes, asked: Asked, options: Options, *, name: str) -> Findings:
        """Header, frames and values. Warns where nearly all rows say the same."""
        frames: Frames = asked.content
        text = decoded(data)
        if text.unreadable:
            return Findings(name, 0, (text.unreadable,), ())
        header, rows = _lines(text.text)
        faults = list(text.faults)
        if header != frames.header:
            faults.append(f"the header is {header[:120]!r}, not {frames.header!r}")
        cells = [row.split(",") for row in rows]
        faults += order_faults([one[0].strip() for one in cells], frames.locations, what="frame")
        bad = [at for at, one in enumerate(cells, start=1) if self._numbers(one[1:]) is None and rows[at - 1].strip()]  # fmt: skip
        if bad:
            faults.append(f"{name_rows(bad)}: {self._wanted}")
        warnings = (*text.warnings, *_collapse(cells), *(_idle(cells) if self.what == "au" else ()))
        return Findings(name, len(rows), tuple(faults), warnings)

    @property
    def _wanted(self) -> str:
        return {
            "va": "not two numbers from -1 to 1",
            "expr": f"not a class number from 0 to {len(EXPRESSION_NAMES) - 1}",
            "au": f"not {len(UNITS)} cells of 0 or 1",
        }[self.what]

    def _numbers(self, cells: Sequence[str]) -> tuple[float, ...] | None:
        """The values of a line; None where they are not what the challenge wants."""
        if not all(_PLAIN.fullmatch(cell) for cell in cells):
            return None
        found = tuple(float(cell) for cell in cells)
        if any(not math.isfinite(one) for one in found):
            return None
        if self.what == "va":
            return found if len(found) == 2 and all(-1 <= one <= 1 for one in found) else None
        if self.what == "expr":
            return found if len(found) == 1 and found[0] in range(len(EXPRESSION_NAMES)) else None
        return found if len(found) == len(UNITS) and set(found) <= {0.0, 1.0} else None

    def score(self, data: bytes, asked: Asked, truth: Path) -> LocalScore:
        """CCC, macro F1 over classes, or macro F1 over units. Frames marked as without a label are left out.

        Raises HarnessError where `truth` (the same layout) labels none of the frames.
        """
        frames: Frames = asked.content
        said = self._read(decoded(data).text)
        told = read_text(truth, "--truth")
        header, lines = _lines(told)
        if header.lower() != frames.header.lower():
            raise HarnessError(
                f"{truth.name}: the header is {header[:120]!r}",
                hint=f"give lines of the same layout, {frames.header}, with the true values",
            )
        named = [line.partition(",")[0].strip() for line in lines]
        refuse_unnamed(truth.name, named, what="frame", column=LOCATION)
        right = self._true(told, truth.name)
        rows = [one for one in frames.locations if right.get(one) is not None]
        if not rows:
            raise HarnessError(
                f"{truth.name} labels no frame of {asked.path.name}",
                hint=f"give lines of the same layout, {frames.header}, with the true values",
            )
        truths = [right[one] or () for one in rows]
        given = [said.get(one) for one in rows]
        videos = [str(PurePosixPath(one).parent) for one in rows]
        figures = MEASURES[self.what](truths, given, videos)
        left = len(frames.locations) - len(rows)
        notes = [f"left out, without a true value: {counted(left, 'frame')}"] if left else []
        if self.what == "expr":
            notes.append("F1 is over the classes that occur in the truth; the challenge averages over all eight")  # fmt: skip
        if self.what == "au":
            notes.append("F1 is over the units that occur in the truth; the challenge averages over all twelve")  # fmt: skip
        return LocalScore(tuple(figures), "videos", tuple(notes))

    def _true(self, text: str, file: str) -> dict[str, tuple[float, ...] | None]:
        """Frame -> its true values; None for one that is marked as without. Raises HarnessError naming other rows."""
        found = self._read(text)
        bad = [
            at
            for at, row in enumerate(_lines(text)[1], start=1)
            if found[row.split(",")[0].strip()] is None and not self._unlabelled(row.split(",")[1:])
        ]
        if bad:
            raise HarnessError(
                f"{file}, {name_rows(bad)}: {self._wanted}, and not marked as without a label",
                hint=f"a frame without a label has {_ABSENT[self.what]:g}",
            )
        return found

    def _unlabelled(self, cells: Sequence[str]) -> bool:
        """Whether a line of true values says that the frame has none: nothing, or the mark in one of its cells."""
        if not any(cell.strip() for cell in cells):
            return True
        numbers = [float(cell) if _PLAIN.fullmatch(cell) else math.nan for cell in cells]
        return _ABSENT[self.what] in numbers

    def _read(self, text: str) -> dict[str, tuple[float, ...] | None]:
        return {
            cells[0].strip(): self._numbers(cells[1:])
            for cells in (row.split(",") for row in _lines(text)[1])
        }


def _lines(text: str) -> tuple[str, list[str]]:
    """The header, and the lines behind it; blank lines at the end are let pass."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    return (lines[0].strip(" ") if lines else ""), lines[1:]


def nearest_answers(
    locations: Sequence[str], values: Mapping[str, str], file: str
) -> dict[str, str]:
    """The answer of each frame: its own, else that of the nearest answered one of its video, the earlier of two."""
    by_video: dict[str, list[str]] = {}
    for location in locations:
        by_video.setdefault(str(PurePosixPath(location).parent), []).append(location)
    found = dict(values)
    for video, frames in by_video.items():
        places = _places(frames)
        answered = [at for at, one in enumerate(frames) if one in values]
        have = places[answered]
        if not have.size:
            raise HarnessError(
                f"{file}: no frame of the video {video!r} has a usable answer",
                hint="--fill nearest needs one answered frame a video",
            )
        for at, one in enumerate(frames):
            if one not in values:
                found[one] = values[frames[answered[int(np.abs(have - places[at]).argmin())]]]
    return found


def _places(frames: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The numbers that name the frames of a video, of which the file may leave some out; else their order in the file."""
    numbers = [whole_number(PurePosixPath(one).stem) for one in frames]
    known = [number for number in numbers if number is not None]
    return np.array(known if len(known) == len(frames) else range(len(frames)), dtype=np.int64)


def _collapse(cells: Sequence[Sequence[str]]) -> Iterable[str]:
    counted = Counter(",".join(cell.strip() for cell in one[1:]) for one in cells)
    top = max(counted.items(), key=lambda item: item[1], default=("", 0))
    if len(cells) >= 20 and top[1] >= 0.95 * len(cells):
        yield f"the same answer in {top[1]:,} of {len(cells):,} rows: {top[0][:60]!r}"


def _idle(cells: Sequence[Sequence[str]]) -> Iterable[str]:
    """Units that no row shows, which a model was perhaps never asked for."""
    idle = [unit for at, unit in enumerate(UNITS, start=1) if all(one[at : at + 1] == ["0"] for one in cells)]  # fmt: skip
    if len(cells) >= 20 and idle:
        yield f"shown in no row: {', '.join(idle)}"


_SEEN = "one line a frame; upload name and zip not confirmed"
VALENCE_AROUSAL = FrameForm(
    "abaw-va",
    f"ABAW: valence and arousal, {_SEEN}",
    "va",
    ("valence", "arousal"),
    ("valence", "arousal"),
)
EXPRESSIONS = FrameForm(
    "abaw-expr", f"ABAW: eight expressions, {_SEEN}", "expr",
    tuple(name.title() for name in EXPRESSION_NAMES), ("emotion", "expression"),
)  # fmt: skip
ACTION_UNITS = FrameForm(
    "abaw-au", f"ABAW: twelve action units, {_SEEN}", "au", UNITS, ("action_units", "units")
)
