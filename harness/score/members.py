"""Answer yes or no from a set: "is X shown?" if the reply lists everything that is shown."""

from __future__ import annotations

from collections.abc import Mapping

from harness.answers.vocabulary import canonical
from harness.core.answer import Answer
from harness.core.field import FieldSpec
from harness.core.outcome import Outcome
from harness.core.prompt import PromptHead
from harness.core.task import Task

UNIT = "unit"
"""The annotation that holds X."""


def sets_behind(task: Task, head: PromptHead) -> Mapping[str, str]:
    """Yes-no field -> the set field that answers it too, where a prompt's JSON holds that set."""
    if head.answer != "json":
        return {}
    return {
        name: spec.member_of
        for name, spec in task.fields.items()
        if spec.member_of in task.fields and {name, spec.member_of} <= {*head.fields}
    }


def membership(found: Answer, unit: str, spec: FieldSpec) -> Answer:
    """Yes where the answered set holds the unit, else no; the set's own reason where it has no answer."""
    rule = f"member-of-set/{found.rule}"
    if not isinstance(found.value, tuple):
        return Answer(found.outcome, None, rule)
    name = canonical(unit, spec.classes) or unit
    return Answer(Outcome.ANSWERED, "yes" if name in found.value else "no", rule)
