"""Files of questions in the challenge's layout, made up, and run folders that answer them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from harness.imports.columns import PredictionMap
from harness.imports.predictions import import_predictions
from harness.run.folder import RunFolder
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace

CASME3 = "me_vqa_casme3_test_to_answer.jsonl"
SAMM = "me_vqa_samm_test_to_answer.jsonl"
LVQA = "me_lvqa_samm_test_to_answer.jsonl"

QUESTIONS = (
    ("What is the coarse expression class?", "negative"),
    ("What is the fine-grained expression class?", "disgust"),
    ("What are the action units?", "brow lowerer, lid tightener"),
    ("Is the action unit dimpler shown on the face?", "no"),
    (
        "What are the action units present, and based on them, what is the fine-grained expression "
        "and the coarse expression class?",
        "The action units present are: brow lowerer, lid tightener. Therefore, the fine-grained "
        "expression class is disgust, and the coarse expression class is negative.",
    ),
)
LONG_QUESTIONS = (
    ("How many expression events appear in this video?", "3"),
    ("How many micro-expression events appear in this video?", "1"),
    ("How many macro-expression events appear in this video?", "2"),
    ("What distinct action units appear in this video?", "brow lowerer, dimpler"),
    ("What is the expression type of the 1st expression event in this video?", "macro-expression"),
    ("What is the expression type of the 2nd expression event in this video?", "micro-expression"),
)

Rows = list[dict[str, str]]


def rows(
    name: str = CASME3,
    *,
    clips: int = 2,
    answered: bool = False,
    questions: tuple[tuple[str, str], ...] = QUESTIONS,
) -> Rows:
    """Rows of a file of questions, or of the right answers to them."""
    short = name.removesuffix("_to_answer.jsonl").removeprefix("me_vqa_").removeprefix("me_l")
    return [
        {
            "video_id": f"{short}_CLIP-{clip}_{number}",
            "video": f"CLIP-{clip}",
            "question": question,
            "answer": answer if answered else "",
        }
        for clip in range(1, clips + 1)
        for number, (question, answer) in enumerate(questions, start=1)
    ]


def text(found: Rows, *, end: str = "\n") -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + end for row in found).encode()


def write(folder: Path, name: str, found: Rows, *, end: str = "\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(text(found, end=end))
    return path


def run_of(
    replies: Mapping[str, str],
    questions: Path,
    folder: Path,
    *,
    task: str = "megc/me-vqa",
    name: str = "answers.csv",
) -> Path:
    """A run folder in which `replies` (video_id -> reply) answer a file of questions."""
    table = folder.parent / name
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "answer"), *replies.items()])
    place = open_workspace(folder.parent)
    config = load_task(task, place, changes=[f"source.file={questions}"], references=False)
    import_predictions(
        table,
        config,
        PredictionMap(id="id", answer="answer"),
        RunFolder(folder),
        workspace=place,
        command=["test"],
        source_meant=True,
    )
    return folder
