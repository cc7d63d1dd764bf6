"""Sets of micro-expressions in the layouts in which they are distributed, with invented rows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import HarnessError, MediaError
from harness.core.field import FieldSpec
from harness.core.sample import Sample
from harness.sources import open_source
from harness.sources.megc_questions import question_kind
from harness.sources.micro import units_of

openpyxl = pytest.importorskip("openpyxl")

FIELDS = {
    "emotion": FieldSpec(kind="label"),
    "coarse": FieldSpec(kind="label"),
    "action_units": FieldSpec(kind="set"),
}
Book = Callable[..., None]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """Write a workbook: book("name.xlsx", Sheet=[rows])."""

    def write(name: str, **sheets: list[list[Any]]) -> None:
        made = openpyxl.Workbook()
        made.remove(made.active)
        for title, rows in sheets.items():
            sheet = made.create_sheet(title.replace("__", " "))
            for row in rows:
                sheet.append(row)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        made.save(path)

    return write


@pytest.fixture
def frames(tmp_path: Path, png: bytes) -> Callable[..., None]:
    def write(folder: str, names: list[str]) -> None:
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            (place / name).write_bytes(png)

    return write


def read(base: Path, family: str, *, fields: Any = None, **options: Any) -> list[Sample]:
    asked = {"family": family, "root": ".", **options}
    return list(open_source(asked, fields=fields or FIELDS, base=base))


def shown(sample: Sample) -> tuple[Any, ...]:
    m = sample.medium
    return m.onset, m.apex, m.offset, m.indices


def test_casme2(tmp_path: Path, book: Book, frames: Callable[..., None]) -> None:
    book(
        "CASME2-coding-20190701.xlsx",
        Sheet1=[
            ["Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None,
             "Action Units", "Estimated Emotion"],
            [1, "EP02_01f", None, 46, 59, 86, None, "12", "happiness"],
            [4, "EP12_01f", None, 8, "/", 12, None, "4+L10", "Disgust"],
            [26, "EP03_01", None, 1, 2, 3, None, "R12B or AU14+?", "others"],
        ],
    )  # fmt: skip
    frames("CASME2_RAW_selected/sub01/EP02_01f", [f"img{n}.jpg" for n in range(46, 87)])
    frames("Cropped/sub04/EP12_01f", [f"reg_img{n}.jpg" for n in range(8, 13)])
    first, second, third = read(tmp_path, "casme2")
    assert first.id == "casme2/sub01/EP02_01f"
    assert first.cluster == "casme2/sub01"
    assert dict(first.targets) == {
        "emotion": "happiness", "coarse": "positive", "action_units": ("lip corner puller",),
    }  # fmt: skip
    assert shown(first) == (46, 59, 86, tuple(range(46, 87)))
    assert first.medium.fps == 200
    assert shown(second) == (8, None, 12, (8, 9, 10, 11, 12))
    assert second.targets["action_units"] == ("brow lowerer", "upper lip raiser")
    assert second.annotations["au_codes"] == "4+L10"
    assert "coarse" not in third.targets, "others belong to no coarse class"
    with pytest.raises(MediaError, match="no frames found"):
        third.medium.frames[0].read()


def test_samm_has_its_header_below_a_page_of_notes(
    tmp_path: Path, book: Book, frames: Callable[..., None]
) -> None:
    notes: list[list[Any]] = [["SAMM"], [], ["For the 3DFACS see ..."], *[[None]] * 10]
    book(
        "SAMM_Micro_FACS_Codes_v2.xlsx",
        Codes=[
            *notes,
            ["Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame",
             "Duration", "Micro", "Action Units", "Estimated Emotion", "Objective Classes"],
            [6, "006_1_2", 1, 5562, 5588, 5632, 71, "1/2", "4+7", "Anger", 3],
            ["011", "011_1_1", 1, 10, 9999, 12, 3, "1/2", "AU99", "Other", 7],
        ],
    )  # fmt: skip
    frames("006/006_1_2", [f"006_{n:05d}.jpg" for n in range(5562, 5633)])
    frames("011/011_1_1", ["011_00010.jpg", "011_00011.jpg", "011_00012.jpg"])
    first, second = read(tmp_path, "samm")
    assert (first.id, first.annotations["subject"]) == ("samm/006/006_1_2", "006")
    assert shown(first)[:3] == (5562, 5588, 5632)
    assert first.annotations["objective_class"] == "3"
    assert second.targets["emotion"] == "others"
    assert second.targets["action_units"] == ("AU99",), "an unknown unit is kept as it stands"
    assert shown(second) == (10, None, 12, (10, 11, 12))
    assert second.annotations["apex_not_used"] == "9999 outside frames 10 to 12"


def test_smic_counts_from_its_first_frame_and_ends_in_notes(
    tmp_path: Path, book: Book, frames: Callable[..., None]
) -> None:
    book(
        "SMIC-HS-E_annotation.xlsx",
        Sheet1=[
            ["Subject", "Filename", "OnsetF", "OffsetF", "FirstF", "Emotion"],
            [1, "s1_ne_01", 33275, 33279, 33273, "negative"],
            [3, "s3_sur_02", 105, 107, 100, "surprise"],
            ["Please cite the paper when you use 2 or more of these."],
            [None, "total", 2],
        ],
    )
    frames("SMIC_all_cropped/HS/s1/micro/negative/s1_ne_01", [f"image{n}.bmp" for n in range(9)])
    frames("HS/s3/micro/surprise/s3_sur_02", [f"image{n:06d}.bmp" for n in range(105, 108)])
    source = open_source(
        {"family": "smic", "root": "."}, fields={"coarse": FieldSpec(kind="label")}, base=tmp_path
    )
    first, second = list(source)
    assert shown(first) == (2, None, 6, tuple(range(9)))
    assert shown(second) == (105, None, 107, (105, 106, 107))
    assert [dict(s.targets) for s in (first, second)] == [
        {"coarse": "negative"},
        {"coarse": "surprise"},
    ]
    assert source.skipped()[0].count == 2


def test_casme3_cuts_a_clip_from_its_video(
    tmp_path: Path, book: Book, frames: Callable[..., None]
) -> None:
    head = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]
    book(
        "annotation/cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx",
        notes=[["x"]],
        label=[
            head,
            ["spNO.1", "a", 8, 10, 12, "4+7", "I", "happy"],
            ["spNO.1", "a", 20, 21, 22, "12", "I", "sad"],
        ],
    )
    frames("part_A/spNO.1/a/color", [f"{n}.jpg" for n in range(30)])
    first, second = read(tmp_path, "casme3")
    assert [s.id for s in (first, second)] == ["casme3/spNO.1/a/8", "casme3/spNO.1/a/20"]
    assert shown(first) == (8, 10, 12, (8, 9, 10, 11, 12))
    assert Path(first.medium.frames[2].name).name == "10.jpg", "unpadded names in order of number"
    assert [s.targets["emotion"] for s in (first, second)] == ["happiness", "sadness"]
    assert {s.cluster for s in (first, second)} == {"casme3/spNO.1"}


def samm_long(book: Book) -> None:
    book(
        "SAMM_LongVideos_V3_Release.xlsx",
        Release=[
            *[["note"]] * 10,
            ["Subject", "Filename", "Inducement Code", "Onset", "Apex", "Offset", "Duration",
             "Type", "Action Units", "Notes"],
            [6, "006_1_2", 1, 4, 6, 9, 6, "Micro - 1/2", "4+7", ""],
            [6, "006_1_3", 1, 20, 25, 30, 11, "Macro", "12", ""],
            [7, "007_3_1", 3, 2, 3, 4, 3, "Macro", "12", ""],
        ],
    )  # fmt: skip
    book(
        "SAMM_Micro_FACS_Codes_v2.xlsx",
        Codes=[["Subject", "Filename", "Estimated Emotion"], ["006", "006_1_2", "Anger"]],
    )


COUNTS = {name: FieldSpec(kind="number", low=0, high=99) for name in ("event_count", "micro_count")}


def test_samm_long_videos(tmp_path: Path, book: Book) -> None:
    samm_long(book)
    emotions = "SAMM_Micro_FACS_Codes_v2.xlsx"
    fields = {**COUNTS, "action_units": FieldSpec(kind="set")}
    first, second = read(tmp_path, "samm-long", fields=fields, emotions=emotions)
    assert (first.id, first.cluster) == ("samm-long/006_1", "006")
    assert dict(first.targets) == {
        "event_count": 2.0, "micro_count": 1.0,
        "action_units": ("brow lowerer", "lid tightener", "lip corner puller"),
    }  # fmt: skip
    assert '"emotion":"anger"' in str(first.annotations["events"])
    assert second.targets["micro_count"] == 0.0


def test_windows_over_a_long_video(tmp_path: Path, book: Book, frames: Callable[..., None]) -> None:
    samm_long(book)
    frames("SAMM_longvideos/006_1", [f"006_1_{n:04d}.jpg" for n in range(40)])
    source = open_source(
        {"family": "samm-long", "root": ".", "emotions": "SAMM_Micro_FACS_Codes_v2.xlsx",
         "window": 0.04},
        fields={"emotion": FieldSpec(kind="label")}, base=tmp_path,
    )  # fmt: skip
    samples = list(source)
    assert [(s.annotations["first"], s.targets["emotion"]) for s in samples[:3]] == [
        (0, "none"),
        (4, "anger"),
        (8, "none"),
    ]
    assert samples[0].annotations["events"] == '[[4,9,"anger"]]'
    assert source.skipped()[0].count == 1, "the video without frames is told"


def test_casme_sq_without_a_header(tmp_path: Path, book: Book, frames: Callable[..., None]) -> None:
    book(
        "CAS(ME)^2code_final.xlsx",
        CASFEcode_final=[
            [1, "anger1_1", 5, 8, 0, "4", "negative", "macro-expression", "anger"],
            [1, "anger1_2", 20, 22, 25, "12", "Positive", "micro-expression", "happy"],
        ],
        naming__rule1=[["s15", 1]],
        naming__rule2=[["anger1", "0401"]],
    )
    frames("rawpic/s15/15_0401girlcrashing", [f"img{n:03d}.jpg" for n in range(1, 31)])
    (sample,) = read(tmp_path, "casme-sq", fields=COUNTS)
    assert (sample.id, sample.cluster) == ("casme-sq/15_0401", "s15")
    assert dict(sample.targets) == {"event_count": 2.0, "micro_count": 1.0}
    assert sample.medium.indices == tuple(range(1, 31))
    assert '"offset":8,"onset":5' in str(sample.annotations["events"]), "offset 0 is the apex"


def test_me_str_tables_and_videos_without_one(tmp_path: Path, frames: Callable[..., None]) -> None:
    frames("long/v1", [f"{n:05d}.png" for n in range(16)])
    (tmp_path / "truth.csv").write_text(
        "subject,video,onset,offset,emotion\nS1,v1,2,6,happy\n", encoding="utf-8"
    )
    label = {"emotion": FieldSpec(kind="label")}
    known = read(
        tmp_path, "megc-str", fields=label, workbook="truth.csv", fps=8, window=1,
    )  # fmt: skip
    assert [s.targets["emotion"] for s in known] == ["happiness", "none", "none"]
    blind = read(tmp_path, "megc-str", fields=label, root="long", fps=8, window=1)
    assert {s.annotations["video"] for s in blind} == {"v1"}
    assert {s.annotations["events"] for s in blind} == {"[]"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("12", ["lip corner puller"]),
        ("4+L10", ["brow lowerer", "upper lip raiser"]),
        ("AU12A or AU14", ["lip corner puller", "dimpler"]),
        ("R12B & 25", ["lip corner puller", "lips part"]),
        ("4 + 4", ["brow lowerer"]),
        ("12+whiskers+99", ["lip corner puller", "whiskers", "99"]),
        ("?", []),
    ],
)
def test_unit_codes(text: str, names: list[str]) -> None:
    assert units_of(text) == names


def test_a_csv_saved_from_the_sheet_needs_no_openpyxl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    rows = "Subject,Filename,OnsetFrame,ApexFrame,OffsetFrame,Action Units,Estimated Emotion\n"
    (tmp_path / "coding.csv").write_text(rows + "1,EP02_01f,46,59,86,12,happiness\n")
    (sample,) = read(tmp_path, "casme2", workbook="coding.csv")
    assert sample.targets["emotion"] == "happiness"
    (tmp_path / "coding.xlsx").write_bytes(b"PK")
    with pytest.raises(HarnessError, match="openpyxl is not installed") as caught:
        read(tmp_path, "casme2", workbook="coding.xlsx")
    assert "affect-harness[workbooks]" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("coding.xls", b"\xd0\xcf", "old workbook"),
        ("coding.xlsx", b"no zip", "not a workbook"),
        ("coding.csv", b"a,b\n1,2\n", "no sheet has the columns Subject"),
        ("gone.xlsx", None, "file not found"),
        (None, None, "no coding sheet of casme2"),
    ],
)
def test_bad_sheets_are_told(
    name: str | None, data: bytes | None, message: str, tmp_path: Path
) -> None:
    if name and data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(HarnessError, match=message) as caught:
        read(tmp_path, "casme2", **({"workbook": name} if name else {}))
    assert caught.value.hint


def test_a_clip_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(
        "Subject,Filename,OnsetFrame,Estimated Emotion\n1,../../etc,1,happiness\n"
    )
    with pytest.raises(HarnessError, match="not a folder name"):
        read(tmp_path, "casme2", workbook="c.csv")


def test_the_questions_of_me_vqa_put_to_a_coded_clip(tmp_path: Path) -> None:
    rows = "Subject,Filename,OnsetFrame,ApexFrame,OffsetFrame,Action Units,Estimated Emotion\n"
    (tmp_path / "c.csv").write_text(
        rows + "1,EP02_01f,46,59,86,12,happiness\n2,EP01_02,1,2,3,4+7,others\n"
    )
    fields = {**FIELDS, "fine": FieldSpec(kind="label")}
    samples = read(
        tmp_path, "casme2", fields=fields, workbook="c.csv",
        ask=["coarse", "fine", "action_units", "combined"],
    )  # fmt: skip
    assert [(s.id.removeprefix("casme2/"), s.asks) for s in samples] == [
        ("sub01/EP02_01f/coarse", ("coarse",)),
        ("sub01/EP02_01f/fine", ("fine",)),
        ("sub01/EP02_01f/action_units", ("action_units",)),
        ("sub01/EP02_01f/combined", ("coarse", "fine", "action_units")),
        ("sub02/EP01_02/fine", ("fine",)),
        ("sub02/EP01_02/action_units", ("action_units",)),
    ]
    assert samples[2].question == "What is the action unit?"
    assert samples[5].question == "What are the action units?"
    for sample in samples:
        assert question_kind(str(sample.question)) == sample.annotations["question_kind"]
