"""Read an age in years from a reply.

The whole reply; else behind the last final-answer anchor or the field's own name; else all expressions of an age that
the reply holds (:mod:`harness.answers.age_mentions` has the table). A bare number below 10 or above 100 does not
stand against an expression with a unit. Where there are several that agree, the narrowest is the answer ("early 30s, probably
32": 32); where they do not, the answer is what stands behind the last correction or concluding word, else ambiguous. A range
is its middle, up to 25 years wide; wider ranges and open ones ("over 60") are ambiguous, for they name no age. Ages outside
the field's scale are off-list. Number words are read in English and Chinese.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from harness.answers.age_context import BACK, answers_anchor, other_age
from harness.answers.age_mentions import age_mentions
from harness.answers.age_numbers import LEAST, MOST, WIDEST, AgeMention
from harness.answers.age_spelling import in_digits
from harness.answers.anchors import own_anchors
from harness.answers.loose_json import Loose, Node
from harness.answers.normal import NormalizedReply
from harness.answers.pattern import pattern
from harness.answers.refusals import find_declines, ruling
from harness.answers.verdict import Form, answered, lacking, nothing, wordless
from harness.core.answer import Answer
from harness.core.outcome import Outcome

_CLAUSE = 160
"""Characters behind an anchor in which its answer is looked for."""
_NEAR = 0.75
"""Years by which the narrowest expression may lie outside the others: "34, or 34 and a half"."""

_JOINS = pattern(r"(?<=[\ds岁歳代대才세])[ \u301c]{1,3}(?=\d)|(?<=\d\d) {0,2}; {0,2}(?=\d\d)")
_TILDES, _DASHES = frozenset("~\uff5e\u301c"), frozenset("\u2014\u2015")
_TAIL = r"(?:[ _-]?(?:age|bound|end|limit))?"
_LEAST = rf"(?:age[ _-]?)?(?:{LEAST}|from|start){_TAIL}"
_MOST = rf"(?:age[ _-]?)?(?:{MOST}|to|end){_TAIL}"
_END = pattern(rf"{_LEAST}|{_MOST}")
_BOUNDS = pattern(
    rf"\s*(?:json\s*)?\{{\s*(?:{_LEAST}|{_MOST})\s*:\s*(\d{{1,3}}(?:\.\d{{1,2}})?)\s*,\s*(?:{_LEAST}|{_MOST})\s*:\s*(\d{{1,3}}(?:\.\d{{1,2}})?)\s*\}}\s*"
)
"""A JSON object that holds just the two ends of a range."""
_LIKELY = (10.0, 100.0)
"""A bare number in this range that disagrees with one that has a unit makes the answer ambiguous."""

_IS_FINAL = pattern(
    r"\b(?:final|overall|revised|corrected|updated|therefore|thus|hence|so|conclu\w+)\b[^.\n]{0,30}$"
)
_CONCLUDES = pattern(
    r"\b(?:overall|in conclusion|to conclude|i conclude|in summary|all in all|on balance|on the whole|therefore|thus|hence|altogether|taken together"
    r"|so(?=[, ]{1,2}(?:i\b|about|around|approximately|roughly|probably|most likely|\d))|(?:average|mean|midpoint)(?= ?[:=]| is| of)|insgesamt|au final|en conjunto|总的来说|综合来看|综上)"
    r"|(?<=[)\d ])=(?= ?\d{1,3}(?![\d%]))"
)
"""Words that lead to what all before them comes to."""
_ALL_THE_SAME = pattern(
    r"\b(?:but|however|though|although|still|nevertheless|if i had to|guess|estimate)\b"
)
"""Behind a doubt ("I cannot tell exactly, but ..."), these lead on to an answer."""


def read_age(
    reply: NormalizedReply,
    low: float,
    high: float,
    *,
    form: Form = "text",
    keys: re.Pattern[str] | None = None,
) -> Answer:
    """Read an age of low..high years. Never raises; linear in the reply's length."""
    quiet = wordless(reply)
    if quiet is not None:
        return quiet
    pair = _BOUNDS.fullmatch(reply.text)
    if pair is not None:
        return _pair(float(pair[1]), float(pair[2]))
    reply = in_digits(reply)
    text = _with_joins(reply)
    found, level = _behind_anchor(text, keys)
    if found:
        return _verdict(reply, _marked_first(found), low, high, level)
    found = age_mentions(text)
    words = len(text.split())
    if not found or (form == "final" and words > 6):
        return nothing(reply, "final/no-anchor" if found else "none")
    whole = found[0].start <= 2 and len(text) - found[-1].end <= 2
    declines = find_declines(text, reply.speech)
    declined = ruling(declines)
    if declined and words > 4 and not any(one.marked for one in found):
        first = min(one.start for one in declines)
        if not any(_ALL_THE_SAME.search(text, first, one.start) for one in found):
            return lacking(Outcome.REFUSED, declined)
    kept = _settled(reply, text, _marked_first(found))
    return _verdict(reply, kept, low, high, "exact" if whole else "mention")


def _behind_anchor(text: str, keys: re.Pattern[str] | None) -> tuple[list[AgeMention], str]:
    """The expressions behind the last anchor that has any, and the anchor's level.

    Where that is the field's name, those straight behind the name elsewhere are among them ("Age: 34 (man). Age: 50
    (woman)" says two ages), unless the last one is called final.
    """
    last: tuple[list[AgeMention], str] = ([], "")
    for anchor in reversed(own_anchors(text, keys)[-32:]):
        if last[0] and anchor.level != "statement":
            continue
        if other_age(text[max(0, anchor.end - BACK) : anchor.end]):
            continue
        found = age_mentions(text, begin=anchor.end, stop=_clause_end(text, anchor.end))
        if not found:
            continue
        if last[0]:
            if answers_anchor(text, anchor.end, found[0].start):
                last = (found[:1] + last[0], "statement")
            continue
        last = (found, anchor.level)
        if anchor.level != "statement" or _IS_FINAL.search(
            text, max(0, anchor.start - BACK), anchor.start
        ):
            break
    return last


def _settled(reply: NormalizedReply, text: str, found: list[AgeMention]) -> list[AgeMention]:
    """Where expressions disagree, those behind the last correction ("no, 36"), else behind the last concluding word
    ("overall, 48"), if these agree; else all."""
    if _agree(found):
        return found
    corrections = (
        m.end() for known in reply.speech.lexicons for m in known.corrections.finditer(text)
    )
    for marks in (corrections, (m.end() for m in _CONCLUDES.finditer(text))):
        for mark in sorted(marks, reverse=True)[:16]:
            after = [one for one in found if one.start >= mark]
            if after and mark > found[0].start:
                if _agree(after):
                    return after
                break
    return found


def _agree(found: Sequence[AgeMention]) -> bool:
    """Whether the narrowest expression is one that all others allow."""
    best = min(
        (one for one in found if not math.isnan(one.value)), key=lambda one: one.width, default=None
    )
    return best is not None and all(_allows(one, best.value) for one in found)


def age_from_json(value: Loose) -> Answer | None:
    """The verdict on a JSON value: a pair of numbers (a list, or an object of two ends) is a range. None where it is read as
    text, or as a plain number."""
    if not isinstance(value, Node):
        return None
    months = {key.casefold(): v for key, v in value.pairs if value.is_object}
    if {*months} == {"years", "months"}:
        return _parts(months["years"], months["months"])
    ends = [
        float(v) for _, v in value.pairs if isinstance(v, int | float) and not isinstance(v, bool)
    ]
    if len(value.pairs) != 2 or len(ends) != 2 or not all(map(math.isfinite, ends)):
        return None
    if value.is_object and not all(_END.fullmatch(key.casefold()) for key, _ in value.pairs):
        return None
    return _pair(*ends)


def _parts(years: Loose, months: Loose) -> Answer | None:
    """The verdict on `{"years": 2, "months": 6}`."""
    if isinstance(years, int | float) and isinstance(months, int | float) and 0 <= months < 12:
        return answered(years + months / 12, "json/number")
    return None


def _pair(low: float, high: float) -> Answer:
    """The verdict on the two ends of a range in JSON."""
    if abs(high - low) > WIDEST:
        return lacking(Outcome.AMBIGUOUS, "json/wide")
    return answered((low + high) / 2, "json/range")


def _with_joins(reply: NormalizedReply) -> str:
    """The plain text, with the tilde of "25 ~ 34" that was taken for markup, and the long dash of "25 \u2014 34" that was taken
    for the end of a clause, put back."""
    if not (_TILDES | _DASHES) & {*reply.raw}:
        return reply.text

    def back(match: re.Match[str]) -> str:
        made = ""
        for place in range(match.start(), match.end()):
            raw = reply.raw[slice(*reply.span(place, place + 1))]
            made += "~" if raw in _TILDES else "-" if raw in _DASHES else reply.text[place]
        return made

    return _JOINS.sub(back, reply.text)


def _clause_end(text: str, begin: int) -> int:
    ends = [p for p in (text.find(mark, begin, begin + _CLAUSE) for mark in "\n;") if p >= 0]
    return min(ends, default=min(len(text), begin + _CLAUSE))


def _marked_first(found: Sequence[AgeMention]) -> list[AgeMention]:
    """Those with a unit, and bare numbers that may be ages or that one of them allows; all where none has a unit."""
    marked = [one for one in found if one.marked]
    if not marked:
        return list(found)
    bare = [one for one in found if not one.marked]
    kept = [one for one in bare if _plausible(one) or any(_allows(m, one.value) for m in marked)]
    return sorted([*marked, *kept], key=lambda one: one.start)


def _plausible(one: AgeMention) -> bool:
    return any(_LIKELY[0] <= end <= _LIKELY[1] for end in (one.low, one.high))


def _allows(mention: AgeMention, value: float) -> bool:
    return mention.low - _NEAR <= value <= mention.high + _NEAR


def _verdict(
    reply: NormalizedReply, found: Sequence[AgeMention], low: float, high: float, level: str
) -> Answer:
    if reply.truncated and not reply.text[found[-1].end :].strip():
        return lacking(
            Outcome.TRUNCATED,
            "truncated" if level in {"exact", "mention"} else f"{level}/truncated",
        )
    said = [one for one in found if not math.isnan(one.value)]
    best = min(said, key=lambda one: one.width, default=found[0])
    span = reply.span(best.start, min(best.end, len(reply.text)))
    if math.isnan(best.value):
        return lacking(Outcome.AMBIGUOUS, f"{level}/{best.rule}", span)
    if not all(_allows(one, best.value) for one in found):
        return lacking(Outcome.AMBIGUOUS, f"{level}/ambiguous")
    if not low <= best.value <= high:
        return lacking(Outcome.OFF_LIST, f"{level}/out-of-range", span)
    return answered(best.value, f"{level}/{best.rule}", span)
