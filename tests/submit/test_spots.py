"""Tables of intervals for ME-STR: made from runs over windows, and checked."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.imports.columns import PredictionMap
from harness.imports.predictions import import_predictions
from harness.run.folder import RunFolder
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from harness.sources import open_source
from harness.submit.megc.spots import check_spots, read_videos

HEAD = "subject,video,onset,offset,emotion\n"
ASKED = "me_str_drawn_to_answer.csv"


def videos(folder: Path, *rows: tuple[str, str]) -> Path:
    path = folder / ASKED
    path.write_text("subject,video\n" + "".join(f"{s},{v}\n" for s, v in rows))
    return path


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("s,a,5,9\n", "row 1: not 5 cells"),
        ("s,a,5,9,\n", "row 1: an empty cell"),
        ("s,a,5,x,fear\n", "row 1: onset or offset is not a whole number"),
        ("s,a,9,5,fear\n", "row 1: the onset is after the offset"),
        ("s,a,1,5,fear\ns,z,5,9,fear\n", "row 2: a video that is not in the list"),
        ("s,a,1,5,fear\ns,a,1,5,fear\n", "rows 1 and 2: the same interval"),
    ],
)
def test_faults_are_named_with_their_rows(tmp_path: Path, body: str, fault: str) -> None:
    asked = read_videos(videos(tmp_path, ("s", "a"), ("s", "b")))
    assert fault in check_spots((HEAD + body).encode(), asked, name="x").faults


def test_another_header_is_a_fault(tmp_path: Path) -> None:
    asked = read_videos(videos(tmp_path, ("s", "a")))
    for data in (b"", b"video,subject\n", b"\xff\xfe", HEAD.replace(",", ";").encode()):
        assert check_spots(data, asked, name="x").faults


def test_odd_content_is_warned_of(tmp_path: Path) -> None:
    asked = read_videos(videos(tmp_path, ("s", "a"), ("s", "b")))
    body = "s,a,1,9,fear\r\ns,a,5,12,gloom\r\n"
    findings = check_spots((HEAD + body).encode(), asked, name="x")
    assert findings.faults == ()
    assert findings.warnings == (
        "Windows line endings",
        "row 2: not one of the known labels: 'gloom'",
        "row 2: overlaps another interval of the same video",
        "1 of 2 videos without an interval",
    )


def test_emotions_are_those_of_the_set_or_those_that_are_given(tmp_path: Path) -> None:
    """CAS(ME)^3 has no contempt; the challenge's own lists are not public, so they can be named."""
    from harness.core.errors import HarnessError

    paths = {}
    for name in ("me_str_casme3_test", "me_str_samm_test", "drawn"):
        paths[name] = tmp_path / f"{name}_to_answer.csv"
        paths[name].write_text("subject,video\ns,a\n")
    body = (HEAD + "s,a,1,9,contempt\n").encode()
    for name, known in {
        "me_str_casme3_test": False,
        "me_str_samm_test": True,
        "drawn": True,
    }.items():
        asked = read_videos(paths[name])
        found = check_spots(body, asked, name="x")
        assert (found.warnings == ()) is known and (found.labels == {}) is known
        given = {"emotion": ("contempt", "others")}
        assert check_spots(body, asked, given, name="x").warnings == ()
        (warning,) = check_spots(body, asked, {"emotion": ("fear",)}, name="x").warnings
        assert warning == "row 1: not one of the known labels: 'contempt'"
    with pytest.raises(HarnessError, match="no labels for 'fine'"):
        check_spots(body, asked, {"fine": ("fear",)}, name="x")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("videos.csv", "subject,video\ns,a\n", "must be named NAME_to_answer.csv"),
        (ASKED, "subject\ns\n", "no column 'video'"),
        (ASKED, "subject,video\ns,a\ns,a\n", "rows 1 and 2: the same video 's a'"),
        (ASKED, "subject,video\ns,\n", "no subject or video"),
        (ASKED, "subject,video\n", "has no rows"),
    ],
)
def test_a_table_of_videos_that_cannot_be_read_is_told(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(HarnessError, match=message):
        read_videos(tmp_path / name)


def test_from_answers_about_windows_to_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = open_workspace(tmp_path)
    task = load_task("faces/me-str", place, changes=["source.n=2"])
    samples = list(open_source(task.source, fields=task.fields, base=tmp_path))
    with (tmp_path / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [("id", "answer"), *((s.id, s.targets["emotion"]) for s in samples)]
        )
    run = tmp_path / "run"
    import_predictions(
        tmp_path / "a.csv", task, PredictionMap(id="id", answer="answer"), RunFolder(run),
        workspace=place, command=["test"], source_meant=True,
    )  # fmt: skip
    asked = dict.fromkeys((s.cluster or "", str(s.annotations["video"])) for s in samples)
    path = videos(tmp_path, *asked)
    arguments = ["submit", "megc2025-me-str", "--to-answer", str(path)]
    assert main([*arguments, str(run), "--out", str(tmp_path / "out")]) == 0
    made = tmp_path / "out" / "me_str_drawn_pred.csv"
    lines = made.read_text().splitlines()
    assert lines[0] + "\n" == HEAD and len(lines) > 2
    receipt = json.loads((tmp_path / "out" / "receipt.json").read_text())
    assert receipt["files"][0]["rows"] == len(lines) - 1
    assert main([*arguments, "--check", str(made)]) == 0
    made.write_text(made.read_text() + "s,q,1,2,fear\n")
    assert main([*arguments, "--check", str(made)]) == 1
    videos(tmp_path, *asked, ("s", "other"))
    assert main([*arguments, str(run), "--dry-run"]) == 2
    assert "1 of 3 videos are missing in these runs" in capsys.readouterr().err
