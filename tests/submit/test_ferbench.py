"""FERBench: written as the published code writes, counted its way and strictly."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from sklearn.metrics import f1_score

from harness.cli.main import main
from harness.submit import form_named
from harness.submit.ferbench_counting import macro_f1, macro_f1_rows, published_label
from tests import open_sets

NOUNS, ADJECTIVES = open_sets.FER_LABELS["rafdb"], open_sets.FER_LABELS["ferplus"]


@pytest.mark.parametrize(
    ("reply", "labels", "label"),
    [
        ("<answer>Sadness</answer>", NOUNS, "sadness"),
        ("<think>fear?</think><answer> anger </answer>", NOUNS, "anger"),
        ("not surprise, but anger", NOUNS, "surprise"),  # the first of the list, not the one that was meant
        ("<answer>unhappy</answer>", ADJECTIVES, "happy"),  # within another word
        ("<answer>none</answer> the face shows fear", NOUNS, "fear"),  # the whole reply after that
        ("<answer>anger\n</answer>", NOUNS, "anger"),
        ("she is angry", NOUNS, "anger"), ("she is mad", NOUNS, "unknown"), ("sorrow", NOUNS, "unknown"),
        ("sorrow", ADJECTIVES, "sad"), ("a calm face", NOUNS, "neutral"), ("", NOUNS, "unknown"),
        ("scorn", ADJECTIVES, "contempt"), ("scorn", NOUNS, "unknown"), ("joy", ADJECTIVES, "happy"),
    ],
)  # fmt: skip
def test_labels_are_read_as_the_published_code_reads_them(
    reply: str, labels: tuple[str, ...], label: str
) -> None:
    assert published_label(reply, labels) == label


def test_published_macro_f1_is_that_of_scikit_learn() -> None:
    truth = ["a", "b", "b", "c", "a", "c"]
    said = ["a", "unknown", "b", "a", "unknown", "d"]
    rows = macro_f1_rows(truth, said).sum(axis=0)
    assert float(macro_f1(rows)) == pytest.approx(f1_score(truth, said, average="macro", zero_division=0))  # fmt: skip


def test_both_counts_of_the_same_replies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truths = ["sadness", "anger", "fear", "happiness"]
    root = open_sets.ferbench(tmp_path / "UniFER", truths)
    questions = root / "eval_rafdb" / "data" / "rafdb_qa.json"
    replies = ["<answer>sadness</answer>", "This is not surprise, it is anger.", "", "I cannot tell."]  # fmt: skip
    with (tmp_path / "a.csv").open("w", newline="") as file:
        ids = [row["image_path"].lstrip("/") for row in json.loads(questions.read_text())]
        csv.writer(file).writerows([("id", "answer"), *zip(ids, replies, strict=True)])
    run = str(tmp_path / "run")
    score = ["score", "--predictions", str(tmp_path / "a.csv"), "--task", "ferbench/emotion"]
    assert main([*score, "--set", f"source.root={root}", "--out", run]) == 0
    asked = ["submit", "ferbench", run, "--to-answer", str(questions), "--truth", str(questions)]
    assert main([*asked, "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "accuracy, as published: 0.250" in told and "accuracy, strict: 0.500" in told
    assert "row 3: an empty model_response" in told
    results = tmp_path / "out" / "rafdb_results.json"
    written = json.loads(results.read_text())
    assert [row["model_response"] for row in written] == replies
    assert [{k: row[k] for k in ("image_path", "true_label", "prompt", "candidate_labels")} for row in written] == json.loads(questions.read_text())  # fmt: skip
    written[0] |= {"error": True, "model_response": "ERROR: no reply"}
    form = form_named("ferbench")
    figures = {
        one.name: one
        for one in form.score(json.dumps(written).encode(), form.read(questions), questions).figures
    }
    assert (figures["accuracy, as published"].value, figures["accuracy, as published"].n) == (0, 3)
    assert (figures["accuracy, strict"].value, figures["accuracy, strict"].n) == (0.25, 4)
