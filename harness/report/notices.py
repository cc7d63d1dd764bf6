"""Notices that every report shows about the pictures it is based on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.core.task import Task
from harness.imports.checkpoints import selection_notice
from harness.run.enhanced_pictures import scaled_notices

PUBLIC = "This is a public benchmark; its pictures and labels may be in the training data of the model under test."
REGULATED = (
    "Inferring emotions of people at work or in education is prohibited in the European Union except for medical or "
    "safety reasons (AI Act, Art. 5(1)(f), in force since 2 February 2025). This report is research on models and must "
    "not be used to judge people."
)

HUB = "hf"
"""The source family of data sets that anyone may fetch."""


def notices(task: Task) -> tuple[str, ...]:
    """The sentences that every report of a task carries."""
    told = (
        REGULATED if task.people_at else "",
        PUBLIC if task.public or task.source.get("family") == HUB else "",
        task.notice,
    )
    return tuple(dict.fromkeys(sentence for sentence in told if sentence))


def run_notices(manifest: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each sentence once, with the tasks that it holds for; how the run is scored, where not as it was asked; and models
    whose checkpoints were chosen on the subjects that they are tested on; enhanced pictures that were scaled."""
    found = gathered(Task.model_validate(entry["config"]) for entry in manifest["tasks"].values())
    rescored = tuple(
        (f"scored with {said}", tuple(manifest["tasks"])) for said in manifest.get("scoring", ())
    )
    selected = [
        (said, tuple(dict.fromkeys(c["task"] for c in manifest["cells"] if c["model"] == name)))
        for name, entry in manifest.get("models", {}).items()
        if (said := selection_notice(name, entry.get("details") or {}))
    ]
    left_out = tuple(
        (f"left out, its data are not here: {name} ({why})", tuple(manifest["tasks"]))
        for name, why in manifest.get("experiment", {}).get("left_out", {}).items()
    )
    return (*found, *rescored, *selected, *left_out, *scaled_notices(manifest))


def gathered(tasks: Iterable[Task]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each sentence once, with the names of the tasks that it holds for."""
    found: dict[str, list[str]] = {}
    for task in tasks:
        for sentence in notices(task):
            found.setdefault(sentence, []).append(task.name)
    return tuple((sentence, tuple(names)) for sentence, names in found.items())


def notice_lines(manifest: Mapping[str, Any]) -> list[str]:
    """For a terminal: `notice (academic/emotion): ...`; the tasks are named where it does not hold for all."""
    return [
        f"notice: {sentence}"
        if len(names) == len(manifest["tasks"])
        else f"notice ({', '.join(names)}): {sentence}"
        for sentence, names in run_notices(manifest)
    ]
