"""The real questions on CAS(ME)^3, with drawn clips standing in for the frames."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.faces import clip_at, draw, encode_png, frame_at
from harness.sources.megc_questions import question_kind
from tests.submit.bench import CASME3, run_of

SHARED = Path(__file__).parents[3] / "shared" / "data" / "megc"


REPLIES = {
    "coarse": "negative",
    "fine": "disgust",
    "action_units": "brow lowerer",
    "au_shown": "Yes.",
    "combined": "action units: AU4; fine: disgust; coarse: negative",
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="no real files here")
def test_recorded_replies_to_the_real_questions(tmp_path: Path) -> None:
    asked = tmp_path / CASME3
    shutil.copy(SHARED / CASME3, asked)
    questions = [json.loads(line) for line in asked.read_text().splitlines()]
    replies = {q["video_id"]: REPLIES[question_kind(q["question"]) or ""] for q in questions}
    run = run_of(replies, asked, tmp_path / "run")
    submit = ["submit", "megc2025-me-vqa", "--to-answer", str(asked)]
    assert main([*submit, str(run), "--out", str(tmp_path / "out")]) == 0
    made = tmp_path / "out" / "me_vqa_casme3_test_pred.jsonl"
    rows = [json.loads(line) for line in made.read_text().splitlines()]
    assert [{**row, "answer": ""} for row in rows] == questions
    combined = [row for row in rows if "based on" in row["question"]]
    assert len(combined) == 17
    for row in combined:  # in the number in which it was asked
        several = "action units" in row["question"]
        opening = "The action units present are: " if several else "The action unit present is: "
        assert row["answer"].startswith(opening + "brow lowerer. Therefore, ")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not SHARED.is_dir(), reason="no real files here")
def test_to_answer_to_pred_on_the_real_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = tmp_path / CASME3
    shutil.copy(SHARED / CASME3, asked)
    for number in range(1, 18):
        clip = clip_at(number, seed=5)
        folder = tmp_path / "frames" / f"CAS-{number}"
        folder.mkdir(parents=True)
        for frame in (clip.onset, clip.apex, clip.offset):
            png = encode_png(draw(frame_at(clip, frame), size=112).pixels)
            (folder / f"{frame:03d}.png").write_bytes(png)
    run = ["run", "megc/me-vqa", "--model", "affect-tiny", "--out", "run"]
    changes = ["--set", f"source.file={asked}", "--set", f"source.root={tmp_path / 'frames'}"]
    assert main([*run, *changes]) == 0
    submit = ["submit", "megc2025-me-vqa", "--to-answer", str(asked)]
    assert main([*submit, "run", "--out", "out", "--fill", "words"]) == 0
    made = tmp_path / "out" / "me_vqa_casme3_test_pred.jsonl"
    rows = [json.loads(line) for line in made.read_text().splitlines()]
    questions = [json.loads(line) for line in asked.read_text().splitlines()]
    assert [{**row, "answer": ""} for row in rows] == questions
    assert all(row["answer"] for row in rows)
    assert main([*submit, "--check", str(made)]) == 0
