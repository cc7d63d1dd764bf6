"""Answers put into the challenge's sentences and scored as texts."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from harness.analyses.sentences import text_lines
from harness.imports.columns import PredictionMap
from harness.imports.predictions import import_predictions
from harness.run.folder import RunFolder
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from harness.score.folder import score_run
from harness.score.scores import Scores
from tests.submit.bench import QUESTIONS


def scored(
    folder: Path, replies: dict[int, str], sets: tuple[str, ...] = ("samm",), clips: int = 12
) -> Scores:
    """A task of questions with their answers in the files of the challenge's training sets."""
    rows = [
        {
            "id": f"{name}_{clip}_{number}", "dataset": name, "image_id": f"c{clip}",
            "subject": f"{clip % (clips // 4)}", "filename": f"c{clip}", "question": question, "answer": answer,
        }
        for name in sets
        for clip in range(clips)
        for number, (question, answer) in enumerate(QUESTIONS)
    ]  # fmt: skip
    asked = folder / "me_vqa.jsonl"
    asked.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (folder / "a.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "answer"))
        for row in rows:
            number = int(row["id"].rsplit("_", 1)[1])
            writer.writerow((row["id"], replies.get(number, row["answer"])))
    place = open_workspace(folder)
    task = load_task("megc/me-vqa", place, changes=[f"source.file={asked}"], references=False)
    run = RunFolder(folder / "run")
    import_predictions(
        folder / "a.csv", task, PredictionMap(id="id", answer="answer"), run,
        workspace=place, command=["test"], source_meant=True,
    )  # fmt: skip
    return score_run(run)


def values(scores: Scores, cut: str = "all") -> dict[str, float | None]:
    return {
        row.metric: row.value
        for row in scores.scores
        if row.field == "sentence" and row.slice == cut and row.model.startswith("predictions:")
    }


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Scores:
    said = {
        0: "It is negative.",
        1: "positive",
        2: "AU7, AU4",
        4: "action units: AU4, AU7; fine: disgust",
    }
    return scored(tmp_path_factory.mktemp("run"), said)


def test_the_right_values_in_any_words_reach_the_ceiling(scores: Scores) -> None:
    for part in ("coarse", "action_units"):
        found = values(scores, part)
        assert found["exact_match"] == 1.0 and found["rouge1_f1"] == 1.0
        assert found["nltk_bleu4"] == found["nltk_bleu4_ceiling"]
    assert values(scores, "coarse")["nltk_bleu4"] == pytest.approx(0.1**0.75, abs=1e-6)


def test_a_lacking_value_is_an_empty_text(scores: Scores) -> None:
    found = values(scores, "combined")
    assert (found["exact_match"], found["rouge1_f1"], found["nltk_bleu4"]) == (0.0, 0.0, 0.0)
    assert values(scores)["exact_match"] == pytest.approx(3 / 5), "pooled over the parts"


def test_every_row_says_that_it_is_not_official(scores: Scores) -> None:
    rows = [row for row in scores.scores if row.field == "sentence"]
    assert {row.model for row in rows} == {"majority", "prior", "predictions:a.csv"}
    assert all("no official score" in row.estimator for row in rows)


def test_the_terminal_shows_them_beside_what_a_perfect_answer_reaches(scores: Scores) -> None:
    lines = list(text_lines(scores.scores, "megc/me-vqa"))
    assert "not an official score" in lines[1] and lines[-1].startswith("a perfect answer")
    assert len(lines) == 7 and max(map(len, lines)) <= 100


def test_sets_are_scored_apart_and_pooled(tmp_path: Path) -> None:
    found = {
        row.slice: row.value
        for row in scored(tmp_path, {0: "positive"}, ("samm", "casme2"), clips=24).scores
        if (row.field, row.metric) == ("coarse", "uf1") and row.model.startswith("predictions:")
    }
    assert {"coarse", "coarse, dataset=samm", "coarse, dataset=casme2"} <= set(found)
    assert found["coarse"] == 0.0 and found["combined, dataset=samm"] == 1.0
