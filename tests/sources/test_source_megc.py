"""The challenge's question files: real ones, drawn ones, and bad ones."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import HarnessError, MediaError
from harness.core.field import FieldSpec
from harness.core.sample import Sample
from harness.core.source import Skipped, Source, stated_labels
from harness.sources import open_source

DATA = Path(__file__).parents[3] / "shared" / "data" / "megc"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the private data folder is absent")

FIELDS = {
    "coarse": FieldSpec(kind="label"),
    "fine": FieldSpec(kind="label"),
    "action_units": FieldSpec(kind="set"),
    "au_shown": FieldSpec(kind="yes-no"),
    "au_side": FieldSpec(kind="label"),
    "event_count": FieldSpec(kind="number", low=0, high=100),
    "micro_count": FieldSpec(kind="number", low=0, high=100),
    "macro_count": FieldSpec(kind="number", low=0, high=100),
    "event_type": FieldSpec(kind="label"),
}
COARSE, UNITS = "What is the coarse expression class?", "What are the action units?"
SHOWN = "Is the action unit dimpler shown on the face?"
BOTH = (
    "What are the action units present, and based on them, what is the fine-grained expression and "
    "the coarse expression class?"
)


def opened(base: Path, file: Any, **options: Any) -> Source:
    asked = {"family": "megc-vqa", "file": file, **options}
    fields = asked.pop("fields", FIELDS)
    return open_source(asked, fields=fields, base=base)


def train(number: int, question: str, answer: str, **cells: str) -> dict[str, str]:
    return {
        "id": f"samm_006_1_2_{number}", "dataset": "samm", "image_id": "006_1_2", "subject": "6",
        "filename": "006_1_2", "question": question, "answer": answer, **cells,
    }  # fmt: skip


def to_answer(number: int, question: str, answer: str = "", video: str = "CAS-1") -> dict[str, str]:
    name = f"casme3_test_{video}_{number}"
    return {"video_id": name, "video": video, "question": question, "answer": answer}


def write(path: Path, rows: list[dict[str, str]], end: str = "\n") -> Path:
    text = end.join(json.dumps(row, ensure_ascii=False) for row in rows) + end
    path.write_bytes(text.encode())
    return path


def read(tmp_path: Path, rows: list[dict[str, str]], **options: Any) -> list[Sample]:
    write(tmp_path / "q.jsonl", rows)
    return list(opened(tmp_path, "q.jsonl", **options))


def test_questions_are_routed_by_their_text(tmp_path: Path) -> None:
    samples = read(
        tmp_path,
        [
            train(1, COARSE, "negative"),
            train(2, UNITS, "cheek raiser, brow lowerer"),
            train(3, SHOWN, "no"),
            train(4, "Is the action unit dimpler located on the left or right face?", "left"),
            train(5, BOTH, "The action units present are: a, b. Therefore, the fine-grained "
                  "expression class is sadness, and the coarse expression class is negative."),
            train(6, "How many expression events appear in this video?", "3"),
            train(7, "What is the expression type of the 2nd expression event in this video?",
                  "micro-expression"),
        ],
    )  # fmt: skip
    assert [(s.annotations["question_kind"], s.asks, dict(s.targets)) for s in samples] == [
        ("coarse", ("coarse",), {"coarse": "negative"}),
        ("action_units", ("action_units",), {"action_units": ("brow lowerer", "cheek raiser")}),
        ("au_shown", ("au_shown",), {"au_shown": "no"}),
        ("au_side", ("au_side",), {"au_side": "left"}),
        (
            "combined",
            ("coarse", "fine", "action_units"),
            {"coarse": "negative", "fine": "sadness", "action_units": ("a", "b")},
        ),
        ("event_count", ("event_count",), {"event_count": 3.0}),
        ("event_type", ("event_type",), {"event_type": "micro-expression"}),
    ]
    assert {(s.cluster, s.annotations["subject"]) for s in samples} == {("006", "006")}
    assert [s.annotations.get("unit") for s in samples[2:4]] == ["dimpler", "dimpler"]
    assert samples[6].annotations["event"] == 2
    assert all("answer" not in s.annotations for s in samples)
    assert len({id(s.medium) for s in samples}) == 1, "one clip, one medium"


def test_a_files_own_ids_and_places_survive(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [to_answer(1, COARSE), to_answer(2, UNITS)])
    write(tmp_path / "b.jsonl", [train(1, COARSE, "positive")])
    samples = list(opened(tmp_path, ["a.jsonl", "b.jsonl"]))
    assert [(s.id, s.annotations["file"], s.annotations["row"]) for s in samples] == [
        ("casme3_test_CAS-1_1", "a.jsonl", 0),
        ("casme3_test_CAS-1_2", "a.jsonl", 1),
        ("samm_006_1_2_1", "b.jsonl", 0),
    ]
    assert samples[1].annotations["video_id"] == "casme3_test_CAS-1_2"
    assert samples[1].annotations["video"] == "CAS-1"
    assert samples[0].annotations["dataset"] == "casme3"


def test_rows_still_to_be_answered_are_asked(tmp_path: Path) -> None:
    (sample,) = read(tmp_path, [to_answer(1, COARSE)])
    assert (dict(sample.targets), sample.asks, sample.cluster) == ({}, ("coarse",), None)


def test_questions_that_ask_nothing_of_the_task_are_counted(tmp_path: Path) -> None:
    write(tmp_path / "q.jsonl", [train(1, COARSE, "negative"), train(2, UNITS, "a")])
    source = opened(tmp_path, "q.jsonl", fields={"coarse": FIELDS["coarse"]})
    assert [s.id for s in source] == ["samm_006_1_2_1"]
    assert source.skipped() == (Skipped("asks for none of the task's fields", 1),)


@pytest.mark.parametrize(
    ("row", "folder"),
    [
        (train(1, COARSE, "negative"), "006/006_1_2"),
        (train(1, COARSE, "negative"), "samm/006/006_1_2"),
        (train(1, COARSE, "negative", dataset="drawn"), "006_1_2"),
        (to_answer(1, COARSE), "CAS-1"),
        (to_answer(1, COARSE), "casme3/CAS-1"),
    ],
)
def test_frames_are_found_where_the_sets_have_them(
    row: dict[str, str], folder: str, tmp_path: Path, png: bytes
) -> None:
    frames = tmp_path / "frames" / folder
    frames.mkdir(parents=True)
    for name in ("9.png", "10.png", "8.png"):
        (frames / name).write_bytes(png)
    (sample,) = read(tmp_path, [row], root="frames")
    assert sample.medium.indices == (8, 9, 10)
    assert [Path(f.name).name for f in sample.medium.frames] == ["8.png", "9.png", "10.png"]


def test_without_frames_rows_are_read_and_fail_when_shown(tmp_path: Path) -> None:
    (sample,) = read(tmp_path, [to_answer(1, COARSE)])
    with pytest.raises(MediaError, match=r"no frames found for .*CAS-1") as caught:
        sample.medium.frames[0].read()
    assert caught.value.kind == "missing"


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    rows = [to_answer(1, COARSE), to_answer(2, UNITS)]
    plain = read(tmp_path, rows)
    path = write(tmp_path / "w.jsonl", rows, end="\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    windows = list(opened(tmp_path, "w.jsonl"))
    assert [(s.id, s.question) for s in windows] == [(s.id, s.question) for s in plain]


def test_swapped_rows_keep_their_own_ids(tmp_path: Path) -> None:
    samples = read(tmp_path, [to_answer(2, UNITS), to_answer(1, COARSE)])
    assert [(s.annotations["row"], s.id) for s in samples] == [
        (0, "casme3_test_CAS-1_2"),
        (1, "casme3_test_CAS-1_1"),
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([to_answer(1, COARSE), to_answer(2, UNITS), to_answer(1, COARSE)],
         r"row 3 .*'casme3_test_CAS-1_1' is already in .*row 1"),
        ([train(1, "How old is she?", "30")], r"row 1 .*not a question of ME-VQA"),
        ([train(1, SHOWN, "perhaps")], r"row 1 .*neither yes nor no"),
        ([train(1, SHOWN, "是")], r"row 1 .*neither yes nor no"),
        ([train(1, BOTH, "sad")], r"row 1 .*not of the form"),
        ([train(1, "How many expression events appear in this video?", "three")],
         r"row 1 .*not a number"),
        ([train(1, "", "negative")], r"row 1 .*no question"),
        ([{"id": "a", "question": COARSE, "answer": ""}], r"row 1 .*no clip given"),
        ([train(1, COARSE, "negative", filename="../../etc")], r"row 1 .*not a folder of frames"),
        ([to_answer(1, COARSE, video="/etc")], r"row 1 .*not a folder of frames"),
        ([{"id": "a", "text": "x"}], "has no column 'question'"),
    ],
)  # fmt: skip
def test_bad_rows_are_told(rows: list[dict[str, str]], message: str, tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match=message) as caught:
        read(tmp_path, rows)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"root": "gone"}, "folder of frames not found"),
        ({"frames": "{nobody}"}, "has no column"),
        ({"file": ["q.jsonl", "gone.jsonl"]}, "table not found"),
        ({"route": "megc"}, r"source\.route: .*no such option"),
    ],
)
def test_bad_options_are_told(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    write(tmp_path / "q.jsonl", [to_answer(1, COARSE)])
    with pytest.raises(HarnessError, match=message):
        opened(tmp_path, **{"file": "q.jsonl", **options})


def test_each_data_set_has_its_label_space(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [to_answer(1, COARSE)])
    write(tmp_path / "b.jsonl", [train(1, COARSE, "negative")])
    casme3 = stated_labels(opened(tmp_path, "a.jsonl"))["fine"]
    assert "contempt" not in casme3
    pooled = stated_labels(opened(tmp_path, ["a.jsonl", "b.jsonl"]))["fine"]
    assert set(pooled) == {*casme3, "contempt"}
    own = {"casme3": {"fine": ["joy", "grief"]}}
    assert stated_labels(opened(tmp_path, "a.jsonl", spaces=own)) == {"fine": ("joy", "grief")}


def test_a_bare_number_is_a_subject_of_its_own_set(tmp_path: Path) -> None:
    samples = read(
        tmp_path,
        [train(1, COARSE, "negative"), train(2, COARSE, "negative", dataset="casme3", id="x")],
    )
    assert [s.cluster for s in samples] == ["006", "casme3/006"]


@real
@pytest.mark.parametrize(
    ("file", "count", "clips", "kinds"),
    [
        ("me_vqa_casme2", 911, 145,
         {"coarse": 145, "fine": 145, "action_units": 145, "au_shown": 290, "au_side": 41,
          "combined": 145}),
        ("me_vqa_samm", 828, 133,
         {"coarse": 133, "fine": 133, "action_units": 133, "au_shown": 266, "au_side": 30,
          "combined": 133}),
        ("me_vqa_casme3_test_to_answer", 85, 17,
         {"coarse": 17, "fine": 17, "action_units": 17, "au_shown": 17, "combined": 17}),
    ],
)  # fmt: skip
def test_published_files_are_read_whole(
    file: str, count: int, clips: int, kinds: dict[str, int]
) -> None:
    source = opened(DATA, f"{file}.jsonl")
    samples = list(source)
    assert len(samples) == count
    assert source.skipped() == ()
    assert Counter(s.annotations["question_kind"] for s in samples) == kinds
    assert len({s.medium.frames[0].name for s in samples}) == clips
    assert {len(str(s.annotations.get("subject", "123"))) for s in samples} <= {3, 5}
    assert [s.annotations["row"] for s in samples] == list(range(count))


@real
def test_a_real_submission_is_read_but_for_its_free_sentences() -> None:
    with pytest.raises(HarnessError, match="not of the form"):
        list(opened(DATA, "me_vqa_casme3_test_pred.jsonl"))
