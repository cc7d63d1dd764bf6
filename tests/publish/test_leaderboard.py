"""Leaderboards: what stands on them, and what may not."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.run.folder import RunFolder
from tests.compare.test_gate import answers
from tests.report.runs import emotion_task, make_run


@pytest.fixture
def open_export(exported: Path, tmp_path: Path) -> Path:
    """The export as a folder that a test may spoil."""
    with zipfile.ZipFile(exported) as archive:
        archive.extractall(tmp_path / "mine")
    return tmp_path / "mine"


def check(capsys: pytest.CaptureFixture[str], *paths: Path) -> tuple[int, str]:
    status = main(["board", "check", *map(str, paths)])
    return status, capsys.readouterr().out


def test_a_board_ranks_runs_and_exports(
    run: RunFolder, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "board"
    assert main(["board", "build", str(exported), "--out", str(out)]) == 0
    text = (out / "README.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("| 1") or line.startswith("| 4")]
    assert lines[0].startswith("| 1† | good | emotion/cot | none | .979")
    assert "=po\\_or%" in lines[1] and "by paired tests" in text
    body = json.loads((out / "leaderboard.json").read_text())
    assert [line["tied"] for line in body["boards"][0]["lines"][:4]] == [True, False, False, False]
    assert "<td>good</td>" in (out / "index.html").read_text()
    before = (out / "README.md").read_bytes()
    assert main(["board", "build", str(run.path), "--out", str(out)]) == 0
    assert (out / "README.md").read_bytes() == before.replace(b"| export |", b"| run |")
    (out / "mine.txt").write_text("x")
    assert main(["board", "build", str(run.path), "--out", str(out)]) == 2
    assert "is no leaderboard" in capsys.readouterr().err


def test_without_samples_ties_are_overlaps(run: RunFolder, tmp_path: Path) -> None:
    bare, out = tmp_path / "bare", tmp_path / "board"
    assert main(["export", str(run.path), "--no-samples", "--out", str(bare)]) == 0
    assert main(["board", "build", str(bare), "--out", str(out)]) == 0
    text = (out / "README.md").read_text()
    assert "nothing could be paired" in text and "| 1† | good | emotion/cot |" in text


def test_an_export_of_drawn_faces_may_go_onto_a_board(
    exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(capsys, exported) == (0, f"{exported}: may go onto a board\n")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "scores.json").write_text((f / "scores.json").read_text().replace("0.97", "0.99")), "scores.json was changed"),
        (lambda f: (f / "face.jpg").write_bytes(b"\xff\xd8\xff"), "it holds face.jpg"),
        (lambda f: (f / "records.parquet").unlink(), "records.parquet is missing"),
        (lambda f: (f / "README.md").write_text("<img src='data:image/png;base64,AA'>"), "README.md holds a picture"),
        (lambda f: (f / "conversations.jsonl").write_text("{}"), "conversations.jsonl was added"),
    ],
)  # fmt: skip
def test_what_was_changed_may_not(
    open_export: Path,
    spoil: object,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(open_export)  # type: ignore[operator]
    status, out = check(capsys, open_export)
    assert (status, said in out) == (1, True), out
    assert main(["board", "build", str(open_export), "--out", str(tmp_path / "b")]) == 2
    assert not (tmp_path / "b").exists()


def test_labels_of_a_data_set_may_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = answers(tmp_path / "a.csv", 0.9, n=40)
    run = tmp_path / "run"
    assert main(["score", "--predictions", str(table), "--task", "table/emotion", "--out", str(run)]) == 0  # fmt: skip
    for more, status in (([], 1), (["--no-samples"], 0)):
        assert main(["export", str(run), "--out", str(tmp_path / "e"), *more]) == 0
        capsys.readouterr()
        found, out = check(capsys, tmp_path / "e")
        assert (found, "--no-samples" in out) == (status, bool(status))
    assert main(["board", "check", str(run)]) == 2
    assert "not an export" in capsys.readouterr().err


def test_runs_on_other_data_share_no_board(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = emotion_task(n=28).model_copy(update={"name": "raf-db/emotion"})
    other = make_run(tmp_path / "other", tasks=[task])
    assert main(["board", "build", str(run.path), str(other.path), "--out", str(tmp_path / "b")]) == 2  # fmt: skip
    assert "other data for raf-db/emotion" in capsys.readouterr().err
    shutil.copytree(run.path, tmp_path / "run")
    assert main(["board", "build", str(run.path), str(tmp_path / "run"), "--out", str(tmp_path / "b")]) == 2  # fmt: skip
    assert "the same folder name" in capsys.readouterr().err


def test_an_unfinished_run_may_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def reply(cell: object, sample: object, number: int) -> str | None:
        return None if number == 3 else "anger"

    run = make_run(tmp_path / "run", tasks=[emotion_task(n=28)], reply=reply)
    assert main(["export", str(run.path), "--out", str(tmp_path / "e")]) == 0
    status, out = check(capsys, tmp_path / "e")
    assert status == 1 and "27 of 28 trials are finished" in out
