"""Answers of a real model, recorded by others: the published figures must come out."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from harness.metrics import label_family, points

RECORDED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "recorded"


@pytest.mark.skipif(not RECORDED.is_dir(), reason="recorded answers are not on this machine")
@pytest.mark.parametrize(
    ("name", "rows", "accuracy", "uar"),
    [
        ("rafdb_gpt4v_rgb.csv", 3067, 0.758, 0.690),
        ("rafdb_gpt4v_grey.csv", 3068, 0.743, 0.678),
        ("casme2_gpt4v.csv", 239, 0.146, 0.209),
    ],
)
def test_top_answer(name: str, rows: int, accuracy: float, uar: float) -> None:
    with (RECORDED / name).open(encoding="utf-8-sig", newline="") as stream:
        table = list(csv.DictReader(stream))
    truth = [row["gt"].strip().lower() for row in table]
    first = [row["gpt4v"].split(",")[0].strip().lower() or None for row in table]
    assert len(table) == rows
    found = points(label_family(truth, first), ["accuracy", "uar"])
    assert found["accuracy"] == pytest.approx(accuracy, abs=5e-4)
    assert found["uar"] == pytest.approx(uar, abs=5e-4)
