"""Read whether two pictures show one person: yes or no in any of its forms, or a number on a scale.

Where a reply holds both, the number counts if it says the same as the words ("Yes, 85"). A reply whose words and
number contradict each other is ambiguous, and so is "Yes, they are different people". A number that says how sure the model
is of its word does not count, but "15% sure that they are the same" is 15. A number of a difference ("30% chance that they are
different", "distance: 35") is never turned into one of sameness. A number of at most 1 with a decimal point ("0.8") on a scale
from 0 to 10 or more may be a share or a point of the scale: it is ambiguous, unless a percent sign or the end of the scale
("0.8/100") says which. "Likely the same" and "probably not" are read as same and different; "maybe" and "might be" take no
side. Counts of what is shown ("two pictures", "2 different people"), ages and years are no number on the scale.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from harness.answers.normal import NormalizedReply
from harness.answers.number import read_number
from harness.answers.pair_claims import Claim, find_claims, settle
from harness.answers.pair_numbers import (
    APART,
    BOUND,
    SURE,
    may_be_share,
    opening,
    parted_shares,
    quantified,
    without_counts,
    without_legend,
)
from harness.answers.pattern import blanks, pattern
from harness.answers.refusals import find_declines
from harness.answers.verdict import Form, answered, lacking
from harness.answers.yes_no import read_yes_no
from harness.core.answer import Answer
from harness.core.outcome import Outcome

_EVEN = pattern(r"\b(?:50 ?[/-] ?50|fifty[ -](?:/ ?)?fifty)\b")
_NO_OF = pattern(
    r"\b(?<!-)no (?=[a-z])(?!(?:they|they're|these|those|the|it|it's|this|that|there|i|i'm|i'd|we|not|because|since|as|both|two|one|picture|pictures|image|images"
    r"|photo|photos|but|based|given|due|with|at|for|to|person|different|son|he|she|you|my|his|her|although|while|though)\b)"
)
""" "No" before a noun: "no evidence", "no differences"; "no match" is read as a claim."""
_NO_DIFFERENT = pattern(r"\bno (?=different\b)")
_ELSEWHERE = pattern(
    r"\b(?:nein|nicht|kein\w*|verschieden\w*|unterschiedlich\w*|diff\u00e9rent\w*|pas|distint\w*|diferent\w*|n\u00e3o|divers[ei])\b|[\u4e0d\u522b\u5225]|\ub2e4\ub978|\u0440\u0430\u0437\u043d"
)
"""Denials and differences in languages that are not read here: what a number beside them is of is not known."""
_GUESS_END = (
    r"(?=\W{0,3}(?:$|[.,;:!?\n(\u2013\u2014-])"
    r"| (?:given|because|since|as|based|due|judging|although|though|but|with)\b)"
)
_GUESS = pattern(
    r"(?:(?P<first>^)|[.;:!?(\n]|, (?:but|and|so)\b)\W{0,8}(?:(?:i think|i believe|i guess|i'd say|i would say|they are|they're|they|these are|it is|it's),? )?"
    r"(?P<denied>not )?(?:(?:most|more|very|quite|highly|rather|fairly|pretty|almost|nearly|extremely) )?"
    r"(?:likely|(?P<unlikely>unlikely|improbable|doubtful)|probably|presumably|apparently|seemingly|surely|certainly|definitely|clearly|evidently)"
    r"(?: than not)?,?(?: (?:they are|they're|these are|it is|it's|to be|are|is))?(?P<not> not)?"
    r"(?: (?:the |an? )?(?:(?P<same>same|identical|match(?:ing)?|genuine pair)|(?P<other>different|distinct|mismatch|impostor pair)))?"
    + _GUESS_END
)
"""Which of the two it holds for likely; what it is of may be left out at the start of a reply alone."""


def read_same_person(  # noqa: PLR0911
    reply: NormalizedReply,
    low: float,
    high: float,
    *,
    form: Form = "text",
    keys: re.Pattern[str] | None = None,
) -> Answer:
    """A number in [low, high]: `high` for yes, `low` for no. Never raises."""
    reply = replace(reply, text=without_legend(reply.text, low, high))
    parted = parted_shares(reply, low, high)
    if parted is not None:
        return parted
    claims = find_claims(reply.text, find_declines(reply.text, reply.speech))
    word = _word(reply, claims, low, high, keys)
    opens = None if form == "final" else opening(reply, low, high)
    if (
        opens is not None
        and not may_be_share(opens, reply, low, high)
        and len(reply.text.split()) > 1
    ):
        return _agreeing(opens, word, (low + high) / 2)
    number = read_number(
        replace(reply, text=without_counts(reply.text, high)), low, high, form=form, keys=keys
    )
    if may_be_share(number, reply, low, high):
        number = lacking(Outcome.AMBIGUOUS, "same-person/share-or-score", number.span)
    elif number.outcome is Outcome.ANSWERED and BOUND.search(reply.text):
        number = lacking(Outcome.AMBIGUOUS, "same-person/bound", number.span)
    if number.outcome is not Outcome.ANSWERED or not isinstance(number.value, int | float):
        numbered = (
            number.outcome in {Outcome.AMBIGUOUS, Outcome.OFF_LIST}
            and word.rule == "same-person/stated"
        )
        if numbered and not SURE.search(reply.text) and quantified(reply.text, claims) is not None:
            return number  # "a 5% chance that they are different, so 95"
        if word.outcome is Outcome.ANSWERED:
            return word
        if not claims and number.outcome is not Outcome.AMBIGUOUS and _EVEN.search(reply.text):
            return answered((low + high) / 2, "same-person/even")
        return number if number.outcome is not Outcome.UNPARSED else word
    return _together(reply, float(number.value), number, word, claims, (low + high) / 2)


def _together(  # noqa: PLR0911, PLR0917
    reply: NormalizedReply,
    value: float,
    number: Answer,
    word: Answer,
    claims: Sequence[Claim],
    middle: float,
) -> Answer:
    """What a number and the words around it say together."""
    if word.outcome is not Outcome.ANSWERED and _ELSEWHERE.search(reply.text):
        return lacking(Outcome.AMBIGUOUS, "same-person/other-language", number.span)
    of = quantified(reply.text, claims)
    if of is True and (value <= middle or not SURE.search(reply.text)):
        return number  # "a 20% chance that they are the same"
    if of is False or APART.search(reply.text):
        plain = SURE.search(reply.text) or word.rule != "same-person/stated"
        if word.outcome is Outcome.ANSWERED and float(str(word.value)) < middle < value and plain:
            return word
        return lacking(Outcome.AMBIGUOUS, "same-person/of-difference", number.span)
    if word.outcome is not Outcome.ANSWERED:
        return word if word.outcome is Outcome.AMBIGUOUS else number
    if SURE.search(reply.text):
        return word  # the number says how sure it is of its word
    return _agreeing(number, word, middle)


def _agreeing(number: Answer, word: Answer, middle: float) -> Answer:
    """The number; ambiguous where the words say the opposite."""
    value = float(str(number.value))
    agrees = word.outcome is not Outcome.ANSWERED or value == middle
    agrees = agrees or (value > middle) == (float(str(word.value)) > middle)
    return number if agrees else lacking(Outcome.AMBIGUOUS, "same-person/contradiction")


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


def _word(
    reply: NormalizedReply,
    claims: Sequence[Claim],
    low: float,
    high: float,
    keys: re.Pattern[str] | None,
) -> Answer:
    """Yes or no as a number; where neither is said, what is claimed of the persons."""
    stated = settle(claims)
    found = read_yes_no(
        replace(reply, text=_without_determiners(reply.text, claims)), keys=keys, seen=False
    )
    if found.outcome is Outcome.ANSWERED:
        same = found.value == "yes"
        plain = settle([one for one in claims if one.weight > 1])
        if plain == {not same} and not found.rule.startswith("final-anchor"):
            return lacking(Outcome.AMBIGUOUS, "same-person/contradiction", found.span)
        return replace(found, value=high if same else low)
    stated |= _guessed(reply.text)
    if len(stated) == 1 and found.outcome is not Outcome.AMBIGUOUS:
        return answered(high if stated.pop() else low, "same-person/stated")
    if stated and found.outcome is Outcome.UNPARSED:
        return lacking(Outcome.AMBIGUOUS, "same-person/both")
    if claims and found.outcome is Outcome.UNPARSED:
        return lacking(Outcome.OFF_LIST, "same-person/open")
    return found


def _without_determiners(text: str, claims: Sequence[Claim]) -> str:
    """The text without "no" as in "no evidence", and without answers that belong to a claim ("different people: yes")."""
    text = _NO_OF.sub(blanks, text)
    text = text[:1] + _NO_DIFFERENT.sub("   ", text[1:])
    for claim in claims:
        if claim.weight == 3 and claim.same is not None:
            stop = claim.sentence[1]
            line = text.find("\n", stop)
            end = min(
                stop + 40 if text[stop : stop + 1] == "?" else stop,
                line if line > stop else len(text),
            )
            text = (
                text[: claim.end] + " " * (end - claim.end) + text[end:]
                if end > claim.end
                else text
            )
    return text
