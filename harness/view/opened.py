"""One run as its page shows it: facts, scores, samples. Read-only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.report.grid import told_of
from harness.report.inputs import RunView, is_scored, view_of
from harness.report.tables import score_tables, summary
from harness.run.cell_entry import cell_of, is_kept
from harness.run.folder import RunFolder
from harness.run.log import read_log
from harness.run.scoring import scored_manifest
from harness.score.scores import read_scores
from harness.view.pictures import DrawnPictures, OwnPictures
from harness.view.records import ORDERS, SHOWN, Records, Wanted

MOST = 100
"""Samples of a page, at most."""


class OpenedRun:
    """A run at one state of its files."""

    def __init__(self, folder: RunFolder) -> None:
        """Raises HarnessError for a broken manifest."""
        self.folder = folder
        self.stamp = stamp_of(folder)
        self.manifest = scored_manifest(folder)
        self.exported = "export" in self.manifest
        self._own: dict[str, OwnPictures] = {}

    @cached_property
    def tasks(self) -> Mapping[str, Task]:
        return {
            name: Task.model_validate(entry["config"])
            for name, entry in self.manifest["tasks"].items()
        }

    @cached_property
    def view(self) -> RunView | None:
        """The run as a report sees it; None where it was never scored. Raises HarnessError for broken scores."""
        if not self.folder.scores.is_file():
            return None
        return view_of(self.manifest, read_scores(self.folder), folder=self.folder)

    @cached_property
    def records(self) -> Records:
        """The codes of its samples. Raises HarnessError where it was never scored, and for a broken table."""
        records = Records(self.folder, self.tasks)
        records.arrange([(entry["id"], entry["prompt"]) for entry in self.manifest["cells"]])
        return records

    def page(self) -> dict[str, Any]:
        """What stands above the samples."""
        view, fault = None, ""
        try:
            view = self.view
        except HarnessError as error:
            fault = error.message
        return {
            "cells": [
                {**_named(entry), "kept": is_kept(entry)} for entry in self.manifest["cells"]
            ],
            "scores": [] if view is None else _scores(view),
            "fault": fault,
            "stale": not self.exported and view is not None and not is_scored(self.folder),
            "pages": [
                name for name in ("report.html", "cues.html") if (self.folder.path / name).is_file()
            ],
            "samples": {} if view is None or self.exported else self._fields(),
            "shows": dict(SHOWN),
            "orders": list(ORDERS),
            "exported": self.exported,
        }

    def _fields(self) -> dict[str, list[str]]:
        return {
            name: [f for f, spec in task.fields.items() if spec.scored] or list(task.fields)
            for name, task in self.tasks.items()
        }

    def samples(
        self, wanted: Wanted, drawn: DrawnPictures, *, own_pictures: bool
    ) -> dict[str, Any]:
        """One page of samples. Raises HarnessError for a field without records."""
        records = self.records
        key = (wanted.task, wanted.field)
        if key not in records.grids:
            raise HarnessError(f"there are no records of {wanted.task}, field {wanted.field}")
        columns = records.grids[key].cells
        if max(wanted.a, wanted.b) >= len(columns) and wanted.show == "only-a":
            raise HarnessError("there are fewer than two cells to compare")
        found = records.page(wanted)
        named = {(e["id"], e["prompt"]): _named(e) for e in self.manifest["cells"]}
        found["cells"] = [
            named.get(one, {"id": one[0], "prompt": one[1], "model": "", "condition": ""})
            for one in columns
        ]
        found["labels"] = records.labels(*key)
        spec = self.tasks[wanted.task].fields[wanted.field]
        found["labels_told"] = [told_of(spec, json.loads(one)) for one in found["labels"]]
        ids = [one["sample"] for one in found["samples"]]
        pictures = self._pictures(wanted.task, ids, drawn, own=own_pictures)
        for one in found["samples"]:
            one["pictures"] = pictures.get(one["sample"], [])
        return found

    def _pictures(
        self, task: str, samples: Sequence[str], drawn: DrawnPictures, *, own: bool
    ) -> dict[str, list[list[str]]]:
        """Sample -> (caption, data URL or address below the run)."""
        if self.view is not None and (found := drawn.of(self.view, task, "none", samples)):
            return found
        if not own or self.exported:
            return {}
        place = list(self.tasks).index(task)
        pictures = self.own(place)
        return {
            sample: [
                [caption, f"pictures/{place}/{row}/{frame}"]
                for frame, caption in enumerate(pictures.captions(row))
            ]
            for sample, row in pictures.places(samples).items()
        }  # fmt: skip

    def own(self, task: int) -> OwnPictures:
        """The pictures of a task, by its number. Raises IndexError, HarnessError."""
        name = list(self.tasks)[task]
        if name not in self._own:
            self._own[name] = OwnPictures(self.folder, name)
        return self._own[name]

    def conversation(self, name: str) -> list[list[str]] | None:
        """The turns of a conversation; None where the run holds none of this name."""
        return next(
            (
                record["turns"]
                for _, record in read_log(self.folder.conversations)
                if record["id"] == name
            ),
            None,
        )


def stamp_of(folder: RunFolder) -> tuple[int, ...]:
    """What the page of a run depends on."""
    found = []
    for path in (folder.manifest, folder.scores, folder.records):
        try:
            found.append(path.stat().st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)


def _named(entry: Mapping[str, Any]) -> dict[str, str]:
    cell = cell_of(entry)
    return {
        "id": cell.id,
        "task": cell.task,
        "model": cell.model,
        "prompt": cell.prompt,
        "condition": cell.shown_condition,
        "channel": cell.taken,
    }


def _scores(view: RunView) -> list[dict[str, str]]:
    """The main number of each cell and field, as the summary of a report has it."""
    return [
        {
            "task": line.task,
            "field": line.name,
            "model": line.key[0],
            "prompt": line.key[1],
            "condition": line.key[2],
            "metric": line.metric,
            "score": line.score.value,
            "interval": line.score.interval,
            "majority": line.majority.value,
            "prior": line.prior.value,
            "verdict": line.verdict,
            "reason": line.reason,
        }
        for task in view.tasks
        for line in summary(tuple(score_tables(view, task)))
    ]
