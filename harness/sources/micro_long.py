"""Long videos with micro- and macro-expressions: SAMM Long Videos, CAS(ME)^2, CAS(ME)^3, and the tables of ME-STR.

Families `samm-long`, `casme-sq`, `casme3-long`, `megc-str`. A video is a sample with its counts (`event_count`,
`micro_count`, `macro_count`) and the `action_units` that occur; or, with the option `window`, windows over
it are samples whose emotion is that of the event at its height in them (`harness.sources.windows`). Either
way the annotation `events` holds the true intervals. Sources: Yap, Kendrick and Yap, FG 2020 (SAMM Long);
Qu et al., IEEE TAC 2018 (CAS(ME)^2); Li et al., IEEE TPAMI 2023 (CAS(ME)^3); facts of ME-STR: the challenge's
own tables.

No copy of these sets was at hand. Seen in readers that others published: the names of the sheets, that SAMM Long's has ten
rows above the data and the columns below, types `Micro - 1/2` and `Macro`, frames `006_1/006_1_0001.jpg`; that the sheet of
macro-expressions of CAS(ME)^3 is called `Sheet1` with the columns sub, seq, onset, apex, offset, emotion, frames lie in
`spNO.1/a/color/8.jpg`, and an offset of 0 is the apex. Not verified: whether coded frames count from the number in the file
name (they are taken so), how macro-expressions of CAS(ME)^3 spell the subject (`1` is read as `spNO.1`), and whether there
are videos that no sheet names (they are left out).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from harness.core.errors import HarnessError, refuse_unused
from harness.core.field import FieldSpec
from harness.core.medium import Medium
from harness.core.sample import Sample, Scalar
from harness.core.source import Skipped, Source
from harness.core.text import canonical_json, digest_file, digest_json
from harness.sources.cells import is_blank, plain, target
from harness.sources.clips import CodedMoments, clip_of, folder_of
from harness.sources.micro import CASME3, SAMM, emotion_of, moments_of, units_of
from harness.sources.options import Options, read_options
from harness.sources.pictures import NoFrames, natural
from harness.sources.windows import EVENTS, VIDEO, LongVideo, no_windows, windows
from harness.sources.workbook import Cells, WorkbookRow, find_workbook, lines, sheets

Event = dict[str, Any]
Videos = Mapping[tuple[str, str], list[Event]]
"""(subject, video) -> its events: onset, apex, offset, type, emotion, action_units."""

_SQ = ("subject", "video", "onset", "apex", "offset", "au", "emotion", "type", "selfreport")


class LongOptions(Options):
    """Options of long videos."""

    root: str
    """Folder of the videos' frames, relative to the current folder."""
    workbook: str | None = None
    """The coding sheet; for `megc-str` the table `subject,video,onset,offset,emotion`, left out where the
    true events are not known."""
    emotions: str | None = None
    """For `samm-long`: SAMM's own coding sheet, which names the emotion of each micro-expression; default: found under the
    root by its usual name. Windows need it."""
    macro: str | None = None
    """For `casme3-long`: the coding sheet of macro-expressions; default: found under the root by its usual name, if it is
    there."""
    frames: str | None = None
    """A pattern of `{subject}` and `{video}` under the root, in place of the usual folders."""
    fps: float | None = Field(default=None, gt=0)
    """Frames per second; default the set's own (200; 30; 30; 30)."""
    window: float | None = Field(default=None, gt=0, le=60)
    """Length of the windows in seconds; without it each video is one sample."""
    kinds: tuple[Literal["micro-expression", "macro-expression"], ...] = ("micro-expression",)
    """Which events windows are about."""


class LongSource:
    """A Source over long videos, or windows over them."""

    __slots__ = (
        "_beside",
        "_family",
        "_fields",
        "_files",
        "_options",
        "_patterns",
        "_read",
        "_root",
        "_skipped",
    )

    def __init__(
        self,
        options: LongOptions,
        fields: Mapping[str, FieldSpec],
        *,
        family: str,
        root: Path,
        read: Callable[[], Videos],
        files: tuple[Path, ...],
        beside: tuple[Path, ...],
    ) -> None:
        self._options, self._fields, self._family = options, fields, family
        self._beside = beside
        self._root, self._read, self._files = root, read, files
        self._skipped: tuple[Skipped, ...] = ()

    def __iter__(self) -> Iterator[Sample]:
        videos = self._read()
        if not videos:
            raise HarnessError(
                f"no videos found under {self._root}",
                hint="check source.root and source.workbook",
            )
        missing = 0
        seconds = self._options.window
        field = next((n for n, spec in self._fields.items() if spec.one_label), "emotion")
        for (subject, video), events in videos.items():
            medium = self._medium(subject, video)
            if seconds is None:
                yield self._sample(subject, video, medium, events)
            elif isinstance(medium.frames[0], NoFrames):
                missing += 1
            else:
                yield from windows(
                    self._long(subject, video, medium, events), field=field, seconds=seconds
                )
        self._skipped = (
            (Skipped("video without frames, so without windows", missing),) if missing else ()
        )

    def digest(self) -> str:
        options = self._options.model_dump(
            mode="json", exclude={"root", "workbook", "emotions", "macro"}
        )
        found: dict[str, Any] = {
            "options": options,
            "files": [digest_file(f) for f in self._files],
        }
        if self._beside:
            found["beside"] = [digest_file(f) for f in self._beside]
        return digest_json(found)

    def skipped(self) -> tuple[Skipped, ...]:
        return self._skipped

    def _medium(self, subject: str, video: str) -> Medium:
        names = {"subject": subject, "video": video}
        own = self._options.frames
        folder = folder_of(self._root, _FOLDERS[self._family] if own is None else (own,), names)
        if self._family == "casme-sq" and not folder.is_dir():  # 15_0101disgustingteeth for 15_0101
            folder = next(iter(sorted(folder.parent.glob(f"{folder.name}*"))), folder)
        return clip_of(folder, CodedMoments(), fps=self._options.fps or _FPS[self._family])[0]

    def _about(self, subject: str, video: str) -> dict[str, Scalar]:
        return {"dataset": self._family, "subject": subject, VIDEO: video}

    def _sample(self, subject: str, video: str, medium: Medium, events: list[Event]) -> Sample:
        kinds = [event["type"] for event in events]
        values: dict[str, Any] = {
            "event_count": len(events),
            "micro_count": kinds.count("micro-expression"),
            "macro_count": kinds.count("macro-expression"),
            "action_units": sorted({unit for event in events for unit in event["action_units"]}),
        }
        inside = (
            f"{subject}/" if self._family == "casme3-long" else ""
        )  # a video is called a, b, c ...
        name = f"{self._family}/{inside}{video}"
        return Sample(
            id=name,
            medium=medium,
            targets={
                field: target(values[field], spec, column=field, where=name)
                for field, spec in self._fields.items()
                if field in values and self._files
            },
            annotations={
                **self._about(subject, video), **(values if self._files else {}),
                "action_units": ", ".join(values["action_units"]), EVENTS: canonical_json(events),
            },
            cluster=subject,
        )  # fmt: skip

    def _long(self, subject: str, video: str, medium: Medium, events: list[Event]) -> LongVideo:
        wanted = tuple(e for e in events if e["type"] in self._options.kinds and e["emotion"])
        about = self._about(subject, video)
        return LongVideo(video, subject, medium, wanted if self._files else None, about)

    def long_videos(self) -> Iterator[LongVideo]:
        """Those that the windows lie over, without those that have no frames."""
        if self._options.window is None:
            raise no_windows(f"{self._family} without source.window")
        for (subject, video), events in self._read().items():
            medium = self._medium(subject, video)
            if not isinstance(medium.frames[0], NoFrames):
                yield self._long(subject, video, medium, events)


_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "samm-long": ("SAMM_longvideos/{video}", "{video}"),
    "casme-sq": ("rawpic/{subject}/{video}", "{subject}/{video}", "{video}"),
    "casme3-long": (
        "part_A/data/{subject}/{video}/color",
        "part_A/{subject}/{video}/color",
        "data/{subject}/{video}/color",
        "{subject}/{video}/color",
        "part_A/{subject}/{video}",
        "{subject}/{video}",
    ),
    "megc-str": ("long/{video}", "{subject}/{video}", "{video}"),
}
_FPS: Mapping[str, float] = {"samm-long": 200, "casme-sq": 30, "casme3-long": 30, "megc-str": 30}
_BOOKS: Mapping[str, tuple[str, ...]] = {
    "samm-long": (
        "SAMM_LongVideos_V*_Release.xlsx",
        "SAMM_LongVideos*.xlsx",
        "SAMM_LongVideos*.csv",
    ),
    "casme-sq": ("CAS(ME)^2code_final*.xlsx", "CAS(ME)^2*.xlsx", "CAS(ME)^2*.csv"),
    "casme3-long": CASME3.workbooks,
}
_MACRO = (
    "cas(me)3_part_A_MaE_label_JpgIndex_v2_emotion.xlsx",
    "cas(me)3_part_A_MaE*.xlsx",
    "cas*MaE*.csv",
)


def open_long(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path, family: str
) -> Source:
    """A source over one set's long videos. Raises HarnessError where its coding sheet is not found."""
    asked = read_options(LongOptions, options, family=family)
    root = base / asked.root
    given = None if asked.workbook is None else base / asked.workbook
    files: tuple[Path, ...] = ()
    if family != "megc-str" or given is not None:
        files = (find_workbook(root, _BOOKS.get(family, ()), given=given, family=family),)
    beside = _beside(asked, root, base, family)
    if family == "samm-long" and asked.window is not None and not beside:
        raise HarnessError(
            f"the emotions of SAMM's micro-expressions are not known: no {SAMM.workbooks[0]} under {root}",
            hint="name SAMM's own coding sheet with --set source.emotions=FILE.xlsx; the sheet of the long videos has none",
        )
    read: Callable[[], Videos] = {
        "samm-long": partial(_samm_long, files, beside),
        "casme-sq": partial(_casme_sq, files),
        "casme3-long": partial(_casme3, files, beside),
        "megc-str": partial(_str_table, files, root),
    }[family]
    return LongSource(
        asked, fields, family=family, root=root, read=read, files=files, beside=beside
    )


def _beside(asked: LongOptions, root: Path, base: Path, family: str) -> tuple[Path, ...]:
    """The second coding sheet of a set: the one named, else the one found under the root; empty where there is none.

    Raises HarnessError for one that is named and has no use, or is not there.
    """
    named = {"samm-long": ("emotions", SAMM.workbooks), "casme3-long": ("macro", _MACRO)}
    option, patterns = named.get(family, ("", ()))
    others = {
        f"source.{name}": getattr(asked, name) for name in ("emotions", "macro") if name != option
    }
    refuse_unused(f"with the source family {family}", others)
    given = getattr(asked, option) if option else None
    if given is not None:
        if not (base / given).is_file():
            raise HarnessError(
                f"source.{option}: file not found: {base / given}",
                hint="relative paths start at the current folder",
            )
        return (base / given,)
    for pattern in patterns:
        found = sorted(root.glob(pattern)) + sorted(root.glob(f"*/{pattern}"))
        if found:
            return (found[0],)
    return ()


open_samm_long = partial(open_long, family="samm-long")
open_casme_sq = partial(open_long, family="casme-sq")
open_casme3_long = partial(open_long, family="casme3-long")
open_megc_str = partial(open_long, family="megc-str")


def _samm_long(files: tuple[Path, ...], emotions: tuple[Path, ...]) -> Videos:
    """SAMM Long: `006_1_2` is event 2 of the video 006_1; types `Micro - 1/2` and `Macro`."""
    named: dict[str, str] = {}
    for sheet in emotions:
        for line in lines(sheet, ("Subject", "Filename", "Estimated Emotion")):
            named[line.text("Filename")] = emotion_of(line.text("Estimated Emotion"))
    videos: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for line in lines(files[0], ("Subject", "Filename", "Onset", "Type")):
        clip = line.text("Filename")
        parts = re.fullmatch(r"(\d+)_(\d+)(?:_\d+)?", clip)
        if parts is None:
            continue  # notes below the table
        kind = (
            "micro-expression"
            if line.text("Type").lower().startswith("mic")
            else "macro-expression"
        )
        emotion = named.get(clip, "") if kind == "micro-expression" else ""
        event = _event(line, kind=kind, emotion=emotion)
        videos[f"{int(parts[1]):03d}", f"{int(parts[1]):03d}_{parts[2]}"].append(event)
    return videos


def _casme_sq(files: tuple[Path, ...]) -> Videos:
    """CAS(ME)^2: a sheet without a header, and two that say how subjects and videos are called on disk."""
    book = sheets(files[0])
    folders, codes = _look_up(book, "rule1"), _look_up(book, "rule2")
    videos: dict[tuple[str, str], list[Event]] = defaultdict(list)
    main = next(iter(book.items()))
    for number, row in enumerate(main[1], 1):
        cells = dict(zip(_SQ, row, strict=False))
        line = WorkbookRow(f"{files[0].name}, row {number}", cells)
        if not re.fullmatch(r"\d+", line.text("subject")) or not re.fullmatch(
            r"\d+", line.text("onset")
        ):
            continue  # a header after all, or a note
        name = line.text("video")
        plain_video = re.sub(r"_\d+$", "", name)
        subject = folders.get(line.text("subject"), f"s{line.text('subject')}")
        subject = subject if subject.startswith("s") else f"s{subject}"
        code = codes.get(name) or codes.get(plain_video)
        video = f"{subject.removeprefix('s')}_{code.zfill(4)}" if code else plain_video
        kind = "micro-expression" if "micro" in line.text("type").lower() else "macro-expression"
        event = _event(line, kind=kind, emotion=emotion_of(line.text("emotion")))
        videos[subject, video].append(_with_offset(event))
    return videos


def _casme3(files: tuple[Path, ...], macro: tuple[Path, ...]) -> Videos:
    """CAS(ME)^3, part A: a sheet of micro-expressions, and one of macro-expressions where it is at hand."""
    videos: dict[tuple[str, str], list[Event]] = defaultdict(list)
    kinds = (
        ("micro-expression", files, ("Subject", "Filename", "Onset", "emotion"), CASME3.sheet),
        ("macro-expression", macro, ("sub", "seq", "onset", "offset"), None),
    )
    for kind, sheet_files, needed, sheet in kinds:
        for path in sheet_files:
            for line in lines(path, needed, sheet=sheet):
                subject, video = line.text("Subject", "sub"), line.text("Filename", "seq")
                if not re.search(r"\d", subject) or not video:
                    continue  # notes below the table
                subject = f"spNO.{subject}" if subject.isdigit() else subject
                event = _event(line, kind=kind, emotion=emotion_of(line.text("emotion")))
                videos[subject, video].append(_with_offset(event))
    return videos


def _with_offset(event: Event) -> Event:
    """An offset of 0 was not coded: the apex, else the onset, stands in."""
    return event if event["offset"] else {**event, "offset": event["apex"] or event["onset"]}


def _look_up(book: Mapping[str, list[Cells]], rule: str) -> dict[str, str]:
    """A sheet of pairs, either way round: what the coding says -> what the disk says."""
    found: dict[str, str] = {}
    for title, rows in book.items():
        if rule in title.lower().replace(" ", ""):
            for row in rows:
                pair = [plain(cell) for cell in row if not is_blank(cell)]
                if len(pair) >= 2:
                    found[pair[0]] = pair[1]
                    found.setdefault(pair[1], pair[0])
    return found


def _str_table(files: tuple[Path, ...], root: Path) -> Videos:
    """ME-STR: the table's videos; without a table every folder of frames, its events unknown."""
    if files:
        videos: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for line in lines(files[0], ("subject", "video", "onset", "offset", "emotion")):
            event = _event(line, kind="micro-expression", emotion=emotion_of(line.text("emotion")))
            videos[line.text("subject"), line.text("video")].append(event)
        return videos
    folders = sorted((p.name for p in root.iterdir() if p.is_dir()), key=natural)
    return {(name.partition("_")[0], name): [] for name in folders}


def _event(line: WorkbookRow, *, kind: str, emotion: str) -> Event:
    at = moments_of(line)
    if at.onset is None or at.offset is None:
        raise HarnessError(
            f"{line.where}: an event without onset or offset",
            hint="correct the row, or take it out",
        )
    units = units_of(line.text("Action Units", "au"))
    return {
        "onset": at.onset, "apex": at.apex or None, "offset": at.offset, "type": kind,
        "emotion": emotion, "action_units": units,
    }  # fmt: skip
