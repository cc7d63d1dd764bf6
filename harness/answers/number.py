"""Read a number on a scale.

The whole reply; else behind the last final-answer anchor or the field's own name; else the only
number there is. Descriptions of the scale ("from -1 to 1", "(-1, 1)") and list numbers ("1. ") are
no values. Several numbers, a range ("0.2 to 0.4") and alternatives are ambiguous; a number on
another scale (7/10 on -1..1, 120 %) or outside low..high is off-list, never rescaled. Percentages
are read on scales of 0..1 and 0..100 only. Decimal commas are read; number words only alone.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from harness.answers.anchors import own_anchors
from harness.answers.normal import NormalizedReply
from harness.answers.pattern import pattern
from harness.answers.refusals import find_declines, ruling
from harness.answers.verdict import Form, answered, lacking, nothing, wordless
from harness.core.answer import Answer
from harness.core.outcome import Outcome

_NUM = r"(?:[+-] ?|minus |negative |plus )?(?:\d{1,3}(?:,\d{3})+(?:\.\d{1,12})?|\d{1,15}(?:[.,]\d{1,12})?|\.\d{1,12})(?:e[+-]?\d{1,3})?"
_VALUE = pattern(
    rf"(?<![\w.,])({_NUM})(?![\w])(?: ?(%|percent\b)| {{0,2}}(?:/|out of) {{0,2}}(\d{{1,4}}(?:\.\d{{1,4}})?))?"
)
_SCALE = pattern(
    rf"(?:(?:scale|range|ranging|interval|values?|score)\b(?: \w{{1,12}}){{0,3}}? ?)?(?:from|between|of|in|range|scale|to|is|:)? ?[(\[]? ?({_NUM}) ?(?:to|and|,|-|\.\.\.?|;) ?({_NUM}) ?[)\]]?(?! ?[./,]?\d)"
)
_BETWEEN = pattern(rf" {{0,3}}(?:to|-|or|and|~|through|/|\.\.\.?) {{0,3}}(?={_NUM})")
_ITEM = pattern(
    r"(?:^|\n) {0,8}\(?\d{1,2}[.)](?= {1,4}\S)|\b(?:step|figure|frame|image|option|face|person|part) {0,2}#?\d{1,4}\b"
)
_TOLERANCE = pattern(rf"(?:\+/-|\u00b1|\+-) {{0,2}}{_NUM}")
_SKIP = pattern(
    r"[\s:=({\[<]*(?:(?:is|of|about|around|approximately|roughly|at|a|an|the|estimated|as|be|score|value|would|approx\.?|~)[\s:=(]+){0,5}[~\u2248]?\s*"
)
_WORDS = {
    "zero": 0.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0,
    "seven": 7.0, "eight": 8.0, "nine": 9.0, "ten": 10.0, "half": 0.5, "none": math.nan,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Found:
    value: float
    """NaN where the number is on another scale."""
    start: int
    end: int


def quick_number(raw: str, low: float, high: float) -> Answer | None:
    """The common case: the reply is a plain number in range."""
    core = raw.strip()
    if not 0 < len(core) < 12 or not core.isascii() or not core[-1].isdigit():
        return None
    try:
        value = float(core) if "_" not in core else math.nan
    except ValueError:
        return None
    if not low <= value <= high:
        return None
    start = len(raw) - len(raw.lstrip())
    return answered(value, "exact/number", (start, start + len(core)))


def read_number(  # noqa: PLR0911
    reply: NormalizedReply,
    low: float,
    high: float,
    *,
    form: Form = "text",
    keys: re.Pattern[str] | None = None,
) -> Answer:
    """Read a number in [low, high]. Never raises; linear in the reply's length."""
    quiet = wordless(reply)
    if quiet is not None:
        return quiet
    word = reply.text.strip(" \n.!'") if len(reply.text) < 40 else ""
    if word in _WORDS and not math.isnan(_WORDS[word]):
        return _verdict(_Found(_WORDS[word], 0, len(reply.text)), low, high, "exact", reply)
    text = _cleared(reply.text, low, high)
    anchors = own_anchors(reply.text, keys)
    for anchor in reversed(anchors[-32:]):
        decided = _behind(reply, text, anchor.end, low, high, anchor.level)
        if decided is not None:
            return decided
    found = [_found(m, low, high) for m in _VALUE.finditer(text)]
    if form == "final" and found and len(text.split()) > 6:
        return nothing(reply, "final/no-anchor")
    if not found:
        return nothing(reply, "none")
    declined = ruling(find_declines(reply.text, reply.speech))
    if declined and len(text.split()) > 4:
        return lacking(Outcome.REFUSED, declined)
    if reply.truncated and _at_the_end(text, found[-1]):
        return lacking(Outcome.TRUNCATED, "truncated")
    different = {f.value for f in found if not math.isnan(f.value)}
    if len(different) + any(math.isnan(f.value) for f in found) > 1:
        return lacking(Outcome.AMBIGUOUS, "mention/ambiguous")
    return _verdict(found[0], low, high, "mention", reply)


def _cleared(text: str, low: float, high: float) -> str:
    """The text with list numbers, tolerances and descriptions of the scale blanked."""

    def blank(match: re.Match[str]) -> str:
        return " " * len(match.group())

    def scale(match: re.Match[str]) -> str:
        ends = (_number(match.group(1)), _number(match.group(2)))
        return blank(match) if ends in ((low, high), (high, low)) else match.group()

    text = _TOLERANCE.sub(blank, _ITEM.sub(blank, text))
    return _SCALE.sub(scale, text)


def _behind(  # noqa: PLR0917
    reply: NormalizedReply, text: str, begin: int, low: float, high: float, rule: str
) -> Answer | None:
    skip = _SKIP.match(text, begin)
    at = skip.end() if skip else begin
    match = _VALUE.match(text, at)
    if match is None:
        stop = min(
            (p for p in (text.find(m, at, at + 160) for m in "\n;") if p >= 0), default=at + 160
        )
        match = _VALUE.search(text, at, stop)
        after = text[at : match.start()] if match else text[at:stop]
        word = after.strip(" .")
        if match is None and word in _WORDS and not math.isnan(_WORDS[word]):
            return _verdict(_Found(_WORDS[word], at, at + len(after)), low, high, rule, reply)
        if match is None or any(mark in after for mark in (":", "=", ". ")) or len(after) > 60:
            return None
    found = _found(match, low, high)
    if reply.truncated and _at_the_end(text, found):
        return lacking(Outcome.TRUNCATED, f"{rule}/truncated")
    joint = _BETWEEN.match(text, match.end(1))
    if joint and match.group(3) is None:
        other = _VALUE.match(text, joint.end())
        if other and _found(other, low, high).value != found.value:
            return lacking(Outcome.AMBIGUOUS, f"{rule}/ambiguous")
    return _verdict(found, low, high, rule, reply)


def _at_the_end(text: str, found: _Found) -> bool:
    """More digits might have followed."""
    rest = text[found.end :].strip()
    return not rest or (rest == "." and "." not in text[found.start : found.end])


def _number(text: str) -> float:
    plain = (
        text.replace("minus ", "-").replace("negative ", "-").replace("plus ", "").replace(" ", "")
    )
    if re.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", plain) and not plain.lstrip(
        "+-"
    ).startswith("0"):
        plain = plain.replace(",", "")
    return float(plain.replace(",", "."))


def _found(match: re.Match[str], low: float, high: float) -> _Found:
    value = _number(match.group(1))
    if match.group(2):
        if (low, high) == (0.0, 1.0):
            value /= 100
        elif high != 100:
            value = math.nan
    elif match.group(3) and float(match.group(3)) != high:
        value = math.nan
    return _Found(value, match.start(), match.end())


def _verdict(found: _Found, low: float, high: float, rule: str, reply: NormalizedReply) -> Answer:
    span = reply.span(found.start, min(found.end, len(reply.text)))
    if math.isnan(found.value):
        return lacking(Outcome.OFF_LIST, f"{rule}/other-scale", span)
    if not low <= found.value <= high:
        return lacking(Outcome.OFF_LIST, f"{rule}/out-of-range", span)
    return answered(found.value, f"{rule}/number", span)
