"""Labels that answers of the Micro-Expression Grand Challenge are drawn from, and the names of its files.

File names and fields are as published with the 2025 and 2026 editions. The label lists of the test sets were not
published where we could see them: those below follow the training sets, and an answer outside them is a warning, never
a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from harness.answers.vocabulary import VOCABULARIES
from harness.core.errors import HarnessError

TO_ANSWER, PRED = "_to_answer", "_pred"

Labels = Mapping[str, tuple[str, ...]]
"""Field -> labels."""

_FINE: Mapping[str, str] = MappingProxyType({"casme3": "casme3-fine", "samm": "samm-fine"})


FILES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        name: tuple(f"{one}{TO_ANSWER}.jsonl" for one in sets)
        for name, sets in (
            ("megc2025-me-vqa", ("me_vqa_casme3_test", "me_vqa_samm_test")),
            ("megc2026-me-vqa", ("me_vqa_casme3_v2_test", "me_vqa_samm_v2_test")),
            ("megc2026-me-lvqa", ("me_lvqa_casme3_test", "me_lvqa_samm_test")),
        )
    }
)
"""Form -> the published names of its files of questions."""


def labels_for(file: str, given: Labels | None = None) -> Labels:
    """The labels of one file of questions, with those `given` in place of the built-in ones.

    Raises HarnessError for a field that has no labels.
    """
    fine = next((v for word, v in _FINE.items() if word in file), "me-fine-7")
    known = {
        "coarse": VOCABULARIES["megc-coarse"],
        "fine": VOCABULARIES[fine],
        "action_units": VOCABULARIES["megc-action-units"],
        "au_shown": ("yes", "no"),
        "au_side": VOCABULARIES["megc-side"],
        "event_type": VOCABULARIES["megc-event"],
    }
    for name in given or {}:
        if name not in known:
            raise HarnessError(
                f"MEGC has no labels for {name!r}", hint=f"fields with labels: {', '.join(known)}"
            )
    return known | dict(given or {})


def answer_name(questions: str) -> str:
    """The name of the file of answers to a file of questions: `_to_answer` becomes `_pred`."""
    return questions.replace(TO_ANSWER, PRED)
