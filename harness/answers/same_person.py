"""Read whether two pictures show one person: yes or no in any of its forms, or a number on a scale.

Where a reply holds both, the number counts if it says the same as the words ("Yes, 85"). A reply whose words and
number contradict each other is ambiguous. A number that says how sure the model is of its word
does not count. A number of at most 1 with a decimal point ("0.8") on a scale from 0 to 10 or more may be a share or a
point of the scale: it is ambiguous, unless a percent sign or the end of the scale ("0.8/100") says which. "Likely the same"
and "probably not" are read as same and different; "maybe" and "perhaps" take no side. Counts of what is shown ("two pictures", "2 different
people") are no number on the scale.
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
_GUESS_END = (
    r"(?=\W{0,3}(?:$|[.,;:!?\n(\u2013\u2014-])"
    r"| (?:given|because|since|as|based|due|judging|although|though|but|with)\b)"
)
_GUESS = pattern(
    r"(?:(?P<first>^)|[.;:!?\n]|, (?:but|and|so)\b)\W{0,8}(?:(?:i think|i believe|i guess|i'd say|i would say|they are|they're|they|these are|it is|it's),? )?"
    r"(?P<denied>not )?(?:(?:most|more|very|quite|highly|rather|fairly|pretty|almost|nearly|extremely) )?"
    r"(?:likely|(?P<unlikely>unlikely|improbable|doubtful)|probably|presumably|apparently|seemingly|surely|certainly|definitely|clearly|evidently)"
    r"(?: than not)?,?(?: (?:they are|they're|these are|it is|it's|to be|are|is))?(?P<not> not)?"
    r"(?: (?:the |an? )?(?:(?P<same>same|identical|match(?:ing)?|genuine pair)|(?P<other>different|distinct|mismatch|impostor pair)))?"
    + _GUESS_END
)
"""Which of the two it holds for likely; what it is of may be left out at the start of a reply alone."""
_SHARE_SCALE = 10
"""The upper end of a scale from 0 on which no share is meant by a number above 1."""
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
    if _may_be_share(number, reply, low, high):
        number = lacking(Outcome.AMBIGUOUS, "same-person/share-or-score", number.span)
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


def _may_be_share(number: Answer, reply: NormalizedReply, low: float, high: float) -> bool:
    """Whether a number such as 0.8 may stand for 80% or for 0.8 points of the scale."""
    if number.outcome is not Outcome.ANSWERED or number.span is None:
        return False
    if low != 0 or high < _SHARE_SCALE or not 0 < float(str(number.value)) <= 1:
        return False
    written = reply.raw[slice(*number.span)].casefold()
    return any(mark in written for mark in ".,\u066b") and not re.search("%|percent|/|of", written)


def _guessed(text: str) -> set[bool]:
    """What a reply holds for likely: same, different, both, or nothing."""
    found: set[bool] = set()
    for match in _GUESS.finditer(text):
        turned = match["denied"] or match["unlikely"] or match["not"]
        alone = match["first"] is not None and (turned or not text[match.end() :].strip(" .!"))
        if not (match["same"] or match["other"] or alone):
            continue  # "Certainly, ..."
        turns = [match["denied"], match["unlikely"], match["not"], match["other"]]
        found.add(sum(turn is not None for turn in turns) % 2 == 0)
    return found


def _said(found: Answer, reply: NormalizedReply, low: float, high: float) -> Answer:
    """Yes or no as a number; where neither is said, what is stated of the persons."""
    if found.outcome is Outcome.ANSWERED:
        return replace(found, value=high if found.value == "yes" else low)
    text = reply.text
    stated = _guessed(text)
    if found.outcome is not Outcome.UNPARSED and not (
        stated and found.outcome in {Outcome.OFF_LIST, Outcome.REFUSED}
    ):
        return found
    stated |= {not _denied(text, match.start()) for match in _SAME.finditer(text)}
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
