"""Notes on words of the data that prompts show differently or in mixed styles."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.field import FieldSpec
from harness.prompting.controls import neutralise
from harness.run.plan import Plan
from harness.run.planned_task import PlannedTask


def wording_notes(plan: Plan) -> Iterator[str]:
    """For each task that a cell asks about: control tokens in its words, and classes of the data in mixed case."""
    for name in dict.fromkeys(cell.task for cell in plan.cells):
        planned = plan.tasks[name]
        yield from (f"{name}: {note}" for note in (*_controls(planned), *_mixed_case(planned)))


def _controls(planned: PlannedTask) -> Iterator[str]:
    found = {
        word: None
        for spec in planned.task.fields.values()
        for word in _words(spec)
        if neutralise(word) != word
    }
    said = "chat models may take it for a control token, so prompts show"
    for word in found:
        yield f"the text {word!r}: {said} {neutralise(word)}"
    count, example = planned.summary.altered
    if count:
        one = "1 question holds" if count == 1 else f"{count:,} questions hold"
        yield (
            f"{one} text that chat models may take for a control token, such as sample {example}: prompts show its "
            "< and > as ‹ and ›, its [ and ] as ⟦ and ⟧"
        )


LONGEST_CODE = 4
"""Letters of the longest label in capitals that is taken for a code."""


def _words(spec: FieldSpec) -> Iterator[str]:
    if spec.labelled:
        yield from spec.classes
    yield from spec.definitions.values()


def _mixed_case(planned: PlannedTask) -> Iterator[str]:
    for name in planned.summary.classes:
        classes = planned.task.fields[name].classes
        lower = [label for label in classes if label[:1].islower()]
        upper = [label for label in classes if _capital(label)]
        if lower and upper:
            alike = ", ".join(_small(label) for label in classes)
            yield (
                f"the classes of {name} are offered as the data write them, some with a capital letter ({upper[0]}) and "
                f"some without ({lower[0]}); to offer them alike, list them: "
                f"--set 'fields.{name}.labels=[{alike}]'"
            )


def _capital(label: str) -> bool:
    """Whether a label is written like `Anger`; `AU12` is not."""
    return label[:1].isupper() and label[1:2].islower()


def _small(label: str) -> str:
    """A label written like `anger`, where it is a word; `AU12` and `ANX` stay."""
    if _capital(label):
        return label[0].lower() + label[1:]
    return label.lower() if label.isalpha() and len(label) > LONGEST_CODE else label
