"""Comparing exports finds what comparing their runs finds, to the last digit."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness.compare import Side, compare, open_sides
from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.exports.export import Kept, write_export
from harness.imports.columns import PredictionMap
from harness.imports.predictions import import_predictions
from harness.run.folder import RunFolder
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from tests.compare.test_compare import truthful
from tests.run.bench import RuleModel, make_world

SECRET = "a secret that two labs share"

NUMBERS = """\
source: {family: table}
prompts: [emotion/plain]
cluster: person
slices: [light]
fields:
  valence: {kind: number}
  units: {kind: set, labels: [AU1, AU4, AU12]}
"""


def opened(paths: Sequence[Path], scratch: Path, *, secret: str | None = None) -> list[Side]:
    place = open_workspace(scratch.parent)
    task = load_task("table/emotion", place, references=False)
    scratch.mkdir(exist_ok=True)
    return open_sides(
        paths, task=task, asked=PredictionMap(), workspace=place, scratch=scratch, secret=secret
    )


def found(sides: Sequence[Side]) -> dict[str, Any]:
    """What a comparison finds, without where its sides lie."""
    text = compare(sides).to_json()
    for number, side in enumerate(sides):
        text = text.replace(json.dumps(side.label), f'"{number}"')
    body: dict[str, Any] = json.loads(text)
    return body


def export(run: Path, name: str, *, secret: str | None = None) -> Path:
    out = run.parent / name
    write_export(RunFolder(run), out, secret=secret, kept=Kept())
    return out


def test_a_sweep_in_clusters_and_slices(tmp_path: Path) -> None:
    made = make_world(tmp_path, count=48)
    for out, share in (("first", 3), ("second", 5)):
        made.out = out
        made.run(
            RuleModel(rule=truthful(share)),
            prompts=("emotion/plain", "emotion/cot"),
            conditions=("none", "blank"),
        )
    runs = [tmp_path / "first", tmp_path / "second"]
    exports = [export(runs[0], "first-export"), export(runs[1], "second.zip")]
    expected = found(opened(runs, tmp_path / "a"))
    assert {c["axis"] for c in expected["comparisons"]} == {"prompt", "condition", "run"}
    assert expected["ranks"] and expected["comparisons"][0]["slices"]
    assert found(opened(exports, tmp_path / "b")) == expected
    assert found(opened([runs[0], exports[1]], tmp_path / "c")) == expected


def numbers(path: Path, seed: int, order: Sequence[int], prefix: str) -> None:
    draw = Random(seed)
    said = {i: (draw.gauss(0, 0.3), draw.random()) for i in range(90)}
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "person", "light", "v", "u", "valence", "units"])
        for i in order:
            truth, (noise, chance) = math.sin(i) / 1.7, said[i]
            answer = "" if chance < 0.1 else f"{max(-1.0, min(1.0, truth / 3 + noise)):.4f}"
            names = ["AU1 AU4", "AU12", "", "AU4"]
            units = names[i % 4] if chance < 0.6 else names[(i + 1) % 4]
            light = ("dim", "bright")[i % 2]
            # The 90 samples lie in 30 clusters of 3, whose sums of decimals hang on the order of summing.
            writer.writerow([f"{prefix}{i}", f"{prefix}{i % 30}", light, f"{truth:.4f}", names[i % 4], answer, units])  # fmt: skip


def imported(folder: Path, path: Path) -> Path:
    (folder / "v.yaml").write_text(NUMBERS)
    place = open_workspace(folder)
    task: Task = load_task(str(folder / "v.yaml"), place, references=False)
    columns = PredictionMap(
        id="id",
        truth={"valence": "v", "units": "u"},
        answer={"valence": "valence", "units": "units"},
        cluster="person",
    )
    out = folder / f"run-{path.stem}"
    import_predictions(path, task, columns, RunFolder(out), workspace=place, command=["test"])
    return out


def test_numbers_and_sets_of_tables_with_truths_of_their_own(tmp_path: Path) -> None:
    runs = []
    for seed, name in enumerate("abc"):
        numbers(tmp_path / f"{name}.csv", seed, range(seed, 90), "s")
        runs.append(imported(tmp_path, tmp_path / f"{name}.csv"))
    expected = found(opened(runs, tmp_path / "one"))
    keyed = [export(run, f"{run.name}-export", secret=SECRET) for run in runs]
    assert {c["field"] for c in expected["comparisons"]} == {"valence", "units"}
    assert {c["n"] for c in expected["comparisons"]} == {89, 88, 67, 66}
    assert found(opened(keyed, tmp_path / "two")) == expected
    mixed = opened([runs[0], *keyed[1:]], tmp_path / "three", secret=SECRET)
    assert found(mixed) == expected
    with pytest.raises(HarnessError, match="exported with a key file"):
        opened([runs[0], *keyed[1:]], tmp_path / "four")
    with pytest.raises(HarnessError, match="different keys"):
        opened([runs[0], *keyed[1:]], tmp_path / "five", secret="another secret")
    unkeyed = [export(run, f"{run.name}-unkeyed") for run in runs]
    with pytest.raises(HarnessError, match="own truths differ"):
        opened(unkeyed, tmp_path / "six")


def test_neither_ids_nor_their_order_move_a_number(tmp_path: Path) -> None:
    results = []
    for number, prefix in enumerate(("s", "t")):
        order = list(range(90))
        Random(number).shuffle(order)
        folder = tmp_path / prefix
        folder.mkdir()
        for seed, name in enumerate("ab"):
            numbers(folder / f"{name}.csv", seed, order, prefix)
        runs = [imported(folder, folder / f"{name}.csv") for name in "ab"]
        results.append(found(opened(runs, folder / "scratch")))
        for one in results[-1]["comparisons"]:
            one["a"].pop("side"), one["b"].pop("side")
    assert results[0] == results[1]
