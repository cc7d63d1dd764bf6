"""Long videos with micro- and macro-expressions: SAMM Long Videos, CAS(ME)^2, and the tables of ME-STR.

Families `samm-long`, `casme-sq`, `megc-str`. A video is a sample with its counts (`event_count`,
`micro_count`, `macro_count`) and the `action_units` that occur; or, with the option `window`, windows over
it are samples whose emotion is that of the event at its height in them (`harness.sources.windows`). Either
way the annotation `events` holds the true intervals. Sources: Yap, Kendrick and Yap, FG 2020 (SAMM Long);
Qu et al., IEEE TAC 2018 (CAS(ME)^2); facts of ME-STR: the challenge's own tables.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.medium import Medium
from harness.core.sample import Sample, Scalar
from harness.core.source import Skipped, Source
from harness.core.text import canonical_json, digest_file, digest_json
from harness.sources.cells import is_blank, plain, target
from harness.sources.clips import CodedMoments, clip_of, folder_of
from harness.sources.micro import emotion_of, moments_of, units_of
from harness.sources.options import Options, read_options
from harness.sources.pictures import NoFrames, natural
from harness.sources.windows import EVENTS, VIDEO, LongVideo, windows
from harness.sources.workbook import Cells, WorkbookRow, find_workbook, lines, sheets

REST = "none"
"""The emotion of a window in which no event is at its height."""
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
    """For `samm-long`: SAMM's own coding sheet, which names the emotion of each micro-expression."""
    frames: str | None = None
    """A pattern of `{subject}` and `{video}` under the root, in place of the usual folders."""
    fps: float | None = Field(default=None, gt=0)
    """Frames per second; default the set's own (200; 30; 30)."""
    window: float | None = Field(default=None, gt=0, le=60)
    """Length of the windows in seconds; without it each video is one sample."""
    kinds: tuple[Literal["micro-expression", "macro-expression"], ...] = ("micro-expression",)
    """Which events windows are about."""


class LongSource:
    """A Source over long videos, or windows over them."""

    __slots__ = (
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
    ) -> None:
        self._options, self._fields, self._family = options, fields, family
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
        for (subject, video), events in videos.items():
            medium = self._medium(subject, video)
            if self._options.window is None:
                yield self._sample(subject, video, medium, events)
            elif isinstance(medium.frames[0], NoFrames):
                missing += 1
            else:
                yield from self._windows(subject, video, medium, events)
        self._skipped = (
            (Skipped("video without frames, so without windows", missing),) if missing else ()
        )

    def digest(self) -> str:
        options = self._options.model_dump(mode="json", exclude={"root", "workbook", "emotions"})
        return digest_json({"options": options, "files": [digest_file(f) for f in self._files]})

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
        name = f"{self._family}/{video}"
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

    def _windows(
        self, subject: str, video: str, medium: Medium, events: list[Event]
    ) -> Iterator[Sample]:
        wanted = tuple(e for e in events if e["type"] in self._options.kinds and e["emotion"])
        known = wanted if self._files else None
        long = LongVideo(video, subject, medium, known)
        seconds = self._options.window or 0
        about = self._about(subject, video)
        field = next((n for n, spec in self._fields.items() if spec.one_label), "emotion")
        yield from windows(long, field=field, rest=REST, seconds=seconds, annotations=about)


_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "samm-long": ("SAMM_longvideos/{video}", "{video}"),
    "casme-sq": ("rawpic/{subject}/{video}", "{subject}/{video}", "{video}"),
    "megc-str": ("long/{video}", "{subject}/{video}", "{video}"),
}
_FPS: Mapping[str, float] = {"samm-long": 200, "casme-sq": 30, "megc-str": 30}
_BOOKS: Mapping[str, tuple[str, ...]] = {
    "samm-long": (
        "SAMM_LongVideos_V*_Release.xlsx",
        "SAMM_LongVideos*.xlsx",
        "SAMM_LongVideos*.csv",
    ),
    "casme-sq": ("CAS(ME)^2code_final*.xlsx", "CAS(ME)^2*.xlsx", "CAS(ME)^2*.csv"),
}


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
    read: Callable[[], Videos] = {
        "samm-long": partial(_samm_long, files, base, asked.emotions),
        "casme-sq": partial(_casme_sq, files),
        "megc-str": partial(_str_table, files, root),
    }[family]
    return LongSource(asked, fields, family=family, root=root, read=read, files=files)


open_samm_long = partial(open_long, family="samm-long")
open_casme_sq = partial(open_long, family="casme-sq")
open_megc_str = partial(open_long, family="megc-str")


def _samm_long(files: tuple[Path, ...], base: Path, emotions: str | None) -> Videos:
    """SAMM Long: `006_1_2` is event 2 of the video 006_1; types `Micro - 1/2` and `Macro`."""
    named: dict[str, str] = {}
    if emotions is not None:
        for line in lines(base / emotions, ("Subject", "Filename", "Estimated Emotion")):
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
        if not event["offset"]:  # written 0 where it was not coded
            event["offset"] = event["apex"] or event["onset"]
        videos[subject, video].append(event)
    return videos


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
