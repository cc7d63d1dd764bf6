"""Miniatures of SAMM Long Videos and CAS(ME)^3 as they are distributed, with drawn frames."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
from PIL import Image

from harness.faces import LongSpec, draw, long_at, long_frame_at
from harness.faces.points import marks_of

SIZE = 112
VIDEO = 2


def video() -> LongSpec:
    """Five seconds with a micro- and a macro-expression."""
    return long_at(VIDEO, seed=2, split="train", seconds=(5, 5.5))


def sheet(path: Path, title: str, *rows: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(path)


def frames(folder: Path, spec: LongSpec, name: Callable[[int], str]) -> None:
    """The frames, numbered from 1."""
    folder.mkdir(parents=True)
    for at in range(spec.frames):
        pixels = draw(long_frame_at(spec, at), size=SIZE).pixels
        Image.fromarray(pixels).save(folder / name(at + 1), quality=95)


def landmarks(path: Path, spec: LongSpec, samples: Iterator[tuple[str, int]]) -> None:
    """A table of the landmarks at the first frame of each window: (sample, number of the frame, from 1)."""
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["sample", "landmarks"])
        for name, number in samples:
            points = marks_of(long_frame_at(spec, number - 1), size=SIZE).points
            table.writerow([name, " ".join(f"{x:.2f} {y:.2f}" for x, y in points)])


def events(spec: LongSpec, *, micro: bool) -> list[tuple[int, int, int, str]]:
    """(onset, apex, offset, emotion), frames from 1."""
    kind = "micro-expression" if micro else "macro-expression"
    return [
        (e.onset + 1, e.apex + 1, e.offset + 1, e.emotion) for e in spec.events if e.kind == kind
    ]


def samm(root: Path, spec: LongSpec) -> None:
    """SAMM_longvideos/006_1/006_1_0001.jpg, the sheet with ten rows above the data, SAMM's own with the emotions."""
    frames(root / "SAMM_longvideos" / "006_1", spec, lambda n: f"006_1_{n:04d}.jpg")
    head = [
        "Subject",
        "Filename",
        "Inducement Code",
        "Onset",
        "Apex",
        "Offset",
        "Duration",
        "Type",
        "Action Units",
        "Notes",
    ]
    rows, emotions, number = [], [], 1
    for micro in (True, False):
        for onset, apex, offset, emotion in events(spec, micro=micro):
            number += 1
            clip, kind = f"006_1_{number}", "Micro - 1/2" if micro else "Macro"
            rows.append([6, clip, 1, onset, apex, offset, offset - onset + 1, kind, "4", ""])
            if micro:
                emotions.append(["006", clip, emotion.capitalize()])
    notes = [["SAMM Long Videos"], *[["note"]] * 8]
    sheet(root / "SAMM_LongVideos_V3_Release.xlsx", "Release", *notes, head, *rows)
    sheet(root / "SAMM_Micro_FACS_Codes_v2.xlsx", "Codes", ["Subject", "Filename", "Estimated Emotion"], *emotions)  # fmt: skip


_CASME = {"happiness": "happy", "sadness": "sad"}


def casme3(root: Path, spec: LongSpec) -> None:
    """part_A/data/spNO.1/a/color/1.jpg and the sheets of micro- and macro-expressions."""
    frames(root / "part_A" / "data" / "spNO.1" / "a" / "color", spec, lambda n: f"{n}.jpg")
    micro = [
        ["spNO.1", "a", onset, apex, offset, "4", "I", _CASME.get(emotion, emotion)]
        for onset, apex, offset, emotion in events(spec, micro=True)
    ]
    macro = [["1", "a", onset, apex, 0, "happy"] for onset, apex, _, _ in events(spec, micro=False)]
    sheet(
        root / "annotation" / "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", "label",
        ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"], *micro,
    )  # fmt: skip
    sheet(
        root / "annotation" / "cas(me)3_part_A_MaE_label_JpgIndex_v2_emotion.xlsx", "Sheet1",
        ["sub", "seq", "onset", "apex", "offset", "emotion"], *macro,
    )  # fmt: skip
