"""Classes with and without samples: recall and F1 of the latter are undefined and left out of means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from harness.score.columns import Groups
from harness.score.records import TaskRecords


def class_counts(records: TaskRecords, groups: Groups) -> Iterator[dict[str, Any]]:
    """For each label field and slice the task's classes with a true sample there, and those without one."""
    for name, spec in records.task.fields.items():
        if not spec.categorical or not spec.scored:
            continue
        truths = records.samples.truths(name)
        asked = records.samples.known(name) & records.samples.asking(name)
        for slice_name, mask in groups.slices.items():
            found = np.unique(truths.codes[mask & asked]).tolist()
            there = {_word(truths.values[code]) for code in found}
            if there and not slice_name.startswith(f"{name}="):
                yield {
                    "field": name,
                    "slice": slice_name,
                    "present": [label for label in spec.classes if label in there],
                    "absent": [label for label in spec.classes if label not in there],
                }


def _word(value: object) -> str:
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def class_lines(state: Mapping[str, Any]) -> Iterator[str]:
    """What stands beneath tables of absent classes: a line for each field or part, one for the slices of a field."""
    slices: dict[str, list[str]] = {}
    for entry in state.get("classes", ()):
        if not entry["absent"]:
            continue
        count = len(entry["present"]) + len(entry["absent"])
        if "=" in entry["slice"]:
            told = f"{entry['slice']} ({len(entry['present'])} of {count})"
            slices.setdefault(entry["field"], []).append(told)
            continue
        where = "" if entry["slice"] in {"all", entry["field"]} else f" ({entry['slice']})"
        yield (
            f"{entry['field']}{where}: {len(entry['present'])} of {count} classes have samples; not counted in UAR "
            f"and F1: {', '.join(entry['absent'])}"
        )
    for field, told_of in slices.items():
        yield f"{field}: slices without a sample of some class: {', '.join(told_of)}"
