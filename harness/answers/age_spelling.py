"""Spellings of ages that are brought into one form before they are read: dollar signs around a formula, Chinese numerals,
halves, the two named ends of a range, and ages whose name says that they are in months.

`$47$` is read as 47, `三十四岁` as 34岁, `三十多岁` as 30多岁, which is a decade; `二十五六岁` as 25-26岁; `一岁半` as 1.5岁; "a year
and a half" as 1.5 years; "min: 20, max: 30" as 20-30; "age_in_months: 18" as 18 months. A run of numerals that is no number
below 200 ("百五") is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from harness.answers.age_numbers import LEAST, MOST
from harness.answers.normal import NormalizedReply
from harness.answers.pattern import pattern

_FORMULA = pattern(
    r"(?<![\w$\\])(\${1,2})(?=[^$\n]{0,60}\d)[\s\d.,:;~<>=(){}+\-\\!a-z]{1,80}\1(?![\w$])"
)
"""At most 80 characters, no two parts of the pattern alike: its time does not grow with the square of a reply."""
_COMMAND = pattern(r"\\(?:text|mathrm|mathbf)\s?\{|\\[,;!]")
_DIGITS = "零一二三四五六七八九"
_RUN = re.compile(
    rf"[{_DIGITS}〇两十百千万]{{1,8}}(?=\s{{0,2}}(?:[岁歲歳才多几幾来來余到至代出左上前个個か。，,.~!\n-]|$))"
)
_NUMERAL = re.compile(
    rf"(?:一?百[零〇]?)?(?:(?P<tens>[{_DIGITS[1:]}])?(?P<ten>十))?(?P<units>[{_DIGITS[1:]}两])?"
)
_NEIGHBOURS = re.compile(
    rf"(?P<tens>[{_DIGITS[1:]}]?十)?(?P<low>[{_DIGITS[1:]}])(?P<high>[{_DIGITS[1:]}])(?P<round>十)?"
)
"""Two neighbouring numbers: 二十五六 is 25 to 26, 三四十 is 30 to 40."""
_HALF = re.compile(
    rf"(?P<years>\d{{1,3}}|[{_DIGITS}两])(?P<unit>[岁歲歳才])半(?![身辈生天])|(?<![\d岁歲歳才过過])半(?=[岁歲歳])"
)
_YEAR = pattern(
    r"(?<!\w)(?:(?P<more>a|one)[ -]year[ -]and[ -]a[ -]half|(?P<half>half a year)|(?P<one>a year))(?=[ -]old\b|\s{0,3}[.!]?\s{0,3}$)"
)
_YEAR_VALUES = {"more": "1.5 years", "half": "0.5 years", "one": "1 year"}
_TAIL = r"(?:[ _-](?:age|bound|end|limit|estimate))?"
_LEAST = rf"(?:age[ _-]{{0,3}})?(?:{LEAST}){_TAIL}"
_MOST = rf"(?:age[ _-]{{0,3}})?(?:{MOST}){_TAIL}"
_NUMBER = r"\d{1,3}(?:\.\d{1,2})?"
_ENDS = pattern(
    rf"(?<![a-z])(?:{_LEAST} {{0,2}}[:=]? {{0,3}}(?P<low>{_NUMBER})[ ,;/\n-]{{1,4}}{_MOST} {{0,2}}[:=]? {{0,3}}(?P<high>{_NUMBER})"
    rf"|{_MOST} {{0,2}}[:=]? {{0,3}}(?P<top>{_NUMBER})[ ,;/\n-]{{1,4}}{_LEAST} {{0,2}}[:=]? {{0,3}}(?P<bottom>{_NUMBER}))(?![\d.]*\d)"
)
_TOPS = ("max", "upper", "high", "most", "oldest")
"""A text without any of these names no ends."""
_IN_MONTHS = pattern(
    r"\bage[ _]?(?:\(?in )?[ _(\[]{0,3}(?:in[ _])?(?P<unit>month|week|day)s?[)\]]? {0,3}(?:[:=]|is|of) {0,3}(?P<count>\d{1,4}(?:\.\d{1,2})?)(?![\d.]*\d| (?:month|week|day)s?)"
)
_ALONE = re.compile(r"[来來]?[岁歲歳才多几幾]|[个個か]月")


def in_digits(reply: NormalizedReply) -> NormalizedReply:
    """The reply with these spellings replaced; each character still knows its place in the raw reply."""
    changes = _apart(sorted(_changes(reply.text), key=lambda one: (one[0], -one[1])))
    if not changes:
        return reply
    text, places, at = "", list[int](), 0
    known = reply.offsets if reply.offsets is not None else range(len(reply.text) + 1)
    for start, end, new in changes:
        text += reply.text[at:start] + new
        places += known[at:start]
        # Of a numeral the first digit stands for its beginning, the last for its end.
        places += [known[start]] * (len(new) - 1) + [known[end - 1]]
        at = end
    return replace(reply, text=text + reply.text[at:], offsets=[*places, *known[at:]])


def _apart(changes: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Those that begin behind the end of the one before."""
    kept: list[tuple[int, int, str]] = []
    for one in changes:
        if not kept or one[0] >= kept[-1][1]:
            kept.append(one)
    return kept


def _changes(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and what stands there instead."""
    if "$" in text:
        for found in _FORMULA.finditer(text):
            marks = len(found[1])
            for start in (found.start(), found.end() - marks):
                yield start, start + marks, " " * marks
            for command in _COMMAND.finditer(text, found.start(), found.end()):
                yield *command.span(), " " * len(command[0])
    yield from _named(text)
    for found in _HALF.finditer(text) if "半" in text else ():
        years, unit = found["years"], found["unit"]
        number = 0 if years is None else int(years) if years.isdigit() else _value(years)
        yield *found.span(), f"{number}.5{unit or ''}"
    for found in _RUN.finditer(text):
        value = _value(found[0])
        before = text[max(0, found.start() - 1) : found.start()]
        marked = _ALONE.match(text, found.end()) is not None
        if value is not None and before not in {*_DIGITS, *"〇第半"} and (marked or value > 10):
            yield *found.span(), str(value)
        elif value is None and marked and (both := _neighbours(found[0])) is not None:
            yield *found.span(), both


def _named(text: str) -> Iterator[tuple[int, int, str]]:
    """Ends of a range, months and halves that English words name."""
    for found in _ENDS.finditer(text) if any(word in text for word in _TOPS) else ():
        low, high = found["low"] or found["bottom"], found["high"] or found["top"]
        yield *found.span(), f"{low}-{high}"
    for found in _IN_MONTHS.finditer(text) if "age" in text else ():
        yield *found.span("count"), f"{found['count']} {found['unit']}s"
    for found in _YEAR.finditer(text) if "year" in text else ():
        yield *found.span(), _YEAR_VALUES[found.lastgroup or "one"]


def _neighbours(numeral: str) -> str | None:
    """The range that two neighbouring numbers write; None where they do not."""
    found = _NEIGHBOURS.fullmatch(numeral)
    if found is None or (found["tens"] and found["round"]):
        return None
    low, high = _DIGITS.index(found["low"]), _DIGITS.index(found["high"])
    if high != low + 1:
        return None
    base = _value(found["tens"]) or 0 if found["tens"] else 0
    times = 10 if found["round"] else 1
    return f"{base + low * times}-{base + high * times}"


def _value(numeral: str) -> int | None:
    """The number that a numeral writes; None where it writes none below 200."""
    found = _NUMERAL.fullmatch(numeral)
    if found is None or (found["units"] == "两" and len(numeral) > 1):
        return None
    tens = _DIGITS.index(found["tens"]) if found["tens"] else bool(found["ten"])
    units = 2 if found["units"] == "两" else _DIGITS.index(found["units"] or "零")
    if "百" in numeral and units and not found["ten"] and not {"零", "〇"} & {*numeral}:
        return None  # 百五 is 150, colloquially
    return 100 * ("百" in numeral) + 10 * tens + units
