"""Files of answers held against the questions: structure is refused, content warned of."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.submit import Asked, Findings, Options, check_file, form_named, name_rows
from harness.submit.megc.check import check_rows
from harness.submit.megc.questions import Questions, read_questions
from tests.submit.bench import CASME3, LONG_QUESTIONS, LVQA, Rows, rows, text, write

NAME = "megc2025-me-vqa"
FORM = form_named(NAME)
PRED = "me_vqa_casme3_test_pred.jsonl"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "megc"


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Questions:
    return read_questions(write(tmp_path_factory.mktemp("asked"), CASME3, rows()), NAME)


def asked_of(questions: Questions) -> Asked:
    return FORM.read(questions.path)


def check(data: bytes, questions: Questions) -> Findings:
    return check_rows(data, questions, name=PRED)


def test_the_right_file_has_nothing_to_mend(questions: Questions, tmp_path: Path) -> None:
    path = write(tmp_path, PRED, rows(answered=True))
    findings = check_file(FORM, path, asked_of(questions), Options())
    assert (findings.rows, findings.faults, findings.warnings) == (10, (), ())


def drop(found: Rows) -> Rows:
    return found[:2] + found[3:]


def swap(found: Rows) -> Rows:
    return [found[1], found[0], *found[2:]]


def double(found: Rows) -> Rows:
    return [*found[:3], found[2], *found[3:]]


def add(found: Rows) -> Rows:
    return [*found, {**found[0], "video_id": "casme3_test_CLIP-9_1"}]


def empty(found: Rows) -> Rows:
    return [*found[:1], {**found[1], "answer": " "}, *found[2:]]


def reworded(found: Rows) -> Rows:
    return [{**found[0], "question": "What is it?"}, *found[1:]]


def field_added(found: Rows) -> Rows:
    return [{**row, "confidence": "0.3"} for row in found]


def field_missing(found: Rows) -> Rows:
    return [{k: v for k, v in row.items() if k != "video"} for row in found]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (drop, "no answer to row 3 of the questions"),
        (swap, "row 2: not in the order of the questions"),
        (double, "rows 3 and 4: the same video_id 'casme3_test_CLIP-1_3'"),
        (add, "row 11: a video_id that is not in the questions"),
        (empty, "row 2: the answer is empty"),
        (reworded, "row 1: a question that differs from the questions"),
        (field_added, "rows 1-10: a field 'confidence' that the questions do not have"),
        (field_missing, "rows 1-10: field 'video' is missing"),
    ],
)
def test_faults_of_structure_are_named_with_their_rows(
    questions: Questions, change: Callable[[Rows], Rows], fault: str
) -> None:
    assert fault in check(text(change(rows(answered=True))), questions).faults


def line_of(at: int, put: bytes) -> bytes:
    lines = text(rows(answered=True)).split(b"\n")
    return b"\n".join([*lines[:at], put, *lines[at + 1 :]])


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\xef\xbb\xbf" + text(rows(answered=True)), "row 1: the file starts with a byte order"),
        (line_of(3, b""), "row 4: blank"),
        (line_of(3, b"[1, 2]"), "row 4: not a JSON object"),
        (line_of(3, b'{"video_id": '), "row 4: not a JSON object"),
        (line_of(3, b"\xff\xfe"), "row 4: not UTF-8"),
        (line_of(3, b'{"answer": "a", "answer": "b"}'), "row 4: the field 'answer' appears twice"),
        (line_of(3, b"[" * 100_000), "row 4: not a JSON object"),
        (b"", "no answer to rows 1-10 of the questions"),
    ],
)
def test_what_no_parser_would_take_is_a_fault(
    questions: Questions, data: bytes, fault: str
) -> None:
    assert any(found.startswith(fault) for found in check(data, questions).faults)


def test_an_answer_that_is_no_text_is_a_fault(questions: Questions) -> None:
    lines = [json.dumps(row) for row in rows(answered=True)]
    lines[0] = json.dumps({**rows()[0], "answer": ["negative"]})
    lines[1] = json.dumps({**rows()[1], "answer": None})
    found = check("\n".join(lines).encode(), questions).faults
    assert set(found) == {"row 1: the answer is not text", "row 2: the answer is empty"}


def test_windows_line_ends_are_read_and_warned_of(questions: Questions) -> None:
    findings = check(text(rows(answered=True), end="\r\n"), questions)
    assert findings.faults == ()
    assert findings.warnings == ("rows 1-10: Windows line endings",)


def test_another_file_name_is_a_fault(questions: Questions, tmp_path: Path) -> None:
    path = write(tmp_path, "answers.jsonl", rows(answered=True))
    assert check_file(FORM, path, asked_of(questions), Options()).faults == (
        f"the file is named answers.jsonl; the name must be {PRED}",
    )


def answer(row: int, words: str) -> bytes:
    found = rows(answered=True)
    found[row - 1]["answer"] = words
    return text(found)


@pytest.mark.parametrize(
    ("row", "words", "warning"),
    [
        (1, "消极", "row 1: letters of another script (CJK)"),
        (1, "sad", "row 1: coarse: not one of the known labels: 'sad'"),
        (2, "Disgust", "row 2: fine: 'Disgust' instead of disgust"),
        (2, "repression", "row 2: fine: not one of the known labels: 'repression'"),
        (3, "brow lowerer, ear wiggler", "row 3: action_units: not one of the known labels: 'ear wiggler'"),
        (3, "AU4, lid tightener", "row 3: action_units: 'AU4' instead of brow lowerer"),
        (3, "dimpler, dimpler", "row 3: action_units: the same name twice"),
        (4, "maybe", "row 4: au_shown: not one of the known labels: 'maybe'"),
        (4, "no\nyes", "row 4: control or invisible characters, such as a line break"),
        (5, "brow lowerer, disgust", "row 5: not in the challenge's sentence: action units"),
        (
            5, "action unit: brow lowerer. fine-grained expression class: disgust. "
            "coarse expression class: negative.",
            "row 5: worded differently from the challenge's sentence",
        ),
    ],
)  # fmt: skip
def test_odd_content_is_warned_of_and_not_refused(
    questions: Questions, row: int, words: str, warning: str
) -> None:
    findings = check(answer(row, words), questions)
    assert findings.faults == ()
    assert any(found.startswith(warning) for found in findings.warnings), findings.warnings


def test_one_answer_to_everything_is_warned_of(tmp_path: Path) -> None:
    questions = read_questions(write(tmp_path, CASME3, rows(clips=6)), NAME)
    found = check(text(rows(clips=6, answered=True)), questions).warnings
    assert "coarse: the same answer to 6 of 6 questions: 'negative'" in found


def test_other_labels_may_be_named(questions: Questions) -> None:
    labels = {"fine": ("disgust", "repression")}
    assert check_rows(answer(2, "repression"), questions, labels, name=PRED).warnings == ()
    with pytest.raises(HarnessError, match="no labels for 'mood'"):
        check_rows(answer(2, "fear"), questions, {"mood": ("a",)}, name=PRED)


def test_answers_about_long_videos(tmp_path: Path) -> None:
    path = write(tmp_path, LVQA, rows(LVQA, questions=LONG_QUESTIONS))
    questions = read_questions(path, "megc2026-me-lvqa")
    found = rows(LVQA, questions=LONG_QUESTIONS, answered=True)
    assert check_rows(text(found), questions, name="x").warnings == ()
    found[0]["answer"] = "three"
    found[4]["answer"] = "macro"
    warned = check_rows(text(found), questions, name="x").warnings
    assert warned[0] == "row 1: event_count: not a number in digits: 'three'"
    assert warned[1].startswith("row 5: event_type: ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (double, "rows 3 and 4: the same video_id"),
        (field_missing, "row 1: the field 'video' has no text"),
        (lambda found: [], "has no rows"),
    ],
)
def test_questions_that_are_not_as_published_are_refused(
    tmp_path: Path, change: Callable[[Rows], Rows], message: str
) -> None:
    with pytest.raises(HarnessError, match=message):
        read_questions(write(tmp_path, CASME3, change(rows())), NAME)


def test_questions_under_another_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="no question file named"):
        read_questions(write(tmp_path, "casme3.jsonl", rows()), NAME)


def test_questions_of_another_challenge_say_which(tmp_path: Path) -> None:
    with pytest.raises(HarnessError) as caught:
        read_questions(write(tmp_path, "me_vqa_casme3_v2_test_to_answer.jsonl", rows()), NAME)
    assert caught.value.hint == "it belongs to megc2026-me-vqa"


def test_questions_with_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, CASME3, rows(), end="\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"\r\n")
    assert len(read_questions(path, NAME).rows) == 10


@settings(deadline=None, max_examples=50)
@given(data=st.binary(max_size=200))
def test_no_bytes_break_the_check(questions: Questions, data: bytes) -> None:
    assert check(data, questions).faults


def test_rows_are_named_briefly() -> None:
    assert name_rows([3]) == "row 3"
    assert name_rows([3, 4]) == "rows 3 and 4"
    assert name_rows([3, 4, 5]) == "rows 3-5"
    assert name_rows([3, 5, 9]) == "rows 3, 5 and 9"
    assert name_rows(range(1, 40, 2)) == "rows 1, 3, 5, 7, 9, 11, 13, 15, ... (20 in all)"


@pytest.mark.skipif(not SHARED.is_dir(), reason="no real files here")
def test_a_real_submission_is_sound_in_structure_and_its_labels_are_warned_of() -> None:
    questions = FORM.read(SHARED / CASME3)
    findings = check_file(FORM, SHARED / PRED, questions, Options())
    assert findings.faults == () and findings.rows == 85
    assert any("fine: not one of the known labels: 'confused'" in w for w in findings.warnings)
    assert sum("not one of the known labels" in w for w in findings.warnings) >= 15
    assert "coarse: the same answer to 16 of 17 questions: 'negative'" in findings.warnings
