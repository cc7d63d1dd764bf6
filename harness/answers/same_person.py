"""Read whether two pictures show one person: yes or no in any of its forms, or a number on a scale.

Where a reply holds both, the number counts if it says the same as the words ("Yes, 85"). A reply whose words and
number contradict each other is ambiguous. A number that says how sure the model is of its word
does not count. Counts of what is shown ("two pictures", "2 different people") are no number on the scale.
"""

from __future__ import annotations

import re
from dataclasses import replace

from harness.answers.normal import NormalizedReply
from harness.answers.number import read_number
from harness.answers.pattern import pattern
from harness.answers.verdict import Form, answered, lacking
from harness.answers.yes_no import read_yes_no
from harness.core.answer import Answer
from harness.core.outcome import Outcome

_COUNTED = pattern(
    r"\b(?:1|2|one|two|both)(?=(?: (?:given|shown|different|distinct|separate|single|unique|other))?"
    r" (?:pictures?|images?|photos?|photographs?|pics?|faces?|people|persons?|individuals?|men|women|subjects?|identit(?:y|ies))\b)"
)
_NUMBERED = pattern(
    r"\b(?:first|second|picture|image|photo|photograph|face|person|individual|man|woman|subject)s? (?:1|2|one|two)\b(?! ?%)"
)
_PERSON = (
    r"(?:person|people|persons|individuals?|men|man|women|woman|subjects?|faces?|identit(?:y|ies))"
)
_SAME = pattern(
    rf"\b(?:(?:the |one and the |very )?(?:same|identical) {_PERSON}|one person|one and the same)\b|^\W*(?:same|match(?:ing)?)\W*$"
)
_OTHER = pattern(
    rf"\b(?:(?:different|distinct|separate|two|other) {_PERSON}|another person|someone else)\b"
    r"|^\W*(?:different|no match|not (?:the )?same|mismatch)\W*$"
)
_THEY = (
    r"\b(?:they|these|those|people|persons|individuals|men|women|subjects|faces)(?:'re"
    r"|(?: \w+){0,2} (?:are|were|look|looked|seem|appear)(?: to be)?)(?: \w+){0,2} "
)
_END = r"(?=\W{0,3}(?:$|[.,;:!?\n]))"
_THEY_ARE_SAME = pattern(rf"{_THEY}(?P<at>(?:the |one and the )?same|identical|one){_END}")
_THEY_DIFFER = pattern(rf"{_THEY}(?P<at>different|distinct){_END}")
"""Said of the persons themselves: "they are different", not "the hair is different"."""
_DENIED = pattern(r"\b(?:not|never|hardly|unlikely|neither|cannot|doubt(?:ful)?)\b|n't\b")
_PART = re.compile(r"[.;:!?\n]|, (?:but|and|so)\b")
_SURE = pattern(r"\b(?:confiden(?:t|ce)|certain(?:ty)?|sure|sureness)\b")
_BEFORE = 60
"""Characters before a statement in which it may be denied."""


def read_same_person(
    reply: NormalizedReply,
    low: float,
    high: float,
    *,
    form: Form = "text",
    keys: re.Pattern[str] | None = None,
) -> Answer:
    """A number in [low, high]: `high` for yes, `low` for no. Never raises."""
    plain = replace(reply, text=_without_counts(reply.text))
    number = read_number(plain, low, high, form=form, keys=keys)
    word = _said(read_yes_no(reply, keys=keys), reply, low, high)
    if word.outcome is not Outcome.ANSWERED:
        return number if number.outcome is not Outcome.UNPARSED else word
    if number.outcome is not Outcome.ANSWERED or not isinstance(number.value, int | float):
        return word
    if _SURE.search(reply.text):
        return word  # the number says how sure it is of its word
    middle = (low + high) / 2
    agrees = number.value == middle or (number.value > middle) == (word.value == high)
    return number if agrees else lacking(Outcome.AMBIGUOUS, "same-person/contradiction")


def _said(found: Answer, reply: NormalizedReply, low: float, high: float) -> Answer:
    """Yes or no as a number; where neither is said, what is stated of the persons."""
    if found.outcome is Outcome.ANSWERED:
        return replace(found, value=high if found.value == "yes" else low)
    if found.outcome is not Outcome.UNPARSED:
        return found
    text = reply.text
    stated = {not _denied(text, match.start()) for match in _SAME.finditer(text)}
    stated |= {not _denied(text, match.start("at")) for match in _THEY_ARE_SAME.finditer(text)}
    stated |= {_denied(text, match.start()) for match in _OTHER.finditer(text)}
    stated |= {_denied(text, match.start("at")) for match in _THEY_DIFFER.finditer(text)}
    if len(stated) != 1:
        return lacking(Outcome.AMBIGUOUS, "same-person/both") if stated else found
    return answered(high if stated.pop() else low, "same-person/stated")


def _denied(text: str, start: int) -> bool:
    """Whether what begins at `start` is denied in its part of the sentence."""
    before = _PART.split(text[max(0, start - _BEFORE) : start])[-1]
    return len(_DENIED.findall(before)) % 2 == 1


def _without_counts(text: str) -> str:
    """The text with counts and numbers of pictures and persons blanked, of the same length."""
    for counts in (_COUNTED, _NUMBERED):
        text = counts.sub(lambda match: " " * len(match.group()), text)
    return text
