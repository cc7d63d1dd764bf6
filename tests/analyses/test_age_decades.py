"""Ages from task to report: a planted bias of one decade is found, small decades are not shown."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from harness.cli.main import main


def ages_scored(folder: Path, said: dict[int, str]) -> Any:
    """scores.json of answers to a table of ages: 30 people of 25, of 45, and 5 of 75."""
    rows = [(f"s{n}", age) for n, age in enumerate([25] * 30 + [45] * 30 + [75] * 5)]
    answers = folder / "said.csv"
    with answers.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerows([("id", "truth", "answer"), *((i, age, said[age]) for i, age in rows)])
    command = ["score", "--predictions", str(answers), "--task", "table/age", "--id", "id", "--truth", "truth",
               "--answer", "answer", "--out", str(folder / "run")]  # fmt: skip
    assert main(command) == 0
    return json.loads((folder / "run" / "scores.json").read_text())


def test_a_bias_of_one_decade_is_found_and_few_samples_are_not_shown(tmp_path: Path) -> None:
    scores = ages_scored(tmp_path, {25: "early 30s", 45: "45", 75: "over 70"})
    found = {
        row["decade"]: row
        for row in scores["age_decades"]
        if row["model"] not in {"majority", "prior"}
    }
    assert found["20-29"]["age_bias"] == 7
    assert found["40-49"]["age_mae"] == 0
    assert found["70-79"]["suppressed"] == "n < 20"
    assert found["70-79"]["age_mae"] is None
