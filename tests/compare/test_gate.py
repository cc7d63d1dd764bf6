"""The gate of a pipeline: what is worse, what is not, what cannot be said, and how often it errs."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from harness.cli.main import main
from harness.compare.gate import judge
from harness.compare.measure import Cut
from harness.core.field import FieldSpec
from harness.metrics import family_for
from harness.stats.scored import side_by_side
from tests.report.runs import emotion_task, make_run

LABELS = ("anger", "fear", "happiness")


def answers(path: Path, share: float, *, n: int = 200, seed: int = 1) -> Path:
    """A table of answers of which about `share` are right."""
    drawn = random.Random(seed)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["name", "gt", "answer"])
        for i in range(n):
            truth = LABELS[i % 3]
            said = truth if drawn.random() < share else LABELS[(i + 1) % 3]
            rows.writerow([f"s{i}", truth, said])
    return path


@pytest.mark.parametrize(
    ("share", "margin", "status", "word"),
    [(0.9, 0.02, 0, "not worse"), (0.5, 0.02, 4, "worse"), (0.5, 0.6, 0, "not worse"), (0.91, 0.02, 5, "undecided")],
)  # fmt: skip
def test_the_exit_status_says_what_was_found(
    tmp_path: Path,
    share: float,
    margin: float,
    status: int,
    word: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    base = answers(tmp_path / "base.csv", 0.9)
    run = answers(tmp_path / "run.csv", share, seed=1 if share == 0.9 else 2)
    words = ["gate", str(run), "--against", str(base), "--margin", str(margin)]
    files = ["--junit", str(tmp_path / "j.xml"), "--summary", str(tmp_path / "s.md")]
    assert main([*words, *files]) == status
    out = capsys.readouterr().out
    assert out.startswith(f"{word}: UAR of predictions:run.csv, table/emotion: emotion")
    assert f"gate: {word} (margin {margin:g})" in out
    root = ET.parse(tmp_path / "j.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("1", str(int(status == 4)), str(int(status == 5)))  # fmt: skip
    assert (tmp_path / "s.md").read_text().startswith(f"### Gate: {word}")
    assert main([*words, "--json"]) == status
    assert json.loads(capsys.readouterr().out)["judged"][0]["verdict"] == word


def test_few_samples_decide_nothing_and_a_wrong_margin_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = answers(tmp_path / "base.csv", 0.9, n=12)
    run = answers(tmp_path / "run.csv", 0.2, n=12, seed=2)
    assert main(["gate", str(run), "--against", str(base), "--margin", "0"]) == 5
    assert "at least 20 samples" in capsys.readouterr().out
    assert main(["gate", str(run), "--against", str(base), "--margin", "-1"]) == 2
    assert main(["gate", str(run), "--against", str(tmp_path / "no"), "--margin", "0"]) == 2


def test_where_lower_is_better_more_is_worse(tmp_path: Path) -> None:
    """Errors of a number: the run has twice those of the baseline."""
    drawn = random.Random(3)
    for name, spread in {"base": 0.1, "run": 0.3}.items():
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["name", "gt", "answer"])
            for i in range(120):
                rows.writerow([f"s{i}", i / 60 - 1, round(i / 60 - 1 + drawn.gauss(0, spread), 3)])
    more = ["--set", "fields={valence: {kind: number, low: -2, high: 2}}", "--set", "prompts=[affect/numbers]", "--metric", "mae"]  # fmt: skip
    words = ["--margin", "0.02", *more]
    run, base = str(tmp_path / "run.csv"), str(tmp_path / "base.csv")
    assert main(["gate", run, "--against", base, *words]) == 4
    assert main(["gate", base, "--against", run, *words]) == 0


def false_alarms(pairs: int, *, n: int, gap: float = 0.0, margin: float = 0.0) -> dict[str, int]:
    """Verdicts on pairs whose shares right differ by `gap`; subjects differ in how easy they are."""
    spec = FieldSpec(kind="label", labels=LABELS)
    found: dict[str, int] = {"not worse": 0, "worse": 0, "undecided": 0}
    for seed in range(pairs):
        drawn = np.random.default_rng(seed)
        truth = [LABELS[i % 3] for i in range(n)]
        clusters = np.repeat(np.arange(n // 4), 4)
        easy = drawn.beta(8, 4, n // 4)[clusters]
        said = [
            [t if right else LABELS[(LABELS.index(t) + 1) % 3] for t, right in zip(truth, drawn.random(n) < easy - less, strict=True)]
            for less in (gap, 0.0)
        ]  # fmt: skip
        families = [family_for(spec, truth, one) for one in said]
        a, b = (Cut(families[0], table) for table in side_by_side(families))
        verdict = judge(a, b, "uar", clusters, sign=1, margin=margin, level=0.95, seed=seed)[1]
        found[verdict] += 1
    return found


def test_equal_pairs_seldom_alarm() -> None:
    found = false_alarms(30, n=120)
    assert found["worse"] <= 4  # 1.5 at the nominal 5%; 5 or more happen once in 60 there
    assert false_alarms(10, n=240, gap=0.4)["worse"] == 10


@pytest.mark.bench
def test_at_most_five_in_a_hundred_equal_pairs_alarm() -> None:
    assert false_alarms(200, n=200)["worse"] <= 10
    assert false_alarms(200, n=200, margin=0.02)["worse"] <= 10
    assert false_alarms(200, n=200, gap=0.05, margin=0.05)["not worse"] <= 10


@pytest.mark.parametrize("tool", ["inspect-ai", "lm-eval", "lmms-eval"])
def test_logs_of_other_tools_are_judged(tmp_path: Path, tool: str) -> None:
    with answers(tmp_path / "base.csv", 0.9).open() as file:
        rows = list(csv.DictReader(file))
    with answers(tmp_path / "poor.csv", 0.4, seed=2).open() as file:
        poor = list(csv.DictReader(file))
    logs = [log(tmp_path / name, tool, of) for name, of in (("a", rows), ("b", poor))]
    words = ["--margin", "0.02", "--task", "table/emotion"]
    assert main(["gate", str(logs[0]), "--against", str(logs[0]), *words]) == 0
    assert main(["gate", str(logs[1]), "--against", str(logs[0]), *words]) == 4


def log(folder: Path, tool: str, rows: list[dict[str, str]]) -> Path:
    """The log that a tool would have written of these answers."""
    folder.mkdir()
    if tool == "inspect-ai":
        samples = [
            {"id": r["name"], "epoch": 1, "target": r["gt"], "output": {"completion": r["answer"]}}
            for r in rows
        ]
        path = folder / "log.json"
        path.write_text(json.dumps({"version": 2, "status": "success", "eval": {"task": "t", "model": "m"}, "samples": samples}))  # fmt: skip
        return path
    path = folder / "samples_t.jsonl"
    lines = [
        {"doc_id": n, "target": r["gt"], "filtered_resps": [r["answer"]], "resps": [[r["answer"]]]}
        for n, r in enumerate(rows)
    ]
    if tool == "lm-eval":
        lines = [{**one, "doc": {}, "filter": "none"} for one in lines]
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return path


def test_a_run_that_lost_a_cell_does_not_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = emotion_task(n=28)
    both = make_run(tmp_path / "both", tasks=[task])
    one = make_run(tmp_path / "one", tasks=[task.model_copy(update={"prompts": ("emotion/plain",)})])  # fmt: skip
    words = ["--margin", "0.02"]
    assert main(["gate", str(both.path), "--against", str(both.path), *words]) == 0
    assert main(["gate", str(one.path), "--against", str(both.path), *words]) == 5
    assert "the baseline has this cell, the run does not" in capsys.readouterr().out
    assert main(["gate", str(one.path), "--against", str(both.path), *words, "--where", "prompt=emotion/plain,condition=none"]) == 0  # fmt: skip
    out = tmp_path / "export.zip"
    assert main(["export", str(both.path), "--out", str(out)]) == 0
    assert main(["gate", str(both.path), "--against", str(out), *words]) == 0
    other = make_run(tmp_path / "other", tasks=[emotion_task(n=35)])
    assert main(["gate", str(other.path), "--against", str(both.path), *words]) == 2
    assert "cannot be compared: data digest" in capsys.readouterr().err
