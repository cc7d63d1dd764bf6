"""Action units one by one: F1 of each, how often it is there, and what saying it always would earn."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from harness.cli.main import main

UNITS = ("AU1", "AU4", "AU12", "AU25", "AU26")
TASK = """\
source: {family: table, file: nowhere.csv}
fields:
  action_units: {kind: set, labels: [AU1, AU4, AU12, AU25, AU26], metrics: [macro_f1, set_f1]}
prompts: [units/plain]
"""


def pairs() -> list[tuple[set[str], set[str]]]:
    """No face shows AU26, and the model sees it now and then."""
    rng = np.random.default_rng(2)
    found = []
    for _ in range(60):
        true = {unit for unit, rate in zip(UNITS, (0.3, 0.1, 0.6, 0.5, 0), strict=True) if rng.random() < rate}  # fmt: skip
        said = {unit for unit in UNITS if (unit in true) ^ (rng.random() < 0.15)}
        found.append((true, said))
    return found


@pytest.fixture
def body(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    with (tmp_path / "p.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "gt", "said"))
        for i, (true, said) in enumerate(pairs()):
            writer.writerow((f"x{i}", "+".join(sorted(true)) or "none", ", ".join(sorted(said)) or "none"))  # fmt: skip
    (tmp_path / "task.yaml").write_text(TASK)
    command = ["score", "--predictions", str(tmp_path / "p.csv"), "--task", str(tmp_path / "task.yaml")]  # fmt: skip
    assert main([*command, "--out", str(tmp_path / "run"), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_each_unit_has_an_f1_and_their_mean_is_macro_f1(body: dict[str, Any]) -> None:
    rows = {row["metric"]: row for row in body["scores"] if row["model"] == "predictions:p.csv"}
    f1s = []
    for unit in UNITS[:4]:
        truth, said = zip(*((unit in t, unit in s) for t, s in pairs()), strict=True)
        f1s.append(f1_score(truth, said))
        row = rows[f"f1[{unit}]"]
        assert row["value"] == pytest.approx(f1s[-1], abs=1e-6)
        assert row["low"] <= row["value"] <= row["high"]
        assert "2TP/(2TP+FP+FN) of one name" in row["estimator"]
    assert rows["macro_f1"]["value"] == pytest.approx(np.mean(f1s), abs=1e-6)
    assert "f1[AU26]" not in rows


def test_the_counts_beside(body: dict[str, Any]) -> None:
    (entry,) = [e for e in body["units"] if e["model"] == "predictions:p.csv"]
    assert entry["n"] == 60
    assert [unit["name"] for unit in entry["units"]] == list(UNITS[:4])
    assert entry["absent"] == ["AU26"]
    for unit in entry["units"]:
        name = unit["name"]
        present = [name in true for true, _ in pairs()]
        assert unit["present"] == sum(present)
        assert unit["answered"] == sum(name in said for _, said in pairs())
        assert unit["both"] == sum(name in true and name in said for true, said in pairs())
        assert unit["always"] == pytest.approx(f1_score(present, [True] * 60), abs=1e-6)


def test_terminal_and_page_have_the_table(
    body: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {row["metric"]: row for row in body["scores"] if row["model"] == "predictions:p.csv"}
    f1 = f"{rows['f1[AU12]']['value']:.3f}".removeprefix("0")
    assert main(["score", str(tmp_path / "run")]) == 0
    said = capsys.readouterr().out
    assert re.search(rf"AU12 +\d+ \(\d+%\) +\.\d{{3}} +{re.escape(f1)} \[", said)
    assert "no true case, and not in the mean: AU26" in said
    assert max(map(len, said.splitlines())) <= 100
    assert main(["report", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert '<th scope="row"><bdi>AU12</bdi></th>' in page
    assert "No true case of AU26" in page
