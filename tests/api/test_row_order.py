"""The order of a table's rows is no matter of a result."""

from __future__ import annotations

import random
from pathlib import Path

import harness
from tests.run.bench import RuleModel


def test_rows_in_any_order_give_the_same_records_and_clusters(data: Path) -> None:
    """Each picture has two rows, so that which one comes first could name their cluster."""
    head, *known = (data / "labels.csv").read_text().splitlines()
    rows = [f"{row},{row.split(',')[0]}-{turn}" for row in known for turn in "ab"]
    source = {"file": "twice.csv", "image": "image", "label": "emotion", "id": "id"}
    runs = []
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        (data / "twice.csv").write_text("\n".join([f"{head},id", *rows]))
        runs.append(
            harness.evaluate(
                "table/emotion",
                model=RuleModel(rule=lambda request: "anger"),
                source=source,
                set={"cluster": "image"},
                out=f"run-{seed}",
                progress=False,
            )
        )
    records = [(run.path / "records.parquet").read_bytes() for run in runs]
    assert records[0] == records[1] == records[2]
    clusters = runs[0].records().groupby("cluster")["sample"].agg(sorted).tolist()
    names = [row.split(",")[0] for row in known]
    assert sorted(clusters) == sorted([f"{name}-a", f"{name}-b"] for name in names)
    scored = [(run.path / "scores.json").read_bytes() for run in runs]
    assert scored[0] == scored[1] == scored[2]
