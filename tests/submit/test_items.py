"""BLEMORE and ABAW: answers for named clips and frames, their checks, and local scores against true answers."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

import harness
from harness.cli.main import main
from harness.core.answer import Answer
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.outcome import Outcome
from harness.imports.columns import PredictionMap
from harness.imports.predictions import import_predictions
from harness.run.folder import RunFolder
from harness.run.sample_file import PlannedSample
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from harness.sources import open_source
from harness.submit import Choice, Findings, Given, Options, form_named
from harness.submit.abaw import nearest_answers
from harness.submit.blends import CODES, Blend, blend_of
from harness.submit.choice import item_key
from harness.submit.frame_scores import EXPRESSION_NAMES, UNITS, unit_cells
from harness.submit.items import ask_again
from tests import open_sets
from tests.run.bench import RuleModel

VA = "image_location,valence,arousal\n"
EXPR = "image_location," + ",".join(name.title() for name in EXPRESSION_NAMES) + "\n"
AU = f"image_location,{','.join(UNITS)}\n"


def imported(folder: Path, task: str, answers: Sequence[str]) -> tuple[Path, list[str]]:
    """A run in which a drawn task is answered, and the ids of its samples."""
    place = open_workspace(folder)
    config = load_task(task, place, changes=[f"source.n={len(answers)}"], references=False)
    ids = [sample.id for sample in open_source(config.source, fields=config.fields, base=folder)]
    table = folder / "answers.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "answer"), *zip(ids, answers, strict=True)])
    run = folder / "run"
    import_predictions(
        table,
        config,
        PredictionMap(id="id", answer="answer"),
        RunFolder(run),
        workspace=place,
        command=["test"],
    )
    return run, ids


def template(path: Path, clips: Sequence[str]) -> Path:
    told = {clip: [{"emotion": "sad", "salience": 100.0}] for clip in clips}
    path.write_text(json.dumps({"predictions": told}))
    return path


def said(shares: Sequence[tuple[str, float]] = (), value: object = None) -> Given:
    outcome = Outcome.ANSWERED if value is not None else Outcome.OFF_LIST
    answer = Answer(outcome, value, "test", shares=tuple(shares))  # type: ignore[arg-type]
    return Given(Path("run"), Cell("t", "m", "p", "none", "single"), {"emotion": answer}, "")


@pytest.mark.parametrize(
    ("shares", "blend"),
    [
        ([("anger", 0.9), ("fear", 0.1)], {"ang": 100.0}),
        ([("anger", 0.84), ("fear", 0.16)], {"ang": 70.0, "fea": 30.0}),
        ([("anger", 0.55), ("fear", 0.45)], {"ang": 50.0, "fea": 50.0}),
        ([("fear", 0.3), ("happiness", 0.6), ("sadness", 0.1)], {"hap": 70.0, "fea": 30.0}),
        ([("neutral", 0.5), ("fear", 0.3), ("disgust", 0.2)], {"neu": 100.0}),
        ([("happiness", 0.5), ("neutral", 0.4), ("disgust", 0.1)], {"hap": 70.0, "disg": 30.0}),
        ([("happiness", 0.6), ("neutral", 0.4)], {"hap": 100.0}),
    ],
)
def test_shares_become_a_blend_by_the_stated_rule(
    shares: list[tuple[str, float]], blend: Blend
) -> None:
    assert blend_of(said(shares, shares[0][0])) == blend


@given(st.dictionaries(st.sampled_from(sorted(CODES)), st.floats(0.01, 1), min_size=1))
@settings(max_examples=50)
def test_every_blend_is_one_that_the_check_lets_pass(shares: dict[str, float]) -> None:
    total = sum(shares.values())
    blend = blend_of(said([(name, share / total) for name, share in shares.items()], "fear"))
    assert blend is not None and sum(blend.values()) == 100
    assert tuple(sorted(blend.values())) in {(100.0,), (50.0, 50.0), (30.0, 70.0)}
    assert len(blend) == 1 or "neu" not in blend


def test_labels_and_sets_are_blends_too() -> None:
    assert blend_of(said(value="joy")) == {"hap": 100.0}
    assert blend_of(said(value=("fear", "anger"))) == {"fea": 50.0, "ang": 50.0}
    assert blend_of(said(value=("fear", "anger", "sadness"))) is None
    assert blend_of(said()) is None


def test_clips_are_answered_checked_and_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, ids = imported(tmp_path, "faces/mixture", ["happiness", "fear", "contempt?", "anger"])
    asked = template(tmp_path / "submission_template.json", ids)
    submit = ["submit", "blemore", "--to-answer", str(asked)]
    assert main([*submit, str(run), "--out", str(tmp_path / "out")]) == 2
    assert "row 3: emotion off-list" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    truth = tmp_path / "truth.csv"
    rows = [("A1_x", "hap", "", "", "")]
    rows += [
        (ids[0], "hap", "", "", ""),
        (ids[1], "fea", "ang", "70", "30"),
        (ids[3], "ang", "", "", ""),
    ]
    with truth.open("w", newline="") as file:
        head = ("filename", "emotion_1", "emotion_2", "emotion_1_salience", "emotion_2_salience")
        csv.writer(file).writerows([head, *rows])
    done = [*submit, str(run), "--out", str(tmp_path / "out"), "--fill", "neutral"]
    assert main([*done, "--truth", str(truth)]) == 0
    out = capsys.readouterr().out
    assert "ACC_presence: 0.667" in out and "ACC_salience (blends): 0.000" in out
    assert "without a truth in truth.csv and left out: 1 clip\n" in out
    assert "few clips: in simulations such intervals hold the truth in .00 to " in out
    data = json.loads((tmp_path / "out" / asked.name).read_text())["predictions"]
    assert list(data) == ids and data[ids[2]] == [{"emotion": "neu", "salience": 100.0}]
    with zipfile.ZipFile(tmp_path / "out" / "blemore.zip") as archive:
        assert archive.namelist() == ["submission_template.json"]
    receipt = json.loads((tmp_path / "out" / "receipt.json").read_text())
    assert receipt["files"][0]["filled"] == [{"row": 3, "clip": ids[2], "why": "emotion off-list"}]
    assert main([*submit, "--check", str(tmp_path / "out" / asked.name)]) == 0


def test_blends_score_as_the_challenge_counts(tmp_path: Path) -> None:
    def put(name: str, told: dict[str, list[tuple[str, float]]]) -> Path:
        body = {c: [{"emotion": e, "salience": s} for e, s in blend] for c, blend in told.items()}
        (tmp_path / name).write_text(json.dumps({"predictions": body}))
        return tmp_path / name

    truth = put("truth.json", {"A1_a": [("ang", 100)], "A1_b": [("ang", 30), ("hap", 70)], "A2_c": [("disg", 50), ("hap", 50)], "A2_d": [("fea", 70), ("sad", 30)]})  # fmt: skip
    answers = put("said.json", {"A1_a": [("ang", 100)], "A1_b": [("hap", 70), ("ang", 30)], "A2_c": [("hap", 30), ("disg", 70)], "A2_d": [("fea", 100)]})  # fmt: skip
    form = form_named("blemore")
    score = form.score(answers.read_bytes(), form.read(truth), truth)
    assert [figure.value for figure in score.figures] == [0.75, pytest.approx(1 / 3)]
    assert score.resampled == "actors" and score.figures[0].interval.clusters == 2


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"b": None}, "missing: row 2 of the file to be answered"),
        ({"z": [{"emotion": "ang", "salience": 100}]}, "row 3: a clip that was not asked"),
        ({"a": [{"emotion": "rage", "salience": 100}]}, "row 1: an emotion other than ang"),
        ({"a": [{"emotion": "ang", "salience": 60}]}, "row 1: saliences that do not add up to 100"),
        ({"a": [{"emotion": "ang", "salience": 70}, {"emotion": "neu", "salience": 30}]}, "row 1: neutral as part of a blend"),
        ({"a": [{"emotion": "ang", "salience": 50}, {"emotion": "ang", "salience": 50}]}, "row 1: the same emotion twice"),
        ({"a": [{"emotion": "ang"}]}, "row 1: an entry is not an object of emotion and salience"),
        ({"a": []}, "row 1: not a list of one or two emotions"),
        ({"a": [{"emotion": "ang", "salience": True}]}, "row 1: a salience that is not a number"),
    ],
)  # fmt: skip
def test_faulty_clips_are_named(tmp_path: Path, change: dict[str, object], fault: str) -> None:
    form = form_named("blemore")
    asked = form.read(template(tmp_path / "t.json", ["a", "b"]))
    told = json.loads((tmp_path / "t.json").read_text())["predictions"] | change
    told = {clip: blend for clip, blend in told.items() if blend is not None}
    found = form.check(json.dumps({"predictions": told}).encode(), asked, Options(), name="t.json")
    assert any(one.startswith(fault) for one in found.faults), found.faults
    for data in (b"{", b"[]", b"\xff", b'{"predictions": 1}', b"[" * 100_000):
        assert form.check(data, asked, Options(), name="t.json").faults


def test_frames_are_answered_or_filled_from_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, ids = imported(tmp_path, "faces/mixture", ["happiness", "fear", "no idea", "anger", "sadness", "disgust", "neutral"])  # fmt: skip
    asked = tmp_path / "CVPR_6th_ABAW_Expr_test_set_example.txt"
    asked.write_text(EXPR + "".join(f"{name},\n" for name in [*ids, "late.png"]))
    submit = [
        "submit",
        "abaw-expr",
        str(run),
        "--to-answer",
        str(asked),
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(submit) == 2
    assert "not answered in these runs: row 8" in capsys.readouterr().err
    assert main([*submit, "--fill", "nearest"]) == 0
    lines = (tmp_path / "out" / "predictions.txt").read_text().splitlines()
    assert lines[0] == EXPR.strip() and len(lines) == 9
    assert lines[1] == f"{ids[0]},4" and lines[3] == f"{ids[2]},3", "the earlier of two neighbours"
    assert lines[8] == "late.png,0"
    assert "2 frames took the answer" in capsys.readouterr().out
    assert main([*submit, "--fill", "words"]) == 2 and main([*submit, "--labels", "emotion=a"]) == 2


@pytest.mark.parametrize(
    ("name", "head", "rows", "fault"),
    [
        ("abaw-va", VA, ["a/1.jpg,.1,.2", "a/2.jpg,1.5,0"], "row 2: not two numbers from -1 to 1"),
        ("abaw-va", VA, ["a/2.jpg,0,0", "a/1.jpg,0,0"], "row 2: not in the order"),
        ("abaw-va", VA, ["a/1.jpg,0,0", "a/1.jpg,0,0"], "rows 1 and 2: the same frame"),
        ("abaw-va", "image_location,arousal,valence\n", ["a/1.jpg,0,0", "a/2.jpg,0,0"], "the header is"),
        ("abaw-va", VA, ["a/1.jpg,nan,0", "a/2.jpg,0,0"], "row 1: not two numbers"),
        ("abaw-expr", EXPR, ["a/1.jpg,8", "a/2.jpg,0"], "row 1: not a class number from 0 to 7"),
        ("abaw-expr", EXPR, ["a/1.jpg,1.5", "a/2.jpg,0"], "row 1: not a class number"),
        ("abaw-au", AU, [f"a/1.jpg,{','.join('0' * 12)}", f"a/2.jpg,{','.join('0' * 11)}"], "row 2: not 12 cells"),
        ("abaw-expr", EXPR, ["a/1.jpg,1", "b/9.jpg,0"], "row 2: a frame that was not asked"),
    ],
)  # fmt: skip
def test_faulty_frames_are_named(
    tmp_path: Path, name: str, head: str, rows: list[str], fault: str
) -> None:
    form = form_named(name)
    right = {"abaw-va": VA, "abaw-expr": EXPR, "abaw-au": AU}[name]
    (tmp_path / "asked.txt").write_text(right + "a/1.jpg,\na/2.jpg,\n")
    asked = form.read(tmp_path / "asked.txt")
    found: Findings = form.check(
        (head + "\n".join(rows) + "\n").encode(), asked, Options(), name="p"
    )
    assert any(one.startswith(fault) for one in found.faults), found.faults


def test_the_frames_of_a_file_to_be_answered_are_asked_and_answered(tmp_path: Path) -> None:
    names = [f"v{video}/{frame:05}.jpg" for video in (1, 2) for frame in (1, 2, 3, 5)]
    for at, name in enumerate(names):
        open_sets.put(tmp_path / "cropped_aligned" / name, open_sets.face(at))
    asked = open_sets.put(tmp_path / "example.txt", EXPR + "".join(f"{name},\n" for name in names))
    source = {"root": str(tmp_path), "to_answer": str(asked), "every": 2}
    run = harness.evaluate(
        "aff-wild2/expression", model=RuleModel(rule=lambda request: "fear"), source=source,
        out=tmp_path / "run", progress=False, report=False,
    )  # fmt: skip
    form = form_named("abaw-expr")
    draft = form.answer([form.read(asked)], [run.path], Choice(), Options(("nearest",))).drafts[0]
    assert draft.data.decode() == EXPR + "".join(f"{name},3\n" for name in names)
    assert draft.entry == {"filled_nearest": 4, "unusable": 0, "not_asked": 4}
    for text, told in (("video,x\n", "does not begin with image_location"), (EXPR + "../x.jpg,\n", "line 2: '../x.jpg' is not")):  # fmt: skip
        asked.write_text(text)
        with pytest.raises(HarnessError, match=told):
            list(open_source({"family": "aff-wild2", "annotations": "", **source}, fields={"emotion": FieldSpec(kind="label", labels=EXPRESSION_NAMES)}, base=tmp_path))  # fmt: skip


def test_another_challenge_s_frames_are_refused(tmp_path: Path) -> None:
    for body, message in (
        (EXPR + "a/1.jpg,\n", "the header is"),
        (VA, "has no rows"),
        (VA + "a/1.jpg,\na/1.jpg,\n", "rows 1 and 2: the same frame"),
        (VA + ",\n", "row 1: no image_location"),
    ):
        (tmp_path / "x.txt").write_text(body)
        with pytest.raises(HarnessError, match=message):
            form_named("abaw-va").read(tmp_path / "x.txt")


def test_frames_score_as_other_libraries_do(tmp_path: Path) -> None:
    drawn = np.random.default_rng(3)
    frames = [f"v{at % 5}/{at:05}.jpg" for at in range(200)]

    def put(name: str, head: str, cells: Sequence[str]) -> Path:
        body = "".join(f"{f},{c}\n" for f, c in zip(frames, cells, strict=True))
        (tmp_path / name).write_text(head + body)
        return tmp_path / name

    true, told = drawn.integers(0, 8, 200), drawn.integers(0, 8, 200)
    told[:120] = true[:120]
    truth = put("t.txt", EXPR, [str(one) if at else "-1" for at, one in enumerate(true)])
    form = form_named("abaw-expr")
    score = form.score(
        put("p.txt", EXPR, list(map(str, told))).read_bytes(), form.read(truth), truth
    )
    assert score.figures[0].value == pytest.approx(f1_score(true[1:], told[1:], average="macro"))
    assert score.figures[0].n == 199 and score.figures[0].interval.clusters == 5
    x, y = drawn.uniform(-1, 1, (200, 2)).round(3), drawn.uniform(-1, 1, (200, 2)).round(3)
    y = (0.7 * x + 0.3 * y).round(3)
    truth = put("t.txt", VA, [f"{a},{b}" for a, b in x])
    form = form_named("abaw-va")
    score = form.score(
        put("p.txt", VA, [f"{a},{b}" for a, b in y]).read_bytes(), form.read(truth), truth
    )
    ccc = [
        2 * np.cov(x[:, at], y[:, at], bias=True)[0, 1]
        / (x[:, at].var() + y[:, at].var() + (x[:, at].mean() - y[:, at].mean()) ** 2)
        for at in (0, 1)
    ]  # fmt: skip
    assert [one.value for one in score.figures] == pytest.approx([*ccc, sum(ccc) / 2])
    units, guess = drawn.integers(0, 2, (200, 12)), drawn.integers(0, 2, (200, 12))
    truth = put("t.txt", AU, [",".join(map(str, row)) for row in units])
    form = form_named("abaw-au")
    data = put("p.txt", AU, [",".join(map(str, row)) for row in guess]).read_bytes()
    score = form.score(data, form.read(truth), truth)
    assert score.figures[0].value == pytest.approx(f1_score(units, guess, average="macro"))
    with pytest.raises(HarnessError, match="labels no frame"):
        form.score(data, form.read(truth), put("none.txt", AU, ["-1"] * 200))


def test_choice_of_cells_reaches_items(tmp_path: Path) -> None:
    run, ids = imported(tmp_path, "faces/mixture", ["happiness", "fear"])
    form = form_named("blemore")
    asked = [form.read(template(tmp_path / "t.json", ids))]
    with pytest.raises(HarnessError, match="no finished answer to any of the 2 items"):
        form.answer(asked, [run], Choice(model="other"), Options())
    with pytest.raises(HarnessError, match="answered more than once: rows 1 and 2"):
        form.answer(asked, [run, run], Choice(), Options())


def test_only_the_ending_of_a_media_file_is_left_out_of_a_name() -> None:
    def item(name: str, *items: str) -> str | None:
        sample = PlannedSample(name, "", None, (), {}, {}, ())
        return item_key(items)(sample)

    assert item("v/1", "v/1.jpg", "v/2.jpg") == item("v/1.PNG", "v/1.jpg") == "v/1.jpg"
    assert item("clip.3", "clip.1", "clip.2") is None
    assert item("clip.2.mp4", "clip.1", "clip.2") == item("clip.2.wav", "clip.2") == "clip.2"


@pytest.mark.parametrize(
    ("named", "cells"),
    [
        (("AU1", "au 12"), "1,0,0,0,0,0,1,0,0,0,0,0"),
        (("outer brow raiser", "lip tightener"), "0,1,0,0,0,0,0,0,1,0,0,0"),
        (("dimpler", "AU4"), "0,0,1,0,0,0,0,0,0,0,0,0"),
        ((), "0,0,0,0,0,0,0,0,0,0,0,0"),
        (("smile",), None),
    ],
)
def test_units_are_known_by_number_and_by_name(named: tuple[str, ...], cells: str | None) -> None:
    assert unit_cells(named) == cells


def test_units_that_no_row_shows_are_warned_of(tmp_path: Path) -> None:
    rows = [f"v/{at}.jpg,1,{'0,' * 10}{at % 2}\n" for at in range(20)]
    (tmp_path / "asked.txt").write_text(AU + "".join(rows))
    form = form_named("abaw-au")
    found = form.check((AU + "".join(rows)).encode(), form.read(tmp_path / "asked.txt"), Options(), name="p")  # fmt: skip
    assert found.warnings == ("shown in no row: AU2, AU4, AU6, AU7, AU10, AU12, AU15, AU23, AU24, AU25",)  # fmt: skip


def test_the_nearest_frame_is_that_of_the_nearest_number(tmp_path: Path) -> None:
    frames = [f"v/{number:05}.jpg" for number in (1, 2, 90, 100)]
    assert nearest_answers(frames, {frames[0]: "a", frames[3]: "b"}, "f")[frames[2]] == "b"
    named = ["v/x.jpg", "v/y.jpg", "v/z.jpg"]
    assert nearest_answers(named, {"v/x.jpg": "a", "v/z.jpg": "b"}, "f")["v/y.jpg"] == "a"


def test_nothing_is_written_over_what_no_receipt_tells_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, ids = imported(tmp_path, "faces/mixture", ["happiness", "fear"])
    asked = template(tmp_path / "t.json", ids)
    submit = ["submit", "blemore", str(run), "--to-answer", str(asked), "--out"]
    for name, told in (("receipt.json", "is not the receipt"), ("t.json", "would be written over"), ("blemore.zip", "would be written over")):  # fmt: skip
        for made, make in (("file", lambda path: path.write_text("{}")), ("folder", Path.mkdir)):
            out = tmp_path / f"{name}-{made}"
            out.mkdir()
            make(out / name)
            assert main([*submit, str(out)]) == 2
            assert told in capsys.readouterr().err
            assert [one.name for one in out.iterdir()] == [name]


def test_cells_that_differ_in_how_much_is_thought_can_be_chosen() -> None:
    plain = Cell("t", "m", "p", "none", "single")
    cells = [plain, replace(plain, thinking="low"), replace(plain, protocol="vote-5"), replace(plain, channel="choice")]  # fmt: skip
    for cell in cells:
        assert [one for one in cells if Choice(channel=cell.taken).takes(one)] == [cell]
    assert all(Choice().takes(cell) for cell in cells)


def test_what_failed_is_to_be_asked_again_first() -> None:
    assert "asks again" in ask_again(["coarse off-list", "coarse failed"])
    assert ask_again(["coarse off-list", "emotion refused"]) == ""
