"""Tell which number of a reply is a score for "the same person", and which is of something else.

Counts of pictures, ages, years and measures are no scores. A number may say how likely a claim is, how far apart the faces
are, or what share each of two answers has.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from harness.answers.normal import NormalizedReply
from harness.answers.pair_claims import Claim
from harness.answers.pattern import blanks, pattern
from harness.answers.verdict import answered, lacking
from harness.core.answer import Answer
from harness.core.outcome import Outcome

_COUNTED = pattern(
    r"\b(?:1|2|one|two|both)(?=(?: (?:given|shown|different|distinct|separate|single|unique|other))?"
    r" (?:pictures?|images?|photos?|photographs?|pics?|faces?|people|persons?|individuals?|men|women|subjects?|identit(?:y|ies))\b)"
)
_NUMBERED = pattern(
    r"\b(?:first|second|picture|image|photo|photograph|face|person|individual|man|woman|subject)s? (?:1|2|one|two)\b(?! ?%)"
)
_AGED = pattern(
    r"\b\d{1,3}(?:\.\d)?(?:(?: ?(?:to|-|or|and) ?)\d{1,3})?[ -]?(?:years?|year-olds?|yrs?|y/?o|months?)\b(?:[ -]old)?"
    r"|(?<!same )\b(?:aged?|ages?)(?: of| is|:)?(?: about| around| roughly)? \d{1,3}\b(?: ?(?:to|-|and|or) ?\d{1,3})?|\b(?:early|mid|late)?[ -]?\d0s\b"
    r"|\b(?:looks?|seems?|appears?)(?: about| around| to be)? \d{1,3}\b(?! ?(?:%|percent|/|out of))"
)
_OTHERWISE = pattern(
    r"\b\d{1,3}(?: (?:out )?of (?:the )?\d{1,3})?(?: \w{2,14})? (?:stars?|differences?|similarities|features?|landmarks?|moles?|freckles?|scars?|criteria|traits?|reasons?"
    r"|aspects?|points? of|cm|mm|kg|lbs?|pounds|inches|px|pixels?|degrees?)\b|\bau ?\d{1,2}\b"
)
_YEAR = pattern(r"\b(?:19|20)\d\d\b(?! ?(?:%|/))")
_OUT_OF = pattern(r"\((?:out of|of|/) ?(\d{1,4})\)|(?<=\d) of (\d{1,4})\b(?! \w+s\b)")
BOUND = pattern(
    r"\b(?:less than|lower than|under|below|at most|up to|(?:no |not )?more than|greater than|higher than|over|above|at least|not)(?: about)? \d|(?<!\w)[<>\u2264\u2265] ?\d"
)
""" "Less than 10%" names an end, no value."""
_OPENS = pattern(
    r"[^\w.,+-]*(\d{1,3}(?:[.,]\d{1,6})?)(?: ?%| percent\b| ?/ ?100\b)?"
    r"(?=\W{0,3}$|\W{0,2}\n|[.,;:!] |[ ]?[(\u2013\u2014]| - )(?!\W{0,4}\d)"
)
"""A number that stands for itself at the start of a reply; reasons may follow."""
_LEGENDS = (
    r"\b(?:on a )?(?:scale )?(?:from |between |of )?{low} ?\([^()\n]{{1,60}}\) ?(?:to|and|-|,|;) ?{high} ?\([^()\n]{{1,60}}\)",
    r"\b(?:if |where |with )?{low} ?(?:=|is|means?|meaning|being|for|stands for) [^\d\n.;]{{1,60}}[,;]? ?(?:and )?{high} ?(?:=|is|means?|meaning|being|for|stands for) [^\d\n.;,]{{1,60}}",
    r"\bout of {high}(?=,)",
)
"""What the ends of the scale mean, said again."""
SURE = pattern(r"\b(?:confiden(?:t|ce)|certain(?:ty)?|sure|sureness)\b")
_CHANCE = pattern(
    r"\b(?:chances?|probability|likelihood|odds|probable)\b|%\W? ?likely\b|percent likely\b"
)
_SHARED = pattern(r"\d ?(?:%|percent)\W? (?:\w+ )?$")
APART = pattern(
    r"\bdiffers? by \d|\d ?% (?:for )?no\b|\bno,? with (?:a )?(?:\w+ ){0,2}\d|\b(?:different|mismatch)[^.;!?\n]{0,20}\?\W{0,3}\d|"
    r"\b(?:differen(?:ce|t|ces)|diff|dissimilar(?:ity)?|distance|mismatch|non-?match|impostor|discrepancy)\b(?:[ _](?:people|persons?|score|level|rating|probability|likelihood|chance|of|is|at|about))*"
    r"[\"' ]{0,3}[:=]?[\"' ]{0,3}(?:about |~ ?)?\d|\d ?(?:%|percent)\W? (?:\w+ ){0,2}?(?:different|dissimilar|difference|mismatch)\b"
    r"|\b(?:probability|likelihood|chance|p)(?:[ _(]{1,2}(?:of|that|they|are))*[ _(]{1,2}(?:differen|mismatch)\w*[^.;!?\n]{0,30}\d"
)
"""A number of how far apart the faces are."""
_VALUE = r"\D{{1,6}}?(?P<{0}>\d{{1,3}}(?:\.\d{{1,6}})?) ?(?:%|percent)?"
_ONE, _TWO = (
    r"(?:yes|same(?: person)?|match)",
    r"(?:no|not (?:the )?same(?: person)?|different(?: (?:people|persons?))?|non-?match|mismatch)",
)
_PARTED = pattern(
    rf"\b{_ONE}\b{_VALUE.format('a')}\W{{1,5}}(?:and )?{_TWO}\b{_VALUE.format('b')}|\b{_TWO}\b{_VALUE.format('c')}\W{{1,5}}(?:and )?{_ONE}\b{_VALUE.format('d')}"
)
""" "yes: 80%, no: 20%"."""
_SHARE_SCALE = 10
"""The upper end of a scale from 0 on which no share is meant by a number above 1."""
_YEARS = 1900
_SUM = 1.0


def without_legend(text: str, low: float, high: float) -> str:
    """The text without what the ends of the scale mean, of the same length."""
    for legend in _LEGENDS:
        form = re.compile(legend.format(low=f"{low:g}".replace("-", r"\-"), high=f"{high:g}"))
        text = form.sub(blanks, text)
    return text


def opening(reply: NormalizedReply, low: float, high: float) -> Answer | None:
    """The number that opens a reply, whatever is said behind it; the 1 of a list is none."""
    match = _OPENS.match(without_counts(reply.text, high))
    if match is None or (match[1] == "1" and reply.text[match.end() : match.end() + 1] in ".):"):
        return None
    value = float(match[1].replace(",", "."))
    if not low <= value <= high:
        return None
    return answered(value, "same-person/opening", reply.span(match.start(1), match.end()))


def without_counts(text: str, high: float) -> str:
    """The text with counts and numbers of pictures and persons, ages and years blanked, of the same length."""
    text = _OUT_OF.sub(lambda m: blanks(m) if float(m[1] or m[2]) == high else m.group(), text)
    for counts in (_COUNTED, _NUMBERED, _AGED, _OTHERWISE, *((_YEAR,) if high < _YEARS else ())):
        text = counts.sub(blanks, text)
    return text


def quantified(text: str, claims: Sequence[Claim]) -> bool | None:
    """Of which claim a number says how likely it is; None where it is of none."""
    for claim in claims:
        first, last = claim.sentence
        sentence = text[first:last]
        bound = _SHARED.search(text[first : claim.start]) or (
            re.search(r"\d", sentence) and (_CHANCE.search(sentence) or SURE.search(sentence))
        )
        if bound:
            return claim.topic if claim.same is None else claim.same
    return None


def parted_shares(reply: NormalizedReply, low: float, high: float) -> Answer | None:
    """A share for each of the two answers: that of the same person, where both make up the whole."""
    match = _PARTED.search(reply.text)
    if match is None:
        return None
    same, other = (
        (float(match["a"]), float(match["b"]))
        if match["a"]
        else (float(match["d"]), float(match["c"]))
    )
    if (
        (low, high) == (0, 100)
        and math.isclose(same + other, 100, abs_tol=_SUM)
        and max(same, other) > 1
    ):
        return answered(same, "same-person/shares", reply.span(*match.span()))
    return lacking(Outcome.AMBIGUOUS, "same-person/shares", reply.span(*match.span()))


def may_be_share(number: Answer, reply: NormalizedReply, low: float, high: float) -> bool:
    """Whether a number such as 0.8 may stand for 80% or for 0.8 points of the scale."""
    if number.outcome is not Outcome.ANSWERED or number.span is None:
        return False
    if low != 0 or high < _SHARE_SCALE or not 0 < float(str(number.value)) <= 1:
        return False
    written = reply.raw[slice(*number.span)].casefold()
    return any(mark in written for mark in ".,\u066b") and not re.search("%|percent|/|of", written)
