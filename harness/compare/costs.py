"""What a wrong label and an abstention cost, from a YAML file or a matrix in a CSV file."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from harness.core.errors import HarnessError
from harness.core.sample import Value
from harness.core.text import read_small
from harness.run.yaml_file import LARGEST, Place, read_yaml, validated

Cost = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=False)]
ABSTAIN, NO_ANSWER, TRUE = "abstain", "no_answer", "true"


class CostFile(BaseModel):
    """Costs as a YAML file states them, in any unit: 0 or more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wrong: Cost
    """A wrong label that `mistakes` does not name."""
    abstain: Cost
    """An answer that is not kept: someone else has to decide."""
    no_answer: Cost | None = None
    """A sample that the model gives no answer to (refused, unreadable...). Default: `abstain`."""
    right: Cost = 0.0
    """A right label that is kept."""
    mistakes: Mapping[str | bool, Mapping[str | bool, Cost]] = {}
    """True label -> answered label -> cost."""


@dataclass(frozen=True, slots=True)
class Costs:
    """The cost of every outcome of a field."""

    pairs: Mapping[tuple[str, str], float]
    """(true label, answered label) -> cost, for every pair of labels."""
    abstain: float
    no_answer: float

    def of(self, truth: Value, answer: Value) -> float:
        """The cost of an answer that is kept. Raises HarnessError for a value that is no label of the field."""
        pair = label_of(truth), label_of(answer)
        if pair not in self.pairs:
            raise HarnessError(
                f"{pair[0]!r} answered {pair[1]!r}: one of them is not a label of the field",
                hint="check the true values: harness data check TASK",
            )
        return self.pairs[pair]


def label_of(value: object) -> str:
    """A label as files of costs write it; yes and no of a yes-no field."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def read_costs(path: Path, labels: Sequence[str]) -> Costs:
    """The costs of a field with these labels. Raises HarnessError naming the line and what is wrong with it."""
    if path.suffix.lower() == ".csv":
        return _matrix(path, labels)
    if path.suffix.lower() not in {".yaml", ".yml"}:
        raise HarnessError(
            f"{path}: the costs are neither a .yaml nor a .csv file",
            hint="write `wrong: 1` and `abstain: 0.2` into costs.yaml, or a matrix into costs.csv",
        )
    data, place = read_yaml(path)
    found = validated(CostFile, data, place, "costs")
    pairs = {(t, a): found.right if t == a else found.wrong for t in labels for a in labels}
    for truth, row in found.mistakes.items():
        _known(label_of(truth), labels, place, ("mistakes", str(truth)))
        for answer, cost in row.items():
            keys = ("mistakes", str(truth), str(answer))
            _known(label_of(answer), labels, place, keys)
            if label_of(truth) == label_of(answer):
                raise HarnessError(
                    f"{place(keys)}: {label_of(truth)} answered {label_of(answer)} is no mistake",
                    hint="the cost of a right answer is `right`",
                )
            pairs[label_of(truth), label_of(answer)] = cost
    none = found.abstain if found.no_answer is None else found.no_answer
    return Costs(pairs, found.abstain, none)


def _known(label: str, labels: Sequence[str], place: Place, keys: Sequence[str]) -> None:
    if label not in labels:
        raise HarnessError(
            f"{place(keys)}: {label!r} is not a label of the field",
            hint=f"its labels are: {', '.join(labels)}",
        )


def _matrix(path: Path, labels: Sequence[str]) -> Costs:
    """`true,anger,fear,abstain`, a row for each true label."""
    text = read_small(path, most=LARGEST, what="a matrix of costs").removeprefix("﻿")
    try:
        lines = [row for row in csv.reader(text.splitlines(), strict=True) if row]
    except csv.Error as error:
        raise HarnessError(f"{path}: {error}") from None
    head = [name.strip() for name in lines[0]] if lines else []
    needed = {*labels, ABSTAIN}
    if not head or head[0] != TRUE or len(set(head)) < len(head):
        raise HarnessError(
            f"{path}:1: the first column of a matrix of costs is `true`, and no column appears twice",
            hint=f"write {','.join((TRUE, *labels, ABSTAIN))}",
        )
    if wrong := (needed - {*head[1:]}) | ({*head[1:]} - needed - {NO_ANSWER}):
        name = min(wrong)
        raise HarnessError(
            f"{path}:1: {'no' if name in needed else 'unknown'} column {name!r}",
            hint=f"write {','.join((TRUE, *labels, ABSTAIN))}, and {NO_ANSWER} if that costs something else",
        )
    rows = {row[0].strip(): _numbers(path, at, head, row) for at, row in enumerate(lines[1:], 2)}
    if len(rows) < len(lines) - 1 or {*rows} != {*labels}:
        odd = min({*rows} ^ {*labels}, default="a label")
        raise HarnessError(
            f"{path}: a matrix has one row for each label: {odd!r} is missing, unknown or appears twice",
            hint=f"the labels are: {', '.join(labels)}",
        )
    for column in (ABSTAIN, NO_ANSWER):
        if column in head and len({row[column] for row in rows.values()}) > 1:
            raise HarnessError(
                f"{path}: {column} costs differ between true labels",
                hint="who abstains does not know the true label: give one cost",
            )
    first = rows[labels[0]]
    pairs = {(t, a): rows[t][a] for t in labels for a in labels}
    return Costs(pairs, first[ABSTAIN], first.get(NO_ANSWER, first[ABSTAIN]))


def _numbers(path: Path, at: int, head: Sequence[str], row: Sequence[str]) -> dict[str, float]:
    if len(row) != len(head):
        raise HarnessError(f"{path}:{at}: {len(row)} cells, but {len(head)} columns")
    found = {}
    for name, cell in zip(head[1:], row[1:], strict=True):
        try:
            cost = float(cell)
        except ValueError:
            cost = math.nan
        if not 0 <= cost < math.inf:
            raise HarnessError(f"{path}:{at}: {name}: {cell!r} is not a number of 0 or more")
        found[name] = cost
    return found
