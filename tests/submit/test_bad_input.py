"""Files of answers broken in every way that tools and hands break them: each fault is named with its row."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.submit import SUBMISSIONS, Asked, Options, SubmissionForm, form_named
from tests import open_sets

from . import bench
from .test_items import AU, EXPR, VA, template

Good = tuple[Path, bytes]


def good(folder: Path) -> dict[str, Good]:
    """Form -> a file to be answered, and valid answers to it."""
    found: dict[str, Good] = {}
    for form, name, questions in (
        ("megc2025-me-vqa", bench.CASME3, bench.QUESTIONS),
        ("megc2026-me-vqa", "me_vqa_casme3_v2_test_to_answer.jsonl", bench.QUESTIONS),
        ("megc2026-me-lvqa", bench.LVQA, bench.LONG_QUESTIONS),
    ):
        asked = bench.write(folder / form, name, bench.rows(name, questions=questions))
        answers = bench.rows(name, questions=questions, answered=True)
        found[form] = (asked, bench.text(answers))
    for form, head, cell in (("abaw-va", VA, "0.1,0.2"), ("abaw-expr", EXPR, "4"), ("abaw-au", AU, ",".join("0" * 12))):  # fmt: skip
        asked = open_sets.put(folder / f"{form}.txt", head + "".join(f"v/{i}.jpg,\n" for i in range(4)))  # fmt: skip
        found[form] = (asked, (head + "".join(f"v/{i}.jpg,{cell}\n" for i in range(4))).encode())
    asked = template(folder / "submission_template.json", ["a", "b", "c"])
    found["blemore"] = (asked, json.dumps(json.loads(asked.read_bytes()), indent=1).encode())
    asked = open_sets.table(folder / "clips.csv", ("name",), [("s1",), ("s2",), ("s3",)])
    found["mer2026-fg"] = (asked, b'name,openset\ns1,"happy, calm"\ns2,sad\ns3,angry\n')
    asked = open_sets.ferbench(folder / "fer", ["fear", "sadness", "anger"]) / "eval_rafdb/data/rafdb_qa.json"  # fmt: skip
    rows = [row | {"model_response": "fear"} for row in json.loads(asked.read_bytes())]
    found["ferbench"] = (asked, json.dumps(rows, indent=1).encode())
    asked = open_sets.table(folder / "casme3_to_answer.csv", ("subject", "video"), [(1, "a"), (1, "b")])  # fmt: skip
    found["megc2025-me-str"] = (asked, b"subject,video,onset,offset,emotion\n1,a,3,9,fear\n1,b,5,11,anger\n")  # fmt: skip
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Good]:
    return good(tmp_path_factory.mktemp("forms"))


LATIN = (lambda data: data.decode().replace("e", "é", 1).encode("latin-1"), "not UTF-8")
ENCODINGS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "utf-16": (lambda data: data.decode().encode("utf-16"), "1: "),
    "latin-1": LATIN,
    "byte order mark": (lambda data: b"\xef\xbb\xbf" + data, "byte order mark"),
    "nothing": (lambda data: b"", ""),
    "white space": (lambda data: b" \n\n", ""),
}


@pytest.mark.parametrize("way", ENCODINGS)
@pytest.mark.parametrize("form", SUBMISSIONS.builtin)
def test_other_encodings_are_faults_of_every_form(
    files: dict[str, Good], form: str, way: str
) -> None:
    path, data = files[form]
    asked = form_named(form).read(path)
    check = form_named(form).check
    assert check(data, asked, Options(), name=asked.answers_to).faults == ()
    change, told = ENCODINGS[way]
    faults = check(change(data), asked, Options(), name=asked.answers_to).faults
    assert faults and told in faults[0], faults


@pytest.mark.parametrize("form", SUBMISSIONS.builtin)
def test_windows_line_ends_are_read_and_those_of_old_macs_named(
    files: dict[str, Good], form: str
) -> None:
    path, data = files[form]
    asked = form_named(form).read(path)
    whole = form in {"blemore", "ferbench"}  # JSON, to which line ends are white space
    found = form_named(form).check(data.replace(b"\n", b"\r\n"), asked, Options(), name="x")
    assert not found.faults and any("Windows line endings" in one for one in (*found.warnings, *["Windows line endings"] * whole))  # fmt: skip
    faults = form_named(form).check(data.replace(b"\n", b"\r"), asked, Options(), name="x").faults
    assert "line 1: ends in CR alone; save the file with LF line ends" in faults


def lines(at: Callable[[list[str]], list[str]], head: int) -> Callable[[bytes], bytes]:
    """Change the lines behind the header."""

    def change(data: bytes) -> bytes:
        found = data.decode().splitlines()
        return ("\n".join([*found[:head], *at(found[head:])]) + "\n").encode()

    return change


MOVED = {
    "order": lambda rows: [rows[1], rows[0], *rows[2:]],
    "missing": lambda rows: [rows[0], *rows[2:]],
    "doubled": lambda rows: [rows[0], *rows],
    "blank": lambda rows: [rows[0], "", *rows[1:]],
    "semicolons": lambda rows: [row.replace(",", ";") for row in rows],
    "no answer": lambda rows: [rows[0].partition(",")[0] + ",", *rows[1:]],
}
TOLD = {
    ("abaw", "order"): "row 2: not in the order", ("abaw", "missing"): "missing: row 2 of the file to be answered",
    ("abaw", "doubled"): "rows 1 and 2: the same frame", ("abaw", "blank"): "row 2: no frame",
    ("abaw", "semicolons"): "rows 1-4: a frame that was not asked", ("abaw", "no answer"): "row 1: not ",
    ("mer2026", "order"): "row 2: not in the order", ("mer2026", "missing"): "missing: row 2 of the file to be answered",
    ("mer2026", "doubled"): "rows 1 and 2: the same clip", ("mer2026", "blank"): "row 2: no clip",
    ("mer2026", "semicolons"): "rows 1-3: a clip that was not asked", ("mer2026", "no answer"): "row 1: no words",
    ("megc2025", "order"): "row 2: not in the order", ("megc2025", "missing"): "no answer to row 2 of the questions",
    ("megc2025", "doubled"): "rows 1 and 2: the same video_id", ("megc2025", "blank"): "row 2: blank",
    ("megc2025", "semicolons"): "rows 1-10: not a JSON object", ("megc2025", "no answer"): "row 1: not a JSON object",
}  # fmt: skip


@pytest.mark.parametrize("way", MOVED)
@pytest.mark.parametrize("form", ["abaw-va", "abaw-expr", "abaw-au", "mer2026-fg", "megc2025-me-vqa"])  # fmt: skip
def test_rows_moved_lost_doubled_or_reformatted_are_named(
    files: dict[str, Good], form: str, way: str
) -> None:
    path, data = files[form]
    asked = form_named(form).read(path)
    change = lines(MOVED[way], head=0 if form.startswith("megc") else 1)
    faults = form_named(form).check(change(data), asked, Options(), name="x").faults
    told = TOLD[form.partition("-")[0], way]
    assert any(one.startswith(told) for one in faults), faults


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda rows: rows[::-1], "rows 2 and 3: not in the order"),
        (lambda rows: rows[:1], "missing: rows 2 and 3 of the file to be answered"),
        (lambda rows: [rows[0], *rows], "rows 1 and 2: the same picture"),
        (lambda rows: [rows[0] | {"true_label": "joy"}, *rows[1:]], "row 1: another true_label"),
        (lambda rows: [rows[0] | {"prompt": "?"}, *rows[1:]], "row 1: another prompt"),
        (lambda rows: [{k: v for k, v in rows[0].items() if k != "model_response"}, *rows[1:]], "row 1: no model_response"),
        (lambda rows: [rows[0], 3, rows[2]], "row 2: not an object"),
        (lambda rows: {"rows": rows}, "not an array"),
    ],
)  # fmt: skip
def test_results_of_ferbench_are_held_against_their_questions(
    files: dict[str, Good], change: Callable[[object], object], fault: str
) -> None:
    path, data = files["ferbench"]
    form = form_named("ferbench")
    broken = json.dumps(change(json.loads(data))).encode()
    faults = form.check(broken, form.read(path), Options(), name="x").faults
    assert any(one.startswith(fault) for one in faults), faults


@pytest.mark.parametrize("cell", ["4\u2028", "\u0664", "0_4", "4\u00a0", "nan", "4;", ""])
def test_numbers_that_only_some_readers_take_are_faults(files: dict[str, Good], cell: str) -> None:
    path, data = files["abaw-expr"]
    form = form_named("abaw-expr")
    broken = data.decode().replace("v/1.jpg,4", f"v/1.jpg,{cell}").encode()
    assert form.check(broken, form.read(path), Options(), name="x").faults == (
        "row 2: not a class number from 0 to 7",
    )
    headed = data.replace(b",Other\n", ",Other\u00a0\n".encode())
    assert "the header is" in form.check(headed, form.read(path), Options(), name="x").faults[0]


@pytest.mark.parametrize(
    ("form", "name", "truth", "told"),
    [
        ("mer2026-fg", "t.csv", "name,openset\ns1,happy\ns2,sad\ns1,sad\n", "rows 1 and 3: the same clip 's1'"),
        ("abaw-va", "t.txt", VA + "v/0.jpg,0,0\nv/0.jpg,1,1\n", "rows 1 and 2: the same frame"),
        ("abaw-va", "t.txt", VA.replace("valence,arousal", "arousal,valence") + "v/0.jpg,0,0\n", "the header is"),
        ("blemore", "t.csv", "filename,emotion_1\na,ang\na,hap\n", "rows 1 and 2: the same clip 'a'"),
        ("blemore", "t.json", '{"predictions": {"a": [], "a": []}}', "the clip 'a' appears twice"),
        ("blemore", "t.json", '{"predictions": {"a": [{"emotion": "ang", "salience": 60}]}}', "clip 'a': saliences that do"),
        ("blemore", "t.json", '{\n"predictions": {"a": ,}}', "t.json, line 2: not JSON"),
        ("abaw-va", "t.txt", VA + "v/0.jpg,-5,-5\nv/1.jpg,0;1,0\nv/2.jpg,0,0\n", "row 2: not two numbers from -1 to 1, and not marked"),
        ("abaw-expr", "t.txt", EXPR + "v/0.jpg,-1\nv/1.jpg,happy\nv/2.jpg,9\n", "rows 2 and 3: not a class number"),
        ("abaw-au", "t.txt", AU + "v/0.jpg,0,0\nv/1.jpg,-1,-1,-1,0,0,0,0,0,0,0,0,0\n", "row 1: not 12 cells"),
        ("megc2025-me-vqa", "t.jsonl", '{"video_id": "a", "answer": "b"}\n\nnegative\n', "row 3: not a JSON object"),
        ("megc2025-me-vqa", "t.jsonl", '{"video_id": "casme3_test_CLIP-1_1", "question": "How many?", "answer": "b"}\n', "row 1: another question than"),
        ("megc2026-me-lvqa", "t.jsonl", '{"video_id": "vqa_samm_test_CLIP-1_1", "answer": "two"}\n', "is 'two', and a number is asked"),
    ],
)  # fmt: skip
def test_a_truth_that_says_two_things_is_refused(
    files: dict[str, Good], tmp_path: Path, form: str, name: str, truth: str, told: str
) -> None:
    path, data = files[form]
    own = form_named(form)
    with pytest.raises(HarnessError, match=told):
        own.score(data, own.read(path), open_sets.put(tmp_path / name, truth))


def test_what_of_a_truth_does_not_count_is_told(files: dict[str, Good], tmp_path: Path) -> None:
    path, data = files["mer2026-fg"]
    form = form_named("mer2026-fg")
    truth = open_sets.put(tmp_path / "t.csv", "name,openset\ns1,joyful; relaxed\ns2,sad\n")
    notes = " ".join(form.score(data, form.read(path), truth).notes)
    assert "50% of the true words are on no wheel, such as 'joyful; relaxed'" in notes
    assert "without a truth in t.csv and left out: 1 clip" in notes


def test_invisible_characters_are_warned_of_with_their_line(files: dict[str, Good]) -> None:
    path, data = files["mer2026-fg"]
    form = form_named("mer2026-fg")
    found = form.check(data.replace(b"sad", b"sa\x00d"), form.read(path), Options(), name="x")
    assert any(one.startswith("line 3: an invisible character (U+0000)") for one in found.warnings)
    assert not form.check(data, form.read(path), Options(), name="x").warnings


def test_a_file_of_another_challenge_or_year_is_refused(files: dict[str, Good]) -> None:
    read = [
        (form, other)
        for form in SUBMISSIONS.builtin
        for other, (path, _) in files.items()
        if other != form and reads(form, path)
    ]
    assert read == []


def reads(form: str, path: Path) -> bool:
    try:
        form_named(form).read(path)
    except HarnessError:
        return False
    return True


def test_the_command_tells_faults_with_status_1_and_writes_nothing(
    files: dict[str, Good], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for form, (path, data) in files.items():
        asked = form_named(form).read(path)
        answers = tmp_path / form / asked.answers_to
        open_sets.put(answers, data.decode().encode("utf-16"))
        command = ["submit", form, "--to-answer", str(path), "--check", str(answers)]
        assert main([*command, "--truth", str(path)]) == 1, form
        told = capsys.readouterr()
        assert "error: " in told.out and ("no local score" in told.out or "local score" in told.out), form  # fmt: skip
        assert answers.read_bytes() == data.decode().encode("utf-16")
        assert [one.name for one in answers.parent.iterdir()] == [answers.name]
        if form not in {"mer2026-fg", "ferbench"}:  # whose tables may be in UTF-16
            assert main(["submit", form, "--to-answer", str(answers), "--check", str(answers)]) == 2


def test_a_table_that_cannot_be_read_is_told_with_its_line(files: dict[str, Good]) -> None:
    for form, head in (("mer2026-fg", "name,openset"), ("megc2025-me-str", "subject,video,")):
        path, data = files[form]
        own = form_named(form)
        asked = own.read(path)

        def faults(data: bytes, own: SubmissionForm = own, asked: Asked = asked) -> str:
            return " ".join(own.check(data, asked, Options(), name="x").faults)

        broken = b"\n".join([*data.split(b"\n")[:2], b'x,"y" z'])
        assert "line 3: not a CSV table" in faults(broken)
        assert f"the first line must be {head}" in faults(data.upper()) and ", not " in faults(data.upper())  # fmt: skip
        assert "not blank" in faults(b"\n" + data)
        assert faults(data + b"\n\n") == ""
        assert "UTF-32" in faults(data.decode().encode("utf-32"))
        assert "a NUL byte" in faults(data.decode().encode("utf-16-be"))


@pytest.mark.parametrize("onset", ["\u0663", "-3", "3.0", "9" * 5000])
def test_frames_of_intervals_are_plain_whole_numbers(files: dict[str, Good], onset: str) -> None:
    path, data = files["megc2025-me-str"]
    form = form_named("megc2025-me-str")
    broken = data.replace(b"a,3,9", f"a,{onset},9".encode())
    found = form.check(broken, form.read(path), Options(), name="x")
    assert found.faults == ("row 1: onset or offset is not a whole number",)


def test_a_count_without_a_number_is_wrong_and_has_no_error(
    files: dict[str, Good], tmp_path: Path
) -> None:
    path, data = files["megc2026-me-lvqa"]
    form = form_named("megc2026-me-lvqa")
    truth = open_sets.put(tmp_path / "t.jsonl", data)
    said = data.replace(b'"answer": "3"', b'"answer": "several"', 1).replace(b'"answer": "1"', b'"answer": "4"')  # fmt: skip
    found = {one.name: one for one in form.score(said, form.read(path), truth).figures}
    assert found["events, right"].value == 0.5
    error = found["events, mean absolute error of answers with a number"]
    assert (error.value, error.n) == (0, 1)
    assert found["micro-expressions, mean absolute error of answers with a number"].value == 3
    none = data.replace(b'"answer": "3"', b'"answer": "several"')
    names = [one.name for one in form.score(none, form.read(path), truth).figures]
    assert "events, right" in names and not any(name.startswith("events, mean") for name in names)


def test_a_perfect_file_is_no_certainty(files: dict[str, Good], tmp_path: Path) -> None:
    for form in ("blemore", "mer2026-fg", "megc2025-me-vqa"):
        path, data = files[form]
        own = form_named(form)
        truth = open_sets.put(tmp_path / f"{form}{path.suffix}", data)
        score = own.score(data, own.read(path), truth)
        assert score.unspread
        for one in score.figures:
            assert one.value == pytest.approx(one.perfect)
            assert one.interval.low < one.value <= one.interval.high or "BLEU-4" in one.name, one.name  # fmt: skip
