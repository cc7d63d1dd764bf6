"""`--spots`: any spotter's intervals, asked of any recogniser, and scored apart."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import harness
from harness.api.given_spots import over_spots, read_given_spots
from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from harness.sources import open_source
from tests.run.bench import RuleModel

A, B, C = (f"long_test_7_{number:05d}" for number in range(3))
"""True intervals of A: 40-52 surprise, 128-142 contempt; of C: 25-33 disgust; B has none."""
SMALL = {"n": 3, "size": 32}
RUN = ["run", "faces/me-str", "--set", "source.n=3", "--set", "source.size=32"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(here: Path, text: str, name: str = "spots.csv") -> str:
    (here / name).write_text(text, encoding="utf-8")
    return name


def asked(spots: str, out: str = "run", word: str = "surprise") -> harness.Run:
    return harness.evaluate(
        "faces/me-str", model=RuleModel(rule=lambda request: word), source=SMALL, spots=spots,
        out=out, progress=False, report=False,
    )  # fmt: skip


def spotted(run: harness.Run, model: str) -> dict[str, float]:
    body = json.loads((run.path / "scores.json").read_text())
    return {
        r["metric"]: r["value"]
        for r in body["scores"]
        if r["field"] == "spots" and r["model"] == model and r["value"] is not None
    }


def test_spotting_recognition_and_their_product_stand_apart(here: Path) -> None:
    text = f"video,onset,offset,score,emotion\n{A},41,52,.9,fear\n{A},200,210,.2,fear\n{C},25,33,.8,fear\n"
    run = asked(table(here, text))
    found = spotted(run, "rule")
    assert (found["tp_spotting"], found["fp_spotting"], found["fn_spotting"]) == (2, 1, 1)
    assert found["f1_spotting"] == pytest.approx(4 / 6, abs=1e-6)
    assert found["precision_analysis"] == pytest.approx((1 / 2) / 3, abs=1e-6)
    assert found["recall_analysis"] == pytest.approx(1 / 3, abs=1e-6)
    assert found["strs"] == pytest.approx(4 / 6 * (2 / 9), abs=1e-6)
    body = json.loads((run.path / "scores.json").read_text())
    (about,) = body["given_spots"]
    assert about["never_spotted"] == ["contempt"] and about["videos_without"] == 1
    assert about["ceiling"]["strs"] == pytest.approx(4 / 6 * 2 / 3, abs=1e-6)
    uf1 = [r for r in body["scores"] if r["field"] == "emotion" and r["model"] == "rule"]
    assert {r["n"] for r in uf1} == {2}, "recognition is scored over the matched intervals alone"
    manifest = json.loads((run.path / "manifest.json").read_text())
    config = manifest["tasks"]["faces/me-str"]["config"]
    assert config["spotting"]["given"]["origin"] == "spots.csv"
    assert "none" not in config["fields"]["emotion"]["labels"]
    assert {cell["prompt"] for cell in manifest["cells"]} == {"micro/emotion"}


def test_the_true_intervals_are_the_ceiling_and_say_so(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = asked("truth")
    assert spotted(run, "rule")["f1_spotting"] == 1.0
    assert main(["score", "run"]) == 0
    assert "no spotter was used, so F1 spotting is 1" in " ".join(capsys.readouterr().out.split())


def test_other_intervals_are_another_basis_and_the_record_says_where_each_comes_from(
    here: Path,
) -> None:
    place = open_workspace(here)
    task = load_task("faces/me-str", place, changes=["source.n=3"])
    one = table(here, f"video,onset,offset\n{A},41,52\n", "one.csv")
    two = table(here, f'[{{"video": "{A}", "onset": 42, "offset": 52, "score": 0.5}}]', "two.json")
    tasks = [over_spots(task, read_given_spots(name)) for name in (one, two)]
    digests = [t.spotting and t.spotting.given and t.spotting.given.digest for t in tasks]
    assert len(set(digests)) == 2
    (sample,) = open_source(tasks[1].source, fields=task.fields, base=here)
    notes = sample.annotations
    assert (notes["spotted_by"], notes["spot_row"], notes["spot_score"]) == ("two.json", 1, 0.5)
    assert (sample.medium.onset, sample.medium.apex, sample.medium.offset) == (42, 47, 52)
    assert sample.targets == {"emotion": "surprise"}


def test_a_run_of_a_spotter_is_read(here: Path) -> None:
    windows = harness.evaluate(
        "faces/me-str", model=RuleModel(rule=lambda request: "none"), source={"n": 1, "size": 32},
        out="windows", progress=False, report=False,
    )  # fmt: skip
    with pytest.raises(HarnessError, match="has no intervals"):
        read_given_spots(str(windows.path))
    (here / "flow").mkdir()
    table(here, f"subject,video,onset,offset,emotion\ntest-7-000000,{A},41,52,unknown\n", "flow/spots.csv")  # fmt: skip
    assert read_given_spots("flow").rows[0].onset == 41
    again = asked("flow")
    assert [row.onset for row in read_given_spots("run@model=rule").rows] == [41]
    with pytest.raises(HarnessError, match="has 0 cells"):
        read_given_spots("run@model=other")
    with pytest.raises(HarnessError, match="are the same run"):
        asked(str(again.path))


HEAD = "video,onset,offset\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEAD}{A},10,20\n{A},400,410\n", "row 2 (line 3): frames 400 to 410 are not within video"),
        (f"{HEAD}{A},-3,20\n", "row 1 (line 2): frames -3 to 20 are not within"),
        (f"{HEAD}{A},20,10\n{A},1,2\n{C},9,8\n", "row 1 (line 2): onset 20 is after offset 10; row 3 (line 4): onset 9"),
        (f"{HEAD}{A},10,20\n{A},15,25\n", "row 2 (line 3): overlaps row 1 (line 2), frames 10 to 20"),
        (f"{HEAD}{A},10,20\n{A},10,20\n", "row 2 (line 3): the same interval as row 1 (line 2)"),
        (f"{HEAD}long,10,20\n", "row 1 (line 2): there is no video 'long'"),
        (f"subject,{HEAD}S9,{A},10,20\n", "is of subject test-7-000000, not of 'S9'"),
        (HEAD, "has no intervals"),
        ("", "table is empty"),
        (f"video,onset\n{A},3\n", "no column 'offset'"),
        (f"{HEAD}{A},1.35,1.7\n", "row 1 (line 2): onset 1.35 is not a whole number"),
        (f"{HEAD}{A},1,2\n{A},4,5\n", "look like seconds"),
        (f"{HEAD}{A},,5\n{A},x,5\n", "row 1 (line 2): no onset; row 2 (line 3): onset 'x' is not a number"),
        (f"video,onset,offset,apex\n{A},40,50,60\n", "row 1 (line 2): apex 60 is outside 40 to 50"),
    ],
)  # fmt: skip
def test_bad_intervals_are_named_and_nothing_is_asked_or_written(
    here: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    out = here / "run"
    out.mkdir()
    assert main([*RUN, "--spots", table(here, text), "--model", "affect-tiny", "--out", "run"]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert list(out.iterdir()) == []


def test_another_encoding_line_ends_and_delimiter_are_read(here: Path) -> None:
    text = f"Video;Onset;Offset\r\n{A};38;50\r\n"
    (here / "spots.csv").write_bytes(text.encode("utf-16"))
    (row,) = read_given_spots("spots.csv").rows
    assert (row.video, row.onset, row.offset) == (A, 38, 50)


def test_what_has_no_effect_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = table(here, f"{HEAD}{A},41,52\n")
    assert main([*RUN, "--spots", name, "--limit", "1", "--model", "affect-tiny"]) == 2
    assert "--limit has no effect with --spots" in capsys.readouterr().err
    assert main(["run", "faces/emotion", "--spots", name, "--model", "affect-tiny"]) == 2
    assert "is not a spotting task" in capsys.readouterr().err
    assert main([*RUN, "--spots", "none.csv", "--model", "affect-tiny"]) == 2
    assert "not found: none.csv" in capsys.readouterr().err


def test_a_failed_command_leaves_a_finished_run_as_it_was(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(table(here, f"{HEAD}{A},41,52\n"))
    before = {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in Path("run").rglob("*") if p.is_file()}  # fmt: skip
    table(here, f"{HEAD}{A},41,52\n{A},500,510\n")
    assert main([*RUN, "--spots", "spots.csv", "--model", "affect-tiny", "--out", "run"]) == 2
    capsys.readouterr()
    after = {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in Path("run").rglob("*") if p.is_file()}  # fmt: skip
    assert after == before


def test_a_submission_holds_every_interval_and_every_video(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(table(here, f"{HEAD}{A},41,52\n"), word="no idea")
    rows = [("test-7-000000", A), ("test-7-000000", B), ("test-7-000001", C)]
    text = "subject,video\n" + "".join(f"{subject},{video}\n" for subject, video in rows)
    line = ["submit", "megc2025-me-str", "run", "--out", "sent", "--to-answer"]
    line.append(table(here, text, "str_to_answer.csv"))
    assert main(line) == 2
    assert f"1 of 1 intervals have no usable answer, such as {A} 41-52" in capsys.readouterr().err
    assert main([*line, "--fill", "fear"]) == 0
    assert Path("sent/str_pred.csv").read_text().splitlines()[1:] == [
        f"test-7-000000,{A},41,52,fear"
    ]
