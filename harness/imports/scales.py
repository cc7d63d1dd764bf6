"""Notice scores of pairs that stand on another scale than their field's, such as cosines or shares."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.field import FieldSpec
from harness.core.task import Task
from harness.imports.columns import PredictionColumns
from harness.imports.lines import PredictionLines
from harness.sources.cells import is_blank, plain

_WIDE = 10
"""The upper end of a scale on which numbers up to 1 are hardly meant."""


def scale_notes(task: Task, columns: PredictionColumns, lines: PredictionLines) -> Iterator[str]:
    """For each field of kind `pairs` whose numbers all lie between -1 and 1 while its scale is wider: how to name theirs."""
    if columns.probabilities:
        return
    whole = isinstance(columns.answer, str)
    fields = {"": next(iter(task.fields))} if whole else {name: name for name in columns.answer}
    for key, name in fields.items():
        spec = task.fields[name]
        if spec.kind != "pairs" or spec.high < _WIDE:
            continue
        found = [n for said, _ in lines.contents() if (n := _number(said.answers, key)) is not None]
        if len(found) > 1 and all(-1 <= n <= 1 for n in found) and any(n % 1 for n in found):
            yield _told(name, spec, -1 if min(found) < 0 else 0)


def _number(answers: Mapping[str, Any], key: str) -> float | None:
    """The number in a cell; None where it holds words or nothing."""
    cell = answers.get(key)
    if is_blank(cell):
        return None
    try:
        value = float(plain(cell))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _told(name: str, spec: FieldSpec, low: int) -> str:
    kind = "cosines" if low else "shares"
    return (
        f"all numbers lie between {low} and 1, but the scale of {name} goes from {spec.low:g} to {spec.high:g}, so most are no "
        f"answers. If they are {kind}, name their scale: --set fields.{name}.low={low} --set fields.{name}.high=1 "
        f'--set \'fields.{name}.words={{"yes": 1, "no": {low}}}\''
    )
