"""A folder that version 0.2 began keeps its ids, so that finished trials are found again."""

from __future__ import annotations

import json
from pathlib import Path

from harness.core.field import FieldSpec
from harness.core.task import Task
from harness.run.axes import Axes
from harness.run.folder import RunFolder
from harness.run.manifest import SCHEMA
from harness.run.planned_task import plan_task, with_ids_of
from harness.run.sample_file import read_samples

CONFIG: dict[str, object] = {"fields": {}, "source": {}, "cluster": "auto", "prompts": []}
ENTRY: dict[str, object] = {
    "config": CONFIG, "digest": "", "data_digest": "", "samples": 2, "clusters": 2, "cluster_unit": "image",
    "skipped": [],
}  # fmt: skip
WHOLE: dict[str, object] = {
    "schema": SCHEMA, "started": "", "command": [], "packages": {}, "hardware": {}, "parser": 1, "git": None,
    "seeds": {}, "prompts": {}, "models": {}, "cells": [],
}  # fmt: skip
"""A manifest of no cell, with what each must hold."""


def ids(tmp_path: Path, before: dict[str, object] | None) -> list[str]:
    (tmp_path / "t.csv").write_text("image,emotion\n./a.png,x\nb.png,y\n")
    task = Task(
        name="mine",
        source={"family": "table", "file": "t.csv"},
        fields={"emotion": FieldSpec(kind="label")},
        prompts=("p",),
    )
    folder = RunFolder(tmp_path / "run")
    folder.create()
    if before is not None:
        manifest = WHOLE | {"tasks": {"mine": ENTRY | before}}
        folder.manifest.write_text(json.dumps(manifest))
    plan_task(with_ids_of(task, folder), Axes(models=()), folder, here=tmp_path)
    return [row.sample for row in read_samples(folder.samples("mine"))]


def test_a_new_folder_has_paths_in_one_spelling(tmp_path: Path) -> None:
    assert ids(tmp_path, None) == ["a.png", "b.png"]


def test_a_folder_of_before_keeps_paths_as_written(tmp_path: Path) -> None:
    assert ids(tmp_path, {}) == ["./a.png", "b.png"]
    assert ids(tmp_path, {"ids": "as-written"}) == ["./a.png", "b.png"]
    assert ids(tmp_path, {"ids": "path"}) == ["a.png", "b.png"]
