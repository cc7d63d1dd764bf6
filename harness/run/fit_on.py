"""`--fit-on`: the labels of other data, counted for the baselines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.core.text import canonical_json
from harness.run.folder import RunFolder, write_atomically
from harness.run.samples import Planner
from harness.sources import open_source

FILE_OPTION = {"table": "file", "folder": "root", "hf": "path", "megc-vqa": "file"}
"""The source option that a bare path replaces."""


def fit_source(task: Task, given: str) -> Mapping[str, Any]:
    """The task's source options with the data that `--fit-on` names.

    `given` is a path (the source's file or root), or `key=value` pairs with commas between them
    (`split=train`). Raises HarnessError for a bare path where the family reads none.
    """
    source = dict(task.source)
    if "=" in given:
        for pair in given.split(","):
            key, _, value = pair.partition("=")
            source[key.strip().removeprefix("source.")] = value
        return source
    option = FILE_OPTION.get(str(source["family"]))
    if option is None:
        raise HarnessError(
            f"--fit-on {given}: source family {source['family']} takes no path",
            hint="give source options instead, such as --fit-on split=train",
        )
    return {**source, option: given}


def write_fit(folder: RunFolder, tasks: Iterable[Task], given: str | None, *, here: Path) -> None:
    """Count the labels of the named data into `private/fit_on.json`; without `given` there is none."""
    path = folder.fit_on
    if given is None:
        path.unlink(missing_ok=True)
        return
    body: dict[str, list[dict[str, Any]]] = {}
    for task in tasks:
        planner = Planner(task)
        counted: dict[tuple[str | None, str], Counter[str]] = {}
        for sample in open_source(fit_source(task, given), fields=task.fields, base=here):
            row = planner.row(sample)
            part = str(row.annotations.get(task.parts, "")) if task.parts else None
            for field_name, value in row.targets.items():
                counted.setdefault((part, field_name), Counter())[canonical_json(value)] += 1
        body[task.name] = [
            {"part": part, "field": field_name, "counts": sorted(counts.items())}
            for (part, field_name), counts in counted.items()
        ]
    write_atomically(path, json.dumps(body, ensure_ascii=False, indent=1).encode())
