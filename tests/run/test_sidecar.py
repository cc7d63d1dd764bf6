"""A cue annotated for some pictures only, in a side table: `yes`, `no`, `unsure`, or nothing."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.run.sample_file import read_samples
from harness.score.folder import score_run
from tests.run.bench import RuleModel, World, make_world

FACES = Path(__file__).parents[3] / "shared" / "data" / "faces"
TASK = """\
source:
  family: table
  file: labels.csv
  root: "{root}"
  sidecar: {{file: teeth.csv, blank: [unsure]}}
fields:
  emotion: {{kind: label, labels: from-data}}
  teeth_visible: {{kind: yes-no}}
prompts: [cues/report]
slices: [teeth_visible]
"""
REPLY = json.dumps({"emotion": "happiness", "teeth_visible": "yes"})


def write_table(path: Path, names: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([names, *rows])


def scored(world: World) -> dict[tuple[str, str], Any]:
    world.run(RuleModel(rule=lambda request: REPLY))
    scores = score_run(world.folder)
    return {
        (row.field, row.slice): row
        for row in scores.scores
        if row.metric == "accuracy" and row.model == "rule"
    }


def truths(world: World) -> tuple[Counter[object], Counter[object]]:
    """True values of the cue, and what the slices are cut by."""
    rows = list(read_samples(world.folder.samples("task")))
    return (
        Counter(row.targets.get("teeth_visible") for row in rows),
        Counter(row.annotations.get("teeth_visible") for row in rows),
    )


def test_a_partial_cue_is_scored_where_it_is_known_and_cuts_slices(tmp_path: Path) -> None:
    world = make_world(tmp_path, 100, TASK.format(root="."))
    said = ["yes"] * 30 + ["no"] * 25 + ["unsure"] * 22  # 23 pictures are in no row of it
    write_table(
        tmp_path / "teeth.csv", ["image", "teeth_visible"],
        [[f"p{k}.png", word] for k, word in enumerate(said)],
    )  # fmt: skip
    rows = scored(world)
    known, cut = truths(world)
    assert known == {"yes": 30, "no": 25, None: 45}
    assert cut == {"yes": 30, "no": 25, "unsure": 22, None: 23}
    assert rows["teeth_visible", "all"].n == 55
    assert rows["emotion", "all"].n == 100
    for word, count in (("yes", 30), ("no", 25), ("unsure", 22)):
        assert rows["emotion", f"teeth_visible={word}"].n == count


@pytest.mark.skipif(not FACES.is_dir(), reason="the private photographs are not here")
def test_the_partial_teeth_of_the_photographs_run_as_a_sidecar(tmp_path: Path) -> None:
    with (FACES / "labels.csv").open(newline="") as file:
        faces = list(csv.DictReader(file))
    world = World(tmp_path)
    (tmp_path / "task.yaml").write_text(TASK.format(root=FACES / "images"))
    write_table(
        tmp_path / "labels.csv", ["image", "emotion"], [[f["image"], f["emotion"]] for f in faces]
    )
    write_table(
        tmp_path / "teeth.csv", ["image", "teeth_visible"],
        [[f["image"], f["teeth_visible"]] for f in faces if f["teeth_visible"]],
    )  # fmt: skip
    rows = scored(world)
    known, cut = truths(world)
    told = Counter(f["teeth_visible"] for f in faces)
    assert (known["yes"], known["no"]) == (told["yes"], told["no"])
    assert cut["unsure"] == told["unsure"]
    assert rows["emotion", "all"].n == len(faces)
    assert rows["teeth_visible", "all"].value == pytest.approx(
        told["yes"] / (told["yes"] + told["no"])
    )
    assert rows["emotion", "teeth_visible=yes"].n == told["yes"]
