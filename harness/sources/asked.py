"""ME-VQA questions about clips that a coding sheet describes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

from harness.core.errors import HarnessError
from harness.core.sample import Sample
from harness.core.source import Skipped, Source
from harness.core.text import digest_json
from harness.faces.vqa import COARSE_QUESTION, COMBINED_QUESTIONS, FINE_QUESTION, UNIT_QUESTIONS
from harness.sources.megc_questions import ASKED

Kind: TypeAlias = Literal["coarse", "fine", "action_units", "combined"]

_WORDS: dict[Kind, tuple[str, str]] = {
    "coarse": (COARSE_QUESTION, COARSE_QUESTION),
    "fine": (FINE_QUESTION, FINE_QUESTION),
    "action_units": UNIT_QUESTIONS,
    "combined": COMBINED_QUESTIONS,
}
"""Kind -> its question for one action unit and for several, as the training files word it."""


class AskedSource:
    """Each sample of a source as one sample for each kind of question that its targets can answer."""

    __slots__ = ("_kinds", "_source")

    def __init__(self, source: Source, kinds: Sequence[Kind]) -> None:
        self._source = source
        self._kinds = tuple(kinds)

    def __iter__(self) -> Iterator[Sample]:
        any_asked = False
        for sample in self._source:
            for kind in self._kinds:
                targets = {
                    name: sample.targets[name] for name in ASKED[kind] if name in sample.targets
                }
                if len(targets) < len(ASKED[kind]):
                    continue
                any_asked = True
                units = sample.targets.get("action_units", ())
                several = isinstance(units, tuple) and len(units) != 1
                yield replace(
                    sample,
                    id=f"{sample.id}/{kind}",
                    targets=targets,
                    question=_WORDS[kind][several],
                    asks=tuple(targets),
                    annotations={**sample.annotations, "question_kind": kind},
                )
        if not any_asked:
            raise HarnessError(
                f"source.ask: a clip cannot answer {', '.join(self._kinds)}",
                hint="add the fields coarse, fine and action_units to the task",
            )

    def digest(self) -> str:
        return digest_json({"asked": self._kinds, "of": self._source.digest()})

    def skipped(self) -> tuple[Skipped, ...]:
        return self._source.skipped()
