"""The variables a prompt may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from harness.core.field import FieldSpec

PROMPT_VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "image": "the first picture; printed, it stands there",
        "images": "all pictures, the same list as frames",
        "frames": "all pictures in order of time; {{ frames | join('\\n') }}; each has .index from 1",
        "n_frames": "how many pictures there are",
        "question": "the sample's own question, where it has one",
        "labels": "the labels of the first field asked for that has labels, in the order to show",
        "fields": "the fields asked for: name -> kind, labels, low, high",
        "definitions": "label -> what it means, for the labels that have a definition",
        "exemplars": "worked examples shown first (a list, empty unless a condition fills it)",
    }
)


def field_variables(
    fields: Mapping[str, FieldSpec],
    *,
    question: str | None = None,
    exemplars: Sequence[Mapping[str, Any]] = (),
) -> dict[str, object]:
    """The variables that a sample's asked fields give a prompt, all but the pictures.

    `fields` holds only what this sample asks for, in the task's order, its labels already a list
    (ValueError else). `labels` and `question` are left out where there are none, so that a prompt
    which needs them says so instead of printing nothing. Whole numbers lose their `.0`.
    """
    shown: dict[str, dict[str, object]] = {}
    definitions: dict[str, str] = {}
    for name, spec in fields.items():
        labels = list(spec.classes) if spec.kind in ("label", "set", "yes-no") else []
        low, high = _plain(spec.low), _plain(spec.high)
        shown[name] = {"kind": spec.kind, "labels": labels, "low": low, "high": high}
        definitions.update(spec.definitions)
    variables: dict[str, object] = {
        "fields": shown,
        "definitions": definitions,
        "exemplars": tuple(exemplars),
    }
    first = next((field["labels"] for field in shown.values() if field["labels"]), None)
    if first is not None:
        variables["labels"] = first
    if question is not None:
        variables["question"] = question
    return variables


def _plain(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number
