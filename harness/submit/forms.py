"""What each challenge takes: its files by name, and the labels its answers are drawn from.

File names and fields as published with the 2025 and 2026 editions of the Micro-Expression Grand Challenge.
The label lists of the test sets were not published where we could see them: those below follow the training
sets, and an answer outside them is a warning, never a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from harness.answers.vocabulary import VOCABULARIES
from harness.core.errors import HarnessError

TO_ANSWER, PRED = "_to_answer", "_pred"

_FINE: Mapping[str, str] = MappingProxyType({"casme3": "casme3-fine", "samm": "samm-fine"})


@dataclass(frozen=True, slots=True)
class SubmissionForm:
    """One challenge."""

    name: str
    title: str
    files: tuple[str, ...]
    """Names of its files of questions; a submission holds one file for each. None for tables of intervals,
    whose names were not seen."""
    spots: bool = False
    """Wants intervals in videos, not answers to questions."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field -> labels, in place of those that :meth:`labels_for` would take."""

    def missing(self, given: tuple[str, ...]) -> tuple[str, ...]:
        """The files of questions that are not among those given."""
        return tuple(name for name in self.files if name not in given)

    def labels_for(self, file: str) -> Mapping[str, tuple[str, ...]]:
        """Field -> admissible labels of one file of questions."""
        fine = next((v for word, v in _FINE.items() if word in file), "me-fine-7")
        return {
            "coarse": VOCABULARIES["megc-coarse"],
            "fine": VOCABULARIES[fine],
            "action_units": VOCABULARIES["megc-action-units"],
            "au_shown": ("yes", "no"),
            "au_side": VOCABULARIES["megc-side"],
            "event_type": VOCABULARIES["megc-event"],
            **self.labels,
        }


def _form(name: str, title: str, *sets: str) -> SubmissionForm:
    return SubmissionForm(name, title, tuple(f"{one}{TO_ANSWER}.jsonl" for one in sets))


FORMS: Mapping[str, SubmissionForm] = MappingProxyType(
    {
        form.name: form
        for form in (
            _form(
                "megc2025-me-vqa", "MEGC 2025, visual question answering",
                "me_vqa_casme3_test", "me_vqa_samm_test",
            ),
            _form(
                "megc2026-me-vqa", "MEGC 2026, visual question answering",
                "me_vqa_casme3_v2_test", "me_vqa_samm_v2_test",
            ),
            _form(
                "megc2026-me-lvqa", "MEGC 2026, questions about long videos",
                "me_lvqa_casme3_test", "me_lvqa_samm_test",
            ),
            SubmissionForm("megc2025-me-str", "MEGC 2025, spotting and recognition", (), spots=True),
        )
    }
)  # fmt: skip
"""Name -> form."""


def form_named(name: str, labels: Mapping[str, tuple[str, ...]] | None = None) -> SubmissionForm:
    """The form of a name, with label lists replaced. Raises HarnessError for an unknown name or field."""
    form = FORMS.get(name)
    if form is None:
        raise HarnessError(f"unknown challenge {name!r}", hint=f"use one of {', '.join(FORMS)}")
    known = form.labels_for("")
    for name_of_field in labels or {}:
        if name_of_field not in known:
            raise HarnessError(
                f"{form.name} has no labels for {name_of_field!r}",
                hint=f"fields with labels: {', '.join(known)}",
            )
    return replace(form, labels=dict(labels or {}))


def answer_name(questions: str) -> str:
    """The name of the file of answers to a file of questions: `_to_answer` becomes `_pred`."""
    return questions.replace(TO_ANSWER, PRED)
