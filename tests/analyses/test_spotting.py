"""Windows joined into intervals, tables of intervals, and their scores from a run folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.analyses.rows.spotting import Window, join
from harness.analyses.spot_lines import COUNTS, SHOWN, spot_lines
from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.core.task import SpottingSpec
from harness.imports.columns import PredictionMap
from harness.imports.predictions import import_predictions
from harness.imports.spot_tables import read_spots
from harness.metrics.spots import Spot
from harness.run.folder import RunFolder
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from harness.score.folder import score_run
from harness.score.table import ScoreRow
from harness.sources import open_source

HEADER = ("subject", "video", "onset", "offset", "emotion")
SPEC = SpottingSpec()
FPS = 30.0


def windows(labels: str, likely: Sequence[float] = ()) -> list[Window]:
    """One window of 16 frames every 8; `.` is rest, `?` no answer, letters are labels."""
    return [
        Window(
            8 * at,
            8 * at + 15,
            {".": "none", "?": None}.get(label, label),
            likely[at] if likely else None,
        )
        for at, label in enumerate(labels)
    ]


@pytest.mark.parametrize(
    ("labels", "spots"),
    [
        ("........", []),
        ("...a....", [(26, 36, "a")]),
        ("...aa...", [(30, 40, "a")]),
        ("...aaa..", [(34, 44, "a")]),
        ("..aaaaaaa", []),  # longer than a micro-expression: a macro-expression, or rest
        ("..a?a...", [(18, 28, "a"), (34, 44, "a")]),
        ("...ab...", [(26, 36, "a")]),  # the two overlap, and the earlier of equals stays
        ("..aab...", [(22, 32, "a"), (34, 44, "b")]),
        ("a.......", [(2, 12, "a")]),
    ],
)
def test_runs_of_one_answer_become_intervals(
    labels: str, spots: list[tuple[int, int, str]]
) -> None:
    assert join(windows(labels), SPEC, fps=FPS) == spots
    assert join(windows(labels)[::-1], SPEC, fps=FPS) == spots, "whatever order they come in"


def test_where_rest_is_told_by_one_label_all_along_it_is_no_event() -> None:
    assert join(windows("ccccccaacccccccc"), SPEC, fps=FPS) == [(54, 64, "a")]


def test_the_likeliest_window_is_the_centre() -> None:
    found = join(windows("..aaa..", [0.9, 0.9, 0.5, 0.6, 0.8, 0.9, 0.9]), SPEC, fps=FPS)
    assert found == [(34, 44, "a")]


def write(path: Path, rows: Sequence[Sequence[object]], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


TRUTH = (
    ("1", "a", 45, 85, "happiness"),
    ("1", "b", 130, 160, "others"),
    ("2", "d", 45, 95, "fear"),
)
SAID = (("1", "a", 40, 80, "happiness"), ("2", "d", 45, 95, "others"), ("2", "e", 1, 9, "fear"))


def test_tables_are_scored_both_ways(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said, true = write(tmp_path / "p.csv", SAID), write(tmp_path / "t.csv", TRUTH)
    assert main(["score", "--predictions", str(said), "--events", str(true), "--json"]) == 0
    out, err = capsys.readouterr()
    found = {row["metric"]: row["value"] for row in json.loads(out)["scores"]}
    assert (found["tp_spotting"], found["fp_spotting"], found["fn_spotting"]) == (2, 1, 1)
    assert found["fp_spotting_compat"] == 0
    assert found["f1_spotting"] == pytest.approx(4 / 6, abs=1e-6)
    assert "1 intervals are in videos without a true interval" in err
    assert main(["score", "--predictions", str(said), "--events", str(true)]) == 0
    shown = capsys.readouterr().out
    assert "strict" in shown and "compat" in shown and "(there nan)" in shown


def test_sets_are_scored_apart_and_pooled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = (*HEADER, "dataset")
    said = write(tmp_path / "p.csv", [(*r, "x" if r[0] == "1" else "y") for r in SAID], header)
    true = write(tmp_path / "t.csv", [(*r, "x" if r[0] == "1" else "y") for r in TRUTH], header)
    assert main(["score", "--predictions", str(said), "--events", str(true), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["scores"]
    strs = {row["slice"]: row["value"] for row in rows if row["metric"] == "f1_spotting"}
    assert strs == {
        "all": pytest.approx(4 / 6, abs=1e-6),
        "dataset=x": pytest.approx(2 / 3, abs=1e-6),
        "dataset=y": pytest.approx(2 / 3, abs=1e-6),
    }


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("1", "a", 5, 4, "x")], "row 1 .*onset 5 is after the offset 4"),
        ([("1", "a", 5, 9, "x"), ("1", "", 5, 9, "x")], "row 2 .*no video"),
        ([("1", "a", "5.5", 9, "x")], "'5.5' is not a whole number"),
        ([("1", "a", "five", 9, "x")], "'five' is not a whole number"),
    ],
)
def test_a_broken_row_is_named(
    tmp_path: Path, rows: list[tuple[object, ...]], message: str
) -> None:
    with pytest.raises(HarnessError, match=message):
        read_spots(write(tmp_path / "p.csv", rows))


def test_frames_before_the_first_are_read(tmp_path: Path) -> None:
    table = read_spots(write(tmp_path / "p.csv", [("1", "a", -3, "65.0", "x")]))
    assert table.spots == (Spot("1", "a", -3, 65, "x"),)


def test_a_run_over_windows_is_scored_and_tables_meet_the_same_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = open_workspace(tmp_path)
    task = load_task("faces/me-str", place, changes=["source.n=4"])
    samples = list(open_source(task.source, fields=task.fields, base=tmp_path))
    answers = write(
        tmp_path / "answers.csv", [(s.id, s.targets["emotion"]) for s in samples], ("id", "answer")
    )
    run = RunFolder(tmp_path / "run")
    import_predictions(
        answers, task, PredictionMap(id="id", answer="answer"), run,
        workspace=place, command=["test"], source_meant=True,
    )  # fmt: skip
    rows = [row for row in score_run(run).scores if row.field == "spots"]
    found = {row.metric: row for row in rows if row.model.startswith("predictions:")}
    assert found["strs"].value is not None and found["strs"].value > 0.7, (
        "the rule finds the events"
    )
    assert found["strs"].n == 4 and "by subject" in found["strs"].estimator
    nothing = {row.metric: row.value for row in rows if row.model == "majority"}
    assert (nothing["strs"], nothing["strs_compat"]) == (0.0, None)
    true = {(s.annotations["subject"], s.annotations["video"], *event)
            for s in samples for event in json.loads(str(s.annotations["events"]))}  # fmt: skip
    table = write(tmp_path / "spots.csv", sorted(true))
    changes = ["--set", "source.n=4"]
    arguments = ["score", "--predictions", str(table), "--task", "faces/me-str", *changes, "--json"]
    assert main(arguments) == 0
    perfect = {r["metric"]: r["value"] for r in json.loads(capsys.readouterr().out)["scores"]}
    assert perfect["f1_spotting"] == 1.0


def test_the_short_form_shows_what_its_headings_say() -> None:
    metrics = (*dict(SHOWN), *dict(COUNTS))
    values = {name: number / 100 for number, name in enumerate(metrics)}
    rows = [
        ScoreRow("t", "m", "p", "none", "all", "spots", name + end, value, None, None, 2, None, "e")
        for name, value in values.items()
        for end in ("", "_compat")
    ]
    _, _, headings, numbers, _ = spot_lines(rows, whole=False)
    assert " ".join(headings.split()) == "STRS F1 spotting F1 analysis compat STRS"
    shown = [float(word) for word in numbers.split()[2:]]
    assert shown == [values[n] for n in ("strs", "f1_spotting", "f1_analysis", "strs")]
