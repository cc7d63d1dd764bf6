"""Whether two pictures show one person: a score on a scale, or yes or no, which are its ends.

The true value is the upper end of the scale for pairs of one person and the lower end for pairs of two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.answers.anchors import key_pattern
from harness.answers.loose_json import Loose
from harness.answers.normal import NormalizedReply
from harness.answers.number import quick_number
from harness.answers.same_person import read_same_person
from harness.answers.speech import speech_for
from harness.answers.value_reader import ValueReader
from harness.answers.verdict import Form, answered
from harness.answers.yes_no import quick_yes_no
from harness.core.answer import Answer
from harness.core.field import FieldSpec
from harness.core.kind import no_options
from harness.core.sample import Value
from harness.kinds.cells import plain
from harness.kinds.number import NUMBER, number_from_json
from harness.kinds.yes_no import YES_NO

if TYPE_CHECKING:
    from harness.core.kind import Kind

_CELLS: Mapping[str, str] = {
    **dict.fromkeys(("same", "same person", "same identity", "match", "matched", "genuine", "positive", "mated"), "yes"),
    **dict.fromkeys(
        (
            "different", "different person", "different persons", "different people", "different identity", "diff",
            "not same", "mismatch", "mismatched", "no match", "non match", "impostor", "imposter", "negative", "non mated",
        ),
        "no",
    ),
}  # fmt: skip
"""How tables of pairs write one person and two, besides yes and no."""


def _check(spec: FieldSpec) -> None:
    no_options(spec)
    if not spec.low < spec.high:
        raise ValueError(f"low ({spec.low}) must be below high ({spec.high})")
    if spec.words and dict(spec.words) != {"yes": spec.high, "no": spec.low}:
        raise ValueError(
            f"words of a field of kind pairs are the ends of its scale: write words: {{yes: {spec.high:g}, no: {spec.low:g}}}"
        )


def _end(spec: FieldSpec, same: bool) -> float:
    return spec.high if same else spec.low


def _reader(name: str, spec: FieldSpec, letters: bool) -> ValueReader:
    keys = key_pattern(name)

    def quick(raw: str) -> Answer | None:
        word = quick_yes_no(raw, seen=False)
        if word is None:
            # A decimal point may mean a share: `read` looks closer.
            return None if "." in raw else quick_number(raw, spec.low, spec.high)
        return replace(word, value=_end(spec, word.value == "yes"))

    def read(reply: NormalizedReply, form: Form) -> Answer:
        return read_same_person(reply, spec.low, spec.high, form=form, keys=keys)

    def json(value: Loose) -> Answer | None:
        if isinstance(value, bool):
            return answered(_end(spec, value), "json/yes-no")
        return number_from_json(value)

    return ValueReader(read=read, quick=quick, json=json, speech=speech_for(spec.languages))


def _target(cell: Any, spec: FieldSpec) -> Value:
    said = _CELLS.get(" ".join(re.split(r"[\s_-]+", plain(cell).casefold())), cell)
    try:
        return _end(spec, YES_NO.target(said, spec) == "yes")
    except ValueError:
        raise ValueError(
            f"{plain(cell)!r} is neither yes, same or 1 (one person) nor no, different or 0 (two people)"
        ) from None


def _in_words(spec: FieldSpec, value: Value) -> str:
    """The middle of the scale counts as the same person, as for the accuracy at the middle."""
    if not isinstance(value, int | float):
        return ""
    return "same person" if value >= (spec.low + spec.high) / 2 else "different persons"


PAIRS: Kind = replace(
    NUMBER,
    name="pairs",
    title="whether two pictures show one person: a score on a scale, or yes or no, its ends",
    metrics=("pair_auroc", "pair_eer", "tar_at_far_1", "pair_accuracy"),
    unused=("labels", "member_of", "tolerance", "synonyms"),
    check=_check,
    reader=_reader,
    target=_target,
    example=lambda spec: spec.high,
    in_words=_in_words,
)
