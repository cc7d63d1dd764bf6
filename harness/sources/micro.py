"""Clips of micro-expressions as CASME II, SAMM, SMIC and CAS(ME)^3 are distributed.

Families `casme2`, `samm`, `smic`, `casme3`: a coding sheet and folders of frames. Values offered:
`emotion` (also called `fine`), `coarse` and `action_units`. Sources: Yan et al., PLoS ONE 2014 (CASME
II); Davison et al., IEEE TAC 2018 (SAMM); Li et al., FG 2013 (SMIC); Li et al., IEEE TPAMI 2023
(CAS(ME)^3). The three coarse classes are those of MEGC 2019.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.answers.action_units import NUMBERS, number_of
from harness.core.field import FieldSpec
from harness.core.sample import Scalar
from harness.core.source import Source
from harness.sources.asked import AskedSource, Kind
from harness.sources.cells import frame_number
from harness.sources.clips import CodedMoments, clip_of, folder_of
from harness.sources.dataset import DatasetEntry, DatasetOptions, DatasetSource, Found
from harness.sources.options import read_options
from harness.sources.workbook import WorkbookRow, find_workbook, lines

OFFERS = ("emotion", "fine", "coarse", "action_units")
NO_CLIP = "row that names no clip"

COARSE: Mapping[str, str] = {
    "happiness": "positive",
    "positive": "positive",
    "surprise": "surprise",
    **dict.fromkeys(
        ("anger", "contempt", "disgust", "fear", "repression", "sadness", "negative"), "negative"
    ),
}
"""Emotion -> coarse class (MEGC 2019); others have none."""

_EMOTIONS = {
    "happy": "happiness", "sad": "sadness", "angry": "anger", "surprised": "surprise",
    "fearful": "fear", "other": "others", "repressed": "repression",
}  # fmt: skip
_BETWEEN = re.compile(r"\s*(?:[+,;&/]|\bor\b|\band\b)\s*")


class MicroOptions(DatasetOptions):
    """Options of the sets of micro-expressions."""

    workbook: str | None = None
    """The coding sheet, relative to the current folder; default: found under the root by its usual names."""
    ask: tuple[Kind, ...] = ()
    """Questions of ME-VQA to put to each clip; without any, a clip is one sample without a question."""
    frames: str | None = None
    """A pattern of `{subject}`, `{clip}`, `{emotion}` under the root, in place of the usual folders."""


@dataclass(frozen=True, slots=True)
class DatasetLayout:
    """One set as it is distributed."""

    family: str
    workbooks: tuple[str, ...]
    needed: tuple[str, ...]
    """Columns that tell the header."""
    folders: tuple[str, ...]
    subject: Callable[[str], str]
    """A subject as its folder is called."""
    fps: float
    sheet: str | None = None
    clip: str = r".+"
    """What a clip's name looks like; rows with another are notes below the table."""
    inside_video: bool = False
    """The folder holds the whole video, of which the clip is a part."""


CASME2 = DatasetLayout(
    "casme2",
    ("CASME2-coding-20190701.xlsx", "CASME2-coding*.xlsx", "CASME2*.xlsx", "CASME2*.csv"),
    ("Subject", "Filename", "OnsetFrame"),
    (
        "CASME2_RAW_selected/{subject}/{clip}", "CASME2-RAW/{subject}/{clip}",
        "Cropped/{subject}/{clip}", "{subject}/{clip}",
    ),
    lambda text: f"sub{_digits(text):02d}",
    200,
)  # fmt: skip
SAMM = DatasetLayout(
    "samm",
    ("SAMM_Micro_FACS_Codes_v2.xlsx", "SAMM_Micro*.xlsx", "SAMM_Micro*.csv"),
    ("Subject", "Filename", "Onset Frame"),
    ("SAMM/{subject}/{clip}", "{subject}/{clip}"),
    lambda text: f"{_digits(text):03d}",
    200,
)
SMIC = DatasetLayout(
    "smic",
    ("SMIC-HS-E_annotation*.xlsx", "SMIC*annotation*.xlsx", "SMIC*.csv"),
    ("Subject", "Filename", "OnsetF", "FirstF"),
    tuple(
        f"{root}{{subject}}/micro/{{emotion}}/{{clip}}"
        for root in ("SMIC_all_cropped/HS/", "SMIC_all_raw/HS/", "HS/", "")
    ),
    lambda text: f"s{_digits(text)}",
    100,
    clip=r"s\d+_.+",
)
CASME3 = DatasetLayout(
    "casme3",
    ("cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", "cas(me)3_part_A_ME*.xlsx", "cas*ME*.csv"),
    ("Subject", "Filename", "Onset", "emotion"),
    (
        "part_A/{subject}/{clip}/color", "part_A/{subject}/{clip}",
        "{subject}/{clip}/color", "{subject}/{clip}",
    ),
    lambda text: text,
    30,
    sheet="label",
    inside_video=True,
)  # fmt: skip


def open_micro(
    options: Mapping[str, Any],
    *,
    fields: Mapping[str, FieldSpec],
    base: Path,
    layout: DatasetLayout,
) -> Source:
    """A source over the clips of one set. Raises HarnessError where its coding sheet is not found."""
    asked = read_options(MicroOptions, options, family=layout.family)
    root = base / asked.root
    given = None if asked.workbook is None else base / asked.workbook
    book = find_workbook(root, layout.workbooks, given=given, family=layout.family)
    source = DatasetSource(
        lambda: _entries(book, root, asked, layout), asked, fields, offers=OFFERS, files=[book]
    )
    return AskedSource(source, asked.ask) if asked.ask else source


open_casme2 = partial(open_micro, layout=CASME2)
open_samm = partial(open_micro, layout=SAMM)
open_smic = partial(open_micro, layout=SMIC)
open_casme3 = partial(open_micro, layout=CASME3)


def emotion_of(text: str) -> str:
    """A set's own word in the canonical vocabulary: `Happiness` and `happy` are `happiness`."""
    word = text.strip().lower()
    return _EMOTIONS.get(word, word)


def units_of(text: str) -> list[str]:
    """Names of the action units in `4+L10` or `R12B or AU14`; a code that is not known stays as it is."""
    codes = [code for code in _BETWEEN.split(text.strip()) if code and code != "?"]
    numbers = [(number_of(code.strip("() ?")), code) for code in codes]
    return list(dict.fromkeys(NUMBERS[n] if n is not None else code for n, code in numbers))


def _entries(book: Path, root: Path, asked: MicroOptions, layout: DatasetLayout) -> Iterator[Found]:
    for line in lines(book, layout.needed, sheet=layout.sheet):
        clip = line.text("Filename")
        subject = line.text("Subject")
        if not re.fullmatch(layout.clip, clip) or not re.search(r"\d", subject):
            yield NO_CLIP
            continue
        names = {
            "subject": layout.subject(subject),
            "clip": clip,
            "emotion": emotion_of(line.text("Estimated Emotion", "Emotion")),
        }
        patterns = layout.folders if asked.frames is None else (asked.frames,)
        yield _entry(line, names, folder_of(root, patterns, names), layout)


def _entry(
    line: WorkbookRow, names: Mapping[str, str], folder: Path, layout: DatasetLayout
) -> DatasetEntry:
    emotion, codes = names["emotion"], line.text("Action Units", "AU", "AUs")
    at = moments_of(line)
    sample_id = f"{layout.family}/{names['subject']}/{names['clip']}"
    if layout.inside_video:
        sample_id += f"/{at.onset}"
    medium, told = clip_of(folder, at, fps=layout.fps, cut=layout.inside_video, where=line.where)
    notes: dict[str, Scalar] = {"dataset": layout.family, **names, **told}
    for name, columns in (
        ("objective_class", ("Objective Classes", "Objective class", "Objective")),
        ("inducement", ("Inducement Code",)),
    ):
        if line.text(*columns):
            notes[name] = line.text(*columns)
    values: dict[str, Any] = {"emotion": emotion or None, "fine": emotion or None}
    values["coarse"] = COARSE.get(emotion)
    if codes:
        notes["au_codes"] = codes
        values["action_units"] = units_of(codes)
    return DatasetEntry(
        sample_id, medium, values, notes, subject=f"{layout.family}/{names['subject']}"
    )


def moments_of(line: WorkbookRow) -> CodedMoments:
    """Onset, apex and offset of a row under the names that the sets give them; `/` is not coded."""

    def number(*names: str) -> int | None:
        return frame_number(line.get(*names), column=names[0], where=line.where)

    return CodedMoments(
        onset=number("Onset Frame", "OnsetF", "Onset"),
        apex=number("Apex Frame", "ApexF", "Apex"),
        offset=number("Offset Frame", "OffsetF", "Offset"),
        first=number("FirstF"),
    )


def _digits(text: str) -> int:
    found = re.search(r"\d+", text)
    return int(found[0]) if found else 0
