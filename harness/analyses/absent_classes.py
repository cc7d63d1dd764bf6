"""Classes of a label field without samples, whose recall and F1 are undefined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import has_scores
from harness.analyses.rows.classes import class_counts, class_lines
from harness.core.blocks import Block, Lines, Note, Place
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    return class_counts(answers.records, answers.groups)


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    lines = tuple(class_lines({"classes": rows}))
    if lines:
        yield Lines(lines=lines, room="little")
    for entry in rows:
        if len(entry["present"]) == 1 and "=" not in entry["slice"]:
            yield Note(
                text=f"every true {entry['field']}{_part(entry)} is {entry['present'][0]!r}: always answering it "
                "scores 1.000, so no score shows whether the model can tell classes apart.",
                title="One class",
                warning=True,
            )
        if entry["absent"] and "=" not in entry["slice"]:
            yield Note(
                text=f"No sample of {', '.join(entry['absent'])}: a class without samples has "
                "no recall and is left out of UAR and F1.",
                at=Place(entry["field"], entry["slice"]),
                room="much",
            )


def _part(entry: Mapping[str, Any]) -> str:
    return "" if entry["slice"] in {"all", entry["field"]} else f" of {entry['slice']}"


ANALYSIS = ShippedAnalysis(
    name="absent-classes",
    title="Classes without samples",
    about="label and yes-no fields: classes without samples, overall, in parts and in slices",
    applies=has_scores,
    compute=_compute,
    blocks=_blocks,
    key="classes",
    in_task=True,
    in_json=False,
    order=12,
)
