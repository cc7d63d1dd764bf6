"""What the page and the terminal say of collapse, ranked lists and classes without samples."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from sklearn.metrics import recall_score

from harness.imports.columns import PredictionMap
from harness.imports.predictions import import_predictions
from harness.report.page import write_report
from harness.report.terminal import print_scores
from harness.run.folder import RunFolder
from harness.run.manifest import read_manifest
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from harness.score.folder import score_run
from harness.score.scores import Scores

from .pages import parse

TASK = """\
source: {family: table}
prompts: [emotion/plain]
fields: {emotion: {kind: label, labels: [anger, disgust, fear, happiness, contempt]}}
slices: [gender]
"""
NAMES = ("anger", "disgust", "fear", "happiness")


def rows() -> list[tuple[str, str, str, str]]:
    """Sample, truth, ranked answer, gender; no man is happy, nobody shows contempt."""
    found = []
    for i in range(80):
        male = i % 2
        truth = NAMES[i // 2 % (3 if male else 4)]
        said = "fear,anger,disgust,happiness" if i % 10 else "happiness,anger,fear,disgust"
        found.append((f"x{i}", truth, said, "male" if male else "female"))
    return found


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Scores]:
    root = tmp_path_factory.mktemp("spread")
    (root / "t.yaml").write_text(TASK)
    lines = (f'{i},{t},"{said}",{gender}' for i, t, said, gender in rows())
    (root / "p.csv").write_text("\n".join(["name,gt,said,gender", *lines]) + "\n")
    place = open_workspace(root)
    folder = RunFolder(root / "run")
    import_predictions(
        root / "p.csv", load_task(str(root / "t.yaml"), place, references=False),
        PredictionMap(answer="said"), folder, workspace=place, command=["test"],
    )  # fmt: skip
    return folder, score_run(folder)


def test_classes_without_a_sample_are_counted_for_the_whole_and_each_slice(
    scored: tuple[RunFolder, Scores],
) -> None:
    body = json.loads(scored[0].scores.read_text())
    held = {entry["slice"]: entry for entry in body["tasks"][0]["classes"]}
    assert held["all"]["present"] == list(NAMES)
    assert held["all"]["absent"] == ["contempt"]
    assert held["gender=male"]["absent"] == ["happiness", "contempt"]
    rows_of = {(r["slice"], r["metric"]) for r in body["scores"]}
    assert ("all", "recall[happiness]") in rows_of
    assert ("all", "recall[contempt]") not in rows_of, "no number, not a zero"


def test_slices_are_held_against_each_other_on_the_classes_they_share(
    scored: tuple[RunFolder, Scores],
) -> None:
    found = {(r.slice, r.metric): r for r in scored[1].scores if r.model.startswith("predictions")}
    for gender in ("male", "female"):
        pairs = [(t, s.partition(",")[0]) for _, t, s, g in rows() if g == gender]
        own = [(t, s) for t, s in pairs]
        shared = [(t, s) for t, s in pairs if t in NAMES[:3]]
        for metric, kept in (("uar", own), ("uar_shared", shared)):
            row = found[f"gender={gender}", metric]
            truth, said = zip(*kept, strict=True)
            labels = sorted(set(truth))
            expected = recall_score(truth, said, labels=labels, average="macro", zero_division=0)
            assert row.value == pytest.approx(expected, abs=1e-6)
            assert row.n == len(kept)
        assert "3 classes that all slices of gender hold: anger, disgust, fear" in row.estimator


def test_slices_with_the_same_classes_come_once(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(TASK)
    lines = (f"x{i},{NAMES[i % 2]},anger,{('male', 'female')[i // 2 % 2]}" for i in range(48))
    (tmp_path / "p.csv").write_text("\n".join(["name,gt,said,gender", *lines]) + "\n")
    place = open_workspace(tmp_path)
    folder = RunFolder(tmp_path / "run")
    import_predictions(
        tmp_path / "p.csv", load_task(str(tmp_path / "t.yaml"), place, references=False),
        PredictionMap(answer="said"), folder, workspace=place, command=["test"],
    )  # fmt: skip
    assert not [r for r in score_run(folder).scores if r.metric.endswith("_shared")]


def test_the_page_warns_of_collapse_and_shows_the_spread(scored: tuple[RunFolder, Scores]) -> None:
    page = parse(write_report(scored[0]).read_text())
    assert page.unbalanced == []
    summary = page.words.partition("Task t")[0]
    assert "Collapse:" in summary
    told = "one ordering (fear, anger, disgust, happiness) covers 72 of 80 answers"
    assert told in summary
    for word in ("Top-2", "Top-4", "Rankings", "fear, anger, disgust, happiness: 90% (72 of 80)"):
        assert word in page.words, word
    assert "No sample of contempt" in page.words
    told = "The groups have different classes; scores are over the classes that they share: anger, disgust and fear."
    assert told in page.words


def test_the_terminal_says_the_same(scored: tuple[RunFolder, Scores]) -> None:
    out = io.StringIO()
    print_scores(scored[1], read_manifest(scored[0]), file=out)
    text = " ".join(out.getvalue().split())
    assert "emotion: 4 of 5 classes have samples; not counted in UAR and F1: contempt" in text
    assert "gender=female (4 of 5), gender=male (3 of 5)" in text
    assert "warning: collapse: predictions:p.csv, emotion: one ordering" in text
    assert "top-2" in text
    assert max(map(len, out.getvalue().splitlines())) <= 100
