"""Expressions of an age in a text, each as the range of ages that it allows and the one it stands for.

==============================  ==================  ==========  =============================
expression                      allows              stands for  stated rule
==============================  ==================  ==========  =============================
34, thirty-four, 34yo, aged 34  34                  34          number
34 years and 6 months           34.5                34.5        number
18 months, 6 weeks              1.5, 0.115          the same    months
6 to 9 months                   0.5 to 0.75         0.625       months: the middle
26-31, between 30 and 35        26 to 31            28.5        range: the middle
early / mid / late 30s          30-33, 34-36, 37-39 32, 35, 38  decade
early to mid 30s, mid-to-late   30-36, 34-39        33, 36.5    decade: the middle of the two
30s, thirties, thirty-something 30 to 39            35          decade
octogenarian                    80 to 89            85          decade
early / mid / late teens        13-14, 15-16, 17-19 14, 16, 18  decade
teens                           13 to 19            16          decade
late 20s to early 30s           27 to 33            30          range of decades: the middle
over 60, under 30, 60+, 18 up   one end is open     none        open
"the jacket is 15 years old"    nothing             none        thing
==============================  ==================  ==========  =============================

"Around", "about", "nearly", "just over" and the like leave a number as it is. Time spans ("5 years younger", "10 years
ago"), percentages, tolerances ("give or take 3 years"), denials, counts and list numbers are no ages: what the words around
a number say of it is read in :mod:`harness.answers.age_context`; open ends, and denials in other languages, in
:mod:`harness.answers.age_bounds`; decades in :mod:`harness.answers.age_decades`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.answers import age_bounds as bounds
from harness.answers import age_context as context
from harness.answers.age_decades import DECADE, decade_at, free
from harness.answers.age_numbers import ANY, WIDEST, AgeMention, number_of
from harness.answers.pattern import blanks, pattern

_YEARS = (
    r"(?:[- ]{0,3}(?:years?|yrs?|y)[- ]{0,2}(?:of[- ]age|old|olds)\b|[- ]{0,3}(?:years?|yrs?)\b\.?"
    r"|[- ]?y(?: ?[/.]? ?o)?\b(?! (?:tant|pico|poc|alg))\.?|[- ]?(?:ish)\b| ?(?:ans|jahre?n?(?: alt)?|a[nñ]os|anos|anni)\b| ?[来來]?[岁歲歳才세살]| ?(?:лет|год[а]?)\b)"
)
_MONTHS = (
    r"(?:[- ]{0,2}(?:months?|mos?|weeks?|wks?|days?|monate?n?|mois|mes(?:es)?|mesi|wochen?|semaines?|semanas?|settimane?|tagen?)\b"
    r"(?:[- ]{0,2}(?:old|of age|alt)\b)?| ?(?:个月|個月|[かヶヵカケ箇]月|개월|週間?)大?| ?(?:мес(?:яц\w*)?|недел\w*)\b)"
)
_NEXT = r" {0,2}(?:,? ?and|,|&)? {0,2}"
_JOIN = r"(?:(?: {0,3}(?:to|-|~|and|or|through|until|至|到|から|부터|에서) {0,3}| {1,3}(?:bis|und|oder|et|ou|à|a|y|e|и|до) {1,3})(?:(?:about|around|roughly|approximately|maybe|perhaps|possibly|even|los|os|i|gli|etwa|environ|unos) )?|\.{2,3}(?=\d))"
_AT = r"(?<![a-z0-9_⁄$€£#@])(?<![/\d]/)(?<!^/)(?<![a-z0-9]\.)(?<!^\.)(?<!\s\.)(?<!\d,)(?<!^-)(?<!\s-)(?<!\d:)(?<![a-z]-(?=\d))"
"""Where a number may begin: in no word, decimal or date, behind no minus sign."""
_AGE = pattern(
    rf"{_AT}(?P<years>{ANY}){_YEARS}{_NEXT}(?P<months>{ANY})(?:{_MONTHS}|m\b)"
    rf"|{_AT}(?P<half>{ANY})(?: years?)?[ -]and[ -]a[ -]half{_YEARS}?"
    rf"|{_AT}(?P<less>{ANY})(?P<less_unit>{_MONTHS})?{_JOIN}(?P<more>{ANY}){_MONTHS}"
    rf"|{_AT}(?P<decades>{ANY})[- ]{{1,2}}decades?(?:[- ](?:old|of (?:age|life))\b|(?=\s{{0,3}}[.!]?\s{{0,3}}$))"
    rf"|{_AT}(?P<low>{ANY}){_YEARS}?(?:{_JOIN}|(?<=[\[(]..) {{0,2}}, {{0,2}}(?=\d\d {{0,2}}[\])]))(?P<high>{ANY})(?P<high_unit>{_YEARS})?(?![\d%])"
    rf"|{_AT}(?P<small>{ANY}){_MONTHS}"
    rf"|{_AT}(?P<number>{ANY})(?P<unit>{_YEARS})?(?P<scale> ?(?:%|percent\b)| {{0,2}}(?:out of) {{0,2}}\d+| ?(?:cm|kg|lbs?|f(?:oo|ee)?t|inch(?:es)?|m (?:tall|high|away|wide)|mm|px|k)\b)?(?!(?![mf]\b)[a-z])"
)
_AGED = pattern(
    r"\b(?:aged?|ages|years|age (?:is|of|range|group|would be|appears to be|seems to be|estimate))"
    r"[ :=]{1,2}(?:about |around |approximately |roughly |between |from |~ ?|[(\[])?$"
)
_LIST = pattern(
    r"(?:^|\n) {0,8}\(?\d{1,2}[.)](?= {1,4}\S)|\b(?:step|figure|frame|image|option|face|person|part|photo|picture) {0,2}#?\d{1,4}\b(?: ?(?:of|/) ?\d{1,4}\b)?"
    r"|\bgroup {0,2}#?\d{1,4}\b(?! ?(?:-|to\b|and\b|or\b) ?\d)"
)
_AND = ("and", "und", "et", "y", "e", "и")
_YOUNGEST = 10
"""Years: no bare share with a slash ("3/4") is an age below."""
_HALVES = pattern(r"(?<=\d) ?(?:1⁄[24]|3⁄4)|(?<=\d) 1/2(?![\d/])")
_QUARTERS = {"1/2": ".5", "1⁄2": ".5", "1⁄4": ".25", "3⁄4": ".75"}
_NEIGHBOURS = 5.0
"""Years between two ages that a slash parts; else it is a score ("34/100")."""


def age_mentions(text: str, *, begin: int = 0, stop: int | None = None) -> list[AgeMention]:
    """The expressions of an age in `text[begin:stop]`, lower case, in order; linear in its length.

    "Late 20s to early 30s" is one expression.
    """
    text = _LIST.sub(blanks, text[: len(text) if stop is None else stop])
    text = _HALVES.sub(lambda m: _QUARTERS[m[0].strip()].ljust(len(m[0])), text)
    return list(_joined(text, _both(text, begin)))


def _both(text: str, begin: int) -> Iterator[AgeMention]:
    """Decades and numbers, none inside another."""
    at = begin
    for decade in [*DECADE.finditer(text, begin), None]:
        if decade is not None and not free(text, decade.start()):
            continue
        stop = len(text) if decade is None else decade.start()
        while (found := _AGE.search(text, at, stop)) is not None:
            mention = _mention(text, found, begin)
            at = max(found.end(), at + 1)
            if mention is not None:
                yield mention
        if decade is not None:
            of_life = decade_at(text, decade, begin)
            if of_life is not None:
                yield of_life
            at = decade.end()


def _mention(text: str, found: re.Match[str], begin: int) -> AgeMention | None:
    """The mention of a match of `_AGE`; None where it is no age."""
    start, end = found.span()
    before = text[max(0, start - context.BACK) : start]
    unit = _unit(found)
    ranged = found["low"] is not None
    if found["scale"] or (
        context.another_number(before)
        or context.denied(text, before, end)
        or context.span_of_time(text, before, end, unit, ranged=ranged)
    ):
        return None
    aged = _AGED.search(before) is not None
    if not ranged and before.endswith("from "):
        aged = False  # "the age from 1 photo"
    sure = aged or context.answers_anchor(text, begin, start)
    if not unit and (
        context.counts_something(text, before, end, sure=sure)
        or (_few(found) and not sure and context.small_count(text, before, end))
    ):
        return None
    if context.of_a_thing(text, before, end, adjective=bool(unit)):
        nan = float("nan")
        return AgeMention(nan, nan, nan, "thing", True, start, end)
    if found["more"] is not None:
        return _months_range(found, before)
    if ranged or found["number"] is not None:
        return _range(found, aged) if ranged else _single(text, found, before, aged)
    years, rule = _in_parts(found)
    opened = _opened(text, before, years, start, end, marked=True)
    return opened or AgeMention(years, years, years, rule, True, start, end)


def _opened(
    text: str, before: str, years: float, start: int, end: int, *, marked: bool
) -> AgeMention | None:
    """The mention of an age that the words before or behind it leave open; None where they do not."""
    after = bounds.open_after(text, end)
    which = bounds.open_before(before) if after is None else after[0]
    if which is None:
        return None
    low, high = (years, float("inf")) if which == "least" else (float("-inf"), years)
    return AgeMention(
        low, high, float("nan"), "open", marked, start, end if after is None else after[1]
    )


def _few(found: re.Match[str]) -> bool:
    """Whether a single number is below ten."""
    return found["number"] is not None and number_of(found["number"]) < _YOUNGEST


def _unit(found: re.Match[str]) -> str:
    """The words behind the last number of a match: " years old", " months"; empty where there are none."""
    last = next(
        n
        for n in ("months", "half", "more", "decades", "high", "small", "number")
        if found[n] is not None
    )
    return found.string[found.end(last) : found.end()]


def _in_parts(found: re.Match[str]) -> tuple[float, str]:
    """The years of an age in months, in years and months, or in years and a half; and its rule."""
    if found["small"] is not None:
        return number_of(found["small"]) / _per_year(found[0]), "months"
    if found["decades"] is not None:
        return number_of(found["decades"]) * 10, "number"
    if found["half"] is not None:
        return number_of(found["half"]) + 0.5, "number"
    return number_of(found["years"]) + number_of(found["months"]) / _per_year(found[0]), "number"


def _single(text: str, found: re.Match[str], before: str, aged: bool) -> AgeMention | None:
    start, end = found.span()
    word, unit = found["number"], found["unit"]
    if "/" in word:
        return _either(word, aged, start, end)
    marked = aged or unit is not None
    alone = text.strip(" .!\n'\"") == word
    years = number_of(word)
    if not (
        word[0].isdigit()
        or marked
        or alone
        or years >= 20
        or (years >= 10 and context.hedged(before))
    ):
        return None  # "one person", "a two-tone shirt"
    if years < 1 and not marked and not alone:
        return None  # a share
    opened = _opened(text, before, years, start, end, marked=marked)
    return opened or AgeMention(years, years, years, "number", marked, start, end)


def _either(word: str, aged: bool, start: int, end: int) -> AgeMention | None:
    """22/23, two neighbouring ages; None for a share, or a score on another scale."""
    low, high = (float(one.replace(",", ".")) for one in word.split("/"))
    if low < _YOUNGEST or not 0 < high - low <= _NEIGHBOURS:
        return None
    return AgeMention(low, high, (low + high) / 2, "range", aged, start, end)


def _range(found: re.Match[str], aged: bool) -> AgeMention | None:
    low, high = number_of(found["low"]), number_of(found["high"])
    if "/" in found["low"] or "/" in found["high"]:
        return None
    if low > high:
        if high < _YOUNGEST:
            return None  # "30-5", perhaps 30 to 35; "4-0"
        low, high = high, low
    unit = found["high_unit"] is not None or re.search(_YEARS, found[0]) is not None
    wide = high - low > WIDEST
    value = float("nan") if wide else (low + high) / 2
    digits = found["low"][0].isdigit() or unit
    return AgeMention(low, high, value, "wide" if wide else "range", aged or unit or not digits,
                      found.start(), found.end())  # fmt: skip


def _months_range(found: re.Match[str], before: str) -> AgeMention:
    """6 to 9 months, 18-24 months, 3 weeks to 6 months; "34 and 6 months" is 34 years and six months."""
    unit = found.string[found.end("more") : found.end()]
    low, high = number_of(found["less"]), number_of(found["more"]) / _per_year(unit)
    begin = found.end("less_unit") if found["less_unit"] else found.end("less")
    both = found.string[begin : found.start("more")].strip() in _AND
    if both and not found["less_unit"] and "between" not in before[-16:]:
        return AgeMention(low + high, low + high, low + high, "number", True, *found.span())
    low /= _per_year(found["less_unit"] or unit)
    low, high = min(low, high), max(low, high)
    return AgeMention(low, high, (low + high) / 2, "months", True, *found.span())


def _per_year(unit: str) -> float:
    """How many of the smaller unit a year has."""
    days, weeks = (
        ("day", "tag"),
        ("week", "wk", "woche", "semain", "seman", "settiman", "週", "недел"),
    )
    return (
        365.25 if any(w in unit for w in days) else 52.18 if any(w in unit for w in weeks) else 12.0
    )


_JOIN_DECADES = pattern(
    r"(?: years?)? {0,2}(?:to|-|or|and|through|/|~|bis|oder|から|到|至|부터|에서) {0,2}(?:(?:in )?(?:his|her|their|the|possibly|perhaps|maybe|probably|even) ){0,2}"
)


def _joined(text: str, mentions: Iterator[AgeMention]) -> Iterator[AgeMention]:
    """Two neighbouring mentions of which one is a decade or in months, joined by "to" or "or", as one range."""
    last: AgeMention | None = None
    for mention in mentions:
        if last is not None:
            between = _JOIN_DECADES.fullmatch(text, last.end, mention.start)
            either = {"decade", "months"} & {last.rule, mention.rule}
            if between and either and 0 <= mention.high - last.low <= WIDEST:
                value = (last.value + mention.value) / 2
                last = AgeMention(
                    last.low, mention.high, value, "range", True, last.start, mention.end
                )
                continue
            yield last
        last = mention
    if last is not None:
        yield last
