"""Spellings of ages that are brought into one form before they are read: dollar signs around a formula, Chinese numerals.

`$47$` is read as 47, `三十四岁` as 34岁, `三十多岁` as 30多岁, which is a decade. A run of numerals that is no number below 200
("二十五六", "三四十") is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from harness.answers.normal import NormalizedReply
from harness.answers.pattern import pattern

_FORMULA = pattern(
    r"(?<![\w$\\])(\${1,2})(?=[^$\n]{0,60}\d)[\s\d.,:;~<>=(){}+\-\\!a-z]{1,80}\1(?![\w$])"
)
"""At most 80 characters, no two parts of the pattern alike: its time does not grow with the square of a reply."""
_COMMAND = pattern(r"\\(?:text|mathrm|mathbf)\s?\{|\\[,;!]")
_DIGITS = "零一二三四五六七八九"
_RUN = re.compile(
    rf"[{_DIGITS}〇两十百千万]{{1,8}}(?=\s{{0,2}}(?:[岁歲歳才多几幾到至代出左上。，,.~!\n-]|$))"
)
_NUMERAL = re.compile(
    rf"(?:一?百[零〇]?)?(?:(?P<tens>[{_DIGITS[1:]}])?(?P<ten>十))?(?P<units>[{_DIGITS[1:]}两])?"
)
_ALONE = re.compile(r"[岁歲歳才多几幾]")


def in_digits(reply: NormalizedReply) -> NormalizedReply:
    """The reply with these spellings replaced; each character still knows its place in the raw reply."""
    changes = sorted(_changes(reply.text))
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


def _changes(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and what stands there instead."""
    if "$" in text:
        for found in _FORMULA.finditer(text):
            marks = len(found[1])
            for start in (found.start(), found.end() - marks):
                yield start, start + marks, " " * marks
            for command in _COMMAND.finditer(text, found.start(), found.end()):
                yield *command.span(), " " * len(command[0])
    for found in _RUN.finditer(text):
        value = _value(found[0])
        before = text[max(0, found.start() - 1) : found.start()]
        marked = _ALONE.match(text, found.end()) is not None
        if value is not None and before not in {*_DIGITS, "〇", "第"} and (marked or value > 10):
            yield *found.span(), str(value)


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
