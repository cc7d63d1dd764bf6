"""The variables a prompt may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from harness.answers.vocabulary import usual_name
from harness.core.field import FieldSpec
from harness.core.kind import kind_of, plain_number
from harness.core.message import Image

PROMPT_VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "image": "the first picture; print it where it should appear",
        "images": "all pictures, the same list as frames",
        "frames": "all pictures in time order; {{ frames | join('\n') }}; each has .index, starting "
        "at 1",
        "n_frames": "number of pictures; of a video, its frames",
        "paired": "the other picture or clip, for samples with two: .image is its first picture, "
        ".frames are all of them",
        "question": "the sample's own question, if it has one",
        "labels": "labels of the first requested field that has labels, in the order to show",
        "fields": "the requested fields: name -> kind, labels, low, high, words, and options if it "
        "has any",
        "every_field": "every field of the task, requested or not, in the form of `fields`",
        "shown": "text that describes the pictures, if the condition does not show plain frames",
        "flow_legend": "key to the colours, if the condition shows optical flow",
        "definitions": "label -> definition, for labels that have one",
        "label": "in prompts of the family dual: the label whose texts are written",
        "definition": "in prompts of the family dual: how the label shows on a face, if that is known",
        "meaning": "in prompts of the family dual: the usual name of the label (happiness for happy), or the label",
        "exemplars": "few-shot examples, as many as --shots sets (none by default): each has .image, "
        ".frames, .question if it has one, and the true value of each field under its "
        "name",
    }
)


def field_variables(
    fields: Mapping[str, FieldSpec],
    *,
    question: str | None = None,
    exemplars: Sequence[Mapping[str, Any]] = (),
    every: Mapping[str, FieldSpec] | None = None,
) -> dict[str, object]:
    """The variables that a sample's asked fields give a prompt, all but the pictures.

    `fields` holds only what this sample asks for, in the task's order, its labels already a list
    (ValueError else); `every` all fields of the task, where they are known. `labels` and
    `question` are left out where there are none, so that a prompt which needs them says so instead
    of printing nothing. Whole numbers lose their `.0`.
    """
    shown = {name: kind_of(spec).variables(spec) for name, spec in fields.items()}
    definitions: dict[str, str] = {}
    for spec in fields.values():
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
    if every is not None:
        variables["every_field"] = {
            name: kind_of(spec).variables(spec) for name, spec in every.items()
        }
    return variables


def each_label(
    variables: Mapping[str, object],
) -> Iterator[tuple[str, dict[str, object]]]:
    """(label, the variables that it adds) for each label of the first requested field that has any; of a number, for
    the words of its scale."""
    fields: Any = variables.get("fields") or {}
    found = next((f.get("labels") or f.get("words") for f in fields.values()), ()) or ()
    defined: Any = variables.get("definitions") or {}
    for label in found:
        own: dict[str, object] = {
            "label": " ".join(str(label).split()),
            "meaning": usual_name(str(label)) or " ".join(str(label).split()),
        }
        if label in defined:
            own["definition"] = " ".join(str(defined[label]).split())
        yield str(label), own


def example_variables(
    values: Mapping[str, Any], pictures: Sequence[Any], *, question: str | None = None
) -> dict[str, Any]:
    """What a prompt sees of one few-shot example: its pictures (slots once rendered), its question, its true values.

    Sets become lists, whole numbers lose their `.0`.
    """
    shown: dict[str, Any] = {name: _plain_value(value) for name, value in values.items()}
    if pictures:
        shown |= {"image": pictures[0], "frames": tuple(pictures)}
    return shown if question is None else {**shown, "question": question}


def made_up_examples(fields: Mapping[str, FieldSpec], count: int) -> tuple[dict[str, Any], ...]:
    """Few-shot examples of one picture each that stand in for real ones: for lint, and to count pictures."""
    values = {name: kind_of(spec).example(spec) for name, spec in fields.items()}
    return tuple(
        example_variables(
            values, [Image(f"example-{k}", b"example %d" % k)], question="a question like this one"
        )
        for k in range(count)
    )


def _plain_value(value: Any) -> Any:
    if isinstance(value, float):
        return plain_number(value)
    return list(value) if isinstance(value, tuple) else value
