"""From run folders to the challenge's files, and what is refused on the way."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.submit import Choice, Options, form_named, pack
from harness.submit.package import zipped
from tests.submit import bench
from tests.submit.bench import CASME3, LONG_QUESTIONS, LVQA, SAMM, Rows, rows, run_of, write

NAME = "megc2025-me-vqa"
PRED = "me_vqa_casme3_test_pred.jsonl"


def right(name: str = CASME3) -> dict[str, str]:
    return {row["video_id"]: row["answer"] for row in rows(name, answered=True)}


def answers(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text().splitlines()]


def submit(*arguments: object) -> int:
    return main(["submit", NAME, *map(str, arguments)])


def test_to_answer_becomes_pred(tmp_path: Path) -> None:
    asked = write(tmp_path, CASME3, rows())
    replies = right() | {
        "casme3_test_CLIP-1_1": "The expression is negative.",
        "casme3_test_CLIP-1_3": "AU7 and AU4",
        "casme3_test_CLIP-2_5": "action units: AU4, AU7; fine: disgust; coarse: negative",
    }
    run = run_of(replies, asked, tmp_path / "run")
    assert submit(run, "--to-answer", asked, "--out", tmp_path / "out") == 0
    path = tmp_path / "out" / PRED
    assert answers(path) == rows(answered=True), "the challenge's own words, whatever was replied"
    assert list(answers(path)[0]) == ["video_id", "video", "question", "answer"]
    with zipfile.ZipFile(tmp_path / "out" / f"{NAME}.zip") as archive:
        assert archive.namelist() == [PRED]
        assert archive.read(PRED) == path.read_bytes()
    assert submit("--check", path, "--to-answer", asked) == 0


def test_only_what_a_receipt_tells_of_is_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, out = write(tmp_path, CASME3, rows()), tmp_path / "out"
    command = (run_of(right(), asked, tmp_path / "run"), "--to-answer", asked, "--out", out)
    assert submit(*command) == submit(*command) == 0, "an earlier submission is replaced"
    for name, said in ((PRED, PRED), ("receipt.json", "receipt"), (f"{NAME}.zip", ".zip")):
        before = (out / name).read_bytes()
        (out / name).write_bytes(b"mine")
        held = {path.name: path.read_bytes() for path in out.iterdir()}
        capsys.readouterr()
        assert submit(*command) == 2
        assert said in capsys.readouterr().err
        assert held == {path.name: path.read_bytes() for path in out.iterdir()}
        (out / name).write_bytes(before)
    (out / "receipt.json").unlink()
    assert submit(*command) == 2, "without a receipt, any file of the name is another's"


def test_the_receipt_says_where_the_answers_come_from(tmp_path: Path) -> None:
    asked = write(tmp_path, CASME3, rows())
    run = run_of(right() | {"casme3_test_CLIP-2_2": "joyful?"}, asked, tmp_path / "run")
    arguments = (run, "--to-answer", asked, "--fill", "fine=surprise", "--out")
    assert submit(*arguments, tmp_path / "one") == 0
    assert submit(*arguments, tmp_path / "two") == 0
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    receipt = json.loads((tmp_path / "one" / "receipt.json").read_text())
    (file,) = receipt["files"]
    (cell,) = receipt["cells"]
    assert receipt["challenge"] == NAME and receipt["fill"]["values"] == {"fine": "surprise"}
    assert file["name"] == PRED and file["rows"] == 10 and len(file["sha256"]) == 64
    assert cell["model"].startswith("predictions:") and cell["rows"] == 10
    assert cell["model_identity"].startswith("predictions sha256:")
    assert set(receipt["runs"][0]["sha256"]) == {
        "manifest.json", "generations.jsonl", "trials.jsonl",
    }  # fmt: skip
    assert str(tmp_path) not in json.dumps(receipt), "no path of this machine"


def test_a_question_without_a_usable_answer_is_named_and_never_guessed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = write(tmp_path, CASME3, rows())
    replies = right() | {
        "casme3_test_CLIP-1_2": "contempt",
        "casme3_test_CLIP-2_1": "I'm sorry, I can't help with that.",
        "casme3_test_CLIP-2_3": "none",
    }
    run = run_of(replies, asked, tmp_path / "run")
    assert submit(run, "--to-answer", asked, "--out", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert "3 replies without a usable answer" in said
    for line in (
        "row 2: fine off-list (the first said 'contempt')",
        "row 6: coarse refused",
        "row 8: action_units none named",
    ):
        assert line in said
    assert not (tmp_path / "out").exists()
    assert submit(run, "--to-answer", asked, "--out", tmp_path / "out", "--fill", "words") == 0
    sent = [row["answer"] for row in answers(tmp_path / "out" / PRED)]
    assert (sent[1], sent[5], sent[7]) == ("contempt", "I'm sorry, I can't help with that.", "none")


def test_rows_no_run_answered_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = write(tmp_path, CASME3, rows())
    some = {k: v for k, v in right().items() if not k.endswith("_4")}
    run = run_of(some, asked, tmp_path / "run")
    assert submit(run, "--to-answer", asked, "--out", tmp_path / "out") == 2
    assert "rows 4 and 9" in capsys.readouterr().err, "a failed answer is no answer"


def test_two_files_from_two_runs_and_a_note_where_one_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    casme3, samm = write(tmp_path, CASME3, rows()), write(tmp_path, SAMM, rows(SAMM))
    one = run_of(right(), casme3, tmp_path / "one", name="one.csv")
    two = run_of(right(SAMM), samm, tmp_path / "two", name="two.csv")
    assert submit(one, two, "--to-answer", casme3, samm, "--out", tmp_path / "out") == 0
    with zipfile.ZipFile(tmp_path / "out" / f"{NAME}.zip") as archive:
        assert archive.namelist() == [PRED, "me_vqa_samm_test_pred.jsonl"]
    capsys.readouterr()
    assert submit(one, "--to-answer", casme3, "--dry-run") == 0
    assert f"note: {SAMM} is missing" in capsys.readouterr().out


def test_a_label_that_only_the_truth_has_can_be_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Warned of as no label of the challenge; but a right answer is never counted as a miss."""
    asked = write(tmp_path, CASME3, rows())
    (tmp_path / "truth").mkdir()
    true = [row | {"answer": row["answer"].replace("disgust", "contempt")} for row in rows(answered=True)]  # fmt: skip
    path = write(tmp_path / "truth", PRED, true)
    assert submit("--check", path, "--to-answer", asked, "--truth", path) == 0
    told = capsys.readouterr().out
    assert "not one of the known labels: 'contempt'" in told
    assert "fine UF1: 1.000" in told and "fine UAR: 1.000" in told


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = write(tmp_path, CASME3, rows())
    run = run_of(right(), asked, tmp_path / "run")
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    assert submit(run, "--to-answer", asked, "--out", tmp_path / "out", "--dry-run") == 0
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before
    assert "nothing written" in capsys.readouterr().out


def test_one_question_answered_twice_is_refused_until_one_is_chosen(tmp_path: Path) -> None:
    asked = write(tmp_path, CASME3, rows())
    one = run_of(right(), asked, tmp_path / "one", name="one.csv")
    two = run_of(right(), asked, tmp_path / "two", name="two.csv")
    form = form_named(NAME)
    questions = [form.read(asked)]
    with pytest.raises(HarnessError, match="answered more than once: rows 1-10"):
        form.answer(questions, [one, two], Choice(), Options())
    chosen = form.answer(questions, [one, two], Choice(model="predictions:two.csv"), Options())
    assert [run for run, _ in chosen.drafts[0].used] == [two]


def test_a_run_on_other_questions_is_refused(tmp_path: Path) -> None:
    asked = write(tmp_path / "a", CASME3, rows())
    other = rows()
    other[3]["question"] = "Is the action unit jaw drop shown on the face?"
    run = run_of(right(), write(tmp_path / "b", CASME3, other), tmp_path / "run")
    form = form_named(NAME)
    with pytest.raises(HarnessError, match="the run asked"):
        form.answer([form.read(asked)], [run], Choice(), Options())
    foreign = write(tmp_path / "a", SAMM, rows(SAMM))
    with pytest.raises(HarnessError, match="no finished answer to any of the 10 questions"):
        form.answer([form.read(foreign)], [run], Choice(), Options())


def test_answers_about_long_videos_round_trip(tmp_path: Path) -> None:
    form = form_named("megc2026-me-lvqa")
    asked = write(tmp_path, LVQA, rows(LVQA, questions=LONG_QUESTIONS))
    replies: Mapping[str, str] = {
        row["video_id"]: f"Answer: {row['answer']}"
        for row in rows(LVQA, questions=LONG_QUESTIONS, answered=True)
    }
    run = run_of(replies, asked, tmp_path / "run", task="megc/me-lvqa")
    answers = form.answer([form.read(asked)], [run], Choice(), Options())
    package = pack(form, answers, Options())
    (data,) = package.files.values()
    wanted = rows(LVQA, questions=LONG_QUESTIONS, answered=True)
    assert [json.loads(line) for line in data.decode().splitlines()] == wanted


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", "x"), "no run folder given"),
        (("RUN",), "--out is missing"),
        (("RUN", "--check", "FILE"), "--check cannot be combined"),
        (("RUN", "--out", "x", "--fill", "mood=sad"), "unknown field 'mood'"),
        (("RUN", "--out", "x", "--fill", "=sad"), "is neither `words` nor FIELD=TEXT"),
    ],
)
def test_what_makes_no_sense_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    asked = write(tmp_path, CASME3, rows())
    run = run_of(right(), asked, tmp_path / "run")
    put = [str(run) if a == "RUN" else str(asked) if a == "FILE" else a for a in arguments]
    assert submit(*put, "--to-answer", asked) == 2
    assert message in capsys.readouterr().err


def test_an_unknown_challenge_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submit", "megc2031", "--to-answer", "x", "--dry-run"]) == 2
    assert "megc2026-me-lvqa" in capsys.readouterr().err


def test_the_same_files_zip_to_the_same_bytes() -> None:
    assert zipped({"a": b"1", "b": b"2"}) == zipped({"a": b"1", "b": b"2"})


def test_two_runs_of_which_each_failed_where_the_other_replied_are_one_submission(
    tmp_path: Path,
) -> None:
    asked = bench.write(tmp_path, bench.CASME3, bench.rows())
    replies = {row["video_id"]: row["answer"] for row in bench.rows(answered=True)}
    halves = [dict(list(replies.items())[:6]), dict(list(replies.items())[6:])]
    runs = [
        str(bench.run_of(half, asked, tmp_path / f"run{at}", name=f"{at}.csv"))
        for at, half in enumerate(halves)
    ]
    options = ["--to-answer", str(asked), "--out", str(tmp_path / "out")]
    assert main(["submit", "megc2025-me-vqa", *runs, *options]) == 0
    written = (tmp_path / "out" / "me_vqa_casme3_test_pred.jsonl").read_bytes()
    assert written == bench.text(bench.rows(answered=True))
