"""Expressions of an age in a text, each as the range of ages that it allows and the one it stands for.

==============================  ==================  ==========  =============================
expression                      allows              stands for  stated rule
==============================  ==================  ==========  =============================
34, thirty-four, 34yo, aged 34  34                  34          number
34 years and 6 months           34.5                34.5        number
18 months, 6 weeks              1.5, 0.115          the same    months
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
a number say of it is read in :mod:`harness.answers.age_context`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.answers import age_context as context
from harness.answers.pattern import pattern

_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_DIGIT_WORDS = "|".join(_SMALL[1:10])
_DECADES = {
    "twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70, "eighties": 80,
    "nineties": 90, "teens": 10, "tens": 10,
}  # fmt: skip
TEENS = 10
"""The decade of the teens, whose ages are 13 to 19."""

_NUMBER = r"(?:\d{1,3}(?:[.,]\d{1,2})?(?:/\d{1,3})?)(?![\d⁄]|[.,:]\d|(?:st|nd|rd|th)\b)"
_TENS_WORD = rf"(?>(?:{'|'.join(_TENS)})(?:(?: - |[- ])(?:{_DIGIT_WORDS})(?:\b|(?=ish\b)))?)"
_HUNDRED = rf"(?>(?:a|one) hundred(?: (?:and )?(?:{_TENS_WORD}|{'|'.join(_SMALL[1:])}))?)"
_ISH = {"fiv": 5, "nin": 9, "twelv": 12}
"""Stems of fivish, ninish and twelvish."""
_WORD = (
    rf"(?:(?>(?:{'|'.join(_TENS)})[- ])?(?:{'|'.join(_ISH)})(?=ish\b)"
    rf"|(?:{_HUNDRED}|{_TENS_WORD}|{'|'.join(sorted(_SMALL, key=len, reverse=True))})(?:\b(?![- ](?:fiv|nin)ish\b)|(?=-?ish\b)))"
)
_ANY = rf"(?:{_NUMBER}|{_WORD})"
_YEARS = (
    r"(?:[- ]{0,3}(?:years?|yrs?|y)[- ]{0,2}(?:of[- ]age|old|olds)\b|[- ]{0,3}(?:years?|yrs?)\b\.?"
    r"|[- ]?y(?: ?[/.]? ?o)?\b(?! (?:tant|pico|poc|alg))\.?|[- ]?(?:ish)\b| ?(?:ans|jahre?n?(?: alt)?|a[nñ]os|anos|anni)\b| ?[岁歲歳才세]| ?(?:лет|год[а]?)\b)"
)
_MONTHS = r"[- ]{0,2}(?:months?|mos?|weeks?|wks?|days?)\b(?:[- ]{0,2}(?:old|of age)\b)?"
_NEXT = r" {0,2}(?:,? ?and|,|&)? {0,2}"
_JOIN = r" {0,3}(?:to|-|~|and|or|through|until|bis|und|oder|et|ou|à|a|y|e|至|到|から|и|до) {0,3}"
_PART = r"(?:very )?(?:early|mid|middle|late|low|lower|high|upper)(?:dle)?"
_LIKE = {"anfang": "early", "mitte": "mid", "ende": "late", "前半": "early", "半ば": "mid", "なかば": "mid",
         "後半": "late", "초반": "early", "중반": "mid", "후반": "late", "出头": "early", "出頭": "early"}  # fmt: skip
"""Parts of a decade in German, Japanese, Korean and Chinese."""
_TENS_DE = {"zwanzig": 20, "dreißig": 30, "dreissig": 30, "vierzig": 40, "fünfzig": 50, "sechzig": 60, "siebzig": 70,
            "achtzig": 80, "neunzig": 90}  # fmt: skip
_ARIANS = {"tricen": 30.0, "quadragen": 40.0, "quinquagen": 50.0, "sexagen": 60.0, "septuagen": 70.0, "octogen": 80.0, "nonagen": 90.0,
           "centen": 100.0}  # fmt: skip
"""Stems of words for people of a decade, as octogenarian."""
_DECADE_WORD = rf"(?:(?P<digits>\d{{1,2}}0)(?:(?:'|’)?s\b|代の?(?P<ja>前半|半ば|なかば|後半)?|대 ?(?P<ko>초반|중반|후반)?(?! ?[0-9])|[多几幾][岁歲歳]?|(?P<zh>出头|出頭))|(?P<word>{'|'.join(_DECADES)})\b)"
_DECADE = pattern(
    rf"(?:\b(?P<first>{_PART})(?:[- ]{{0,2}}(?:to|or|/|and|-)[- ]{{0,2}}(?P<second>{_PART}))?"
    rf"[- ]{{1,2}}(?:(?:his|her|their|the|of|part|of the|part of)[- ]){{0,3}})?{_DECADE_WORD}"
    rf"|\b(?P<tens>{'|'.join(_TENS)}|\d0)[- ]?something\b"
    rf"|\b(?P<arian>{'|'.join(_ARIANS)})arians?\b"
    rf"|\b(?P<de>anfang|mitte|ende) (?:bis (?P<de_second>mitte|ende) )?(?:der )?(?P<de_tens>\d0(?:er)?|{'|'.join(_TENS_DE)})(?![\d.,]?\d|[a-zß]|(?: ?bis| ?-) ?\d)"
    rf"|\b(?P<bare_part>{_PART})[- ](?P<bare>\d0)(?![\d.,'’/:%-]|[a-z]| (?:to|or|and|-|out|of)\b)"
)
_AT = r"(?<![a-z0-9_.,/⁄$€£#@])(?<!^-)(?<!\s-)(?<!\d:)(?<![a-z]-(?=\d))"
"""Where a number may begin: in no word, decimal or date, behind no minus sign."""
_AGE = pattern(
    rf"{_AT}(?P<years>{_ANY}){_YEARS}{_NEXT}(?P<months>{_ANY}){_MONTHS}"
    rf"|{_AT}(?P<half>{_ANY}) and a half{_YEARS}?"
    rf"|{_AT}(?P<decades>{_ANY})[- ]{{1,2}}decades?(?:[- ](?:old|of (?:age|life))\b|(?=\s{{0,3}}[.!]?\s{{0,3}}$))"
    rf"|{_AT}(?P<low>{_ANY}){_YEARS}?(?:{_JOIN}|(?<=[\[(]..) {{0,2}}, {{0,2}}(?=\d\d {{0,2}}[\])]))(?P<high>{_ANY})(?P<high_unit>{_YEARS})?(?![\d%])"
    rf"|{_AT}(?P<small>{_ANY}){_MONTHS}"
    rf"|{_AT}(?P<number>{_ANY})(?P<unit>{_YEARS})?(?P<scale> ?(?:%|percent\b)| {{0,2}}(?:out of) {{0,2}}\d+| ?(?:cm|kg|lbs?|f(?:oo|ee)?t|inch(?:es)?|m|mm|px|k)\b)?(?![a-z])"
)
_OPEN_BEFORE = pattern(
    r"(?:\b(?:over|above|beyond|past|after|before|until|short of|shy of|older than|more than|greater than|at least"
    r"|no younger than|not younger than|upwards of|under|below|younger than|less than|at most|no older than|not older than"
    r"|up to|minimum of|maximum of|no more than|no less than|über|ueber|unter|älter als|jünger als|mehr als|weniger als"
    r"|mindestens|höchstens|plus de|moins de|más de|mas de|menos de|mayor de|menor de|mais de|più di|meno di"
    r"|за|старше|младше|больше|более|меньше|до)"
    r" (?:the age of |age |his |her |their |the |about |around )?|(?<!\w)[<>≥≤]=? ?)$"
)
_JUST = pattern(r"\b(?:just|slightly|a little|a bit|barely|a shade|marginally)(?: \w+)? $")
_NEGATED = pattern(
    r"\b(?:not|never|no|hardly|cannot|\w+n't)(?: (?:be|look|seem|appear|to|much|far|a|an?|any|at all|really|quite|yet))* $"
)
_OPEN_AFTER = pattern(
    r" ?\+(?! ?/)|,? (?:years? )?(?:(?:or|and) (?:older|over|above|up|upwards?|more|younger|under|below|less)"
    r"|plus(?! ?/| or minus| minus))\b| (?:tops|at (?:the )?(?:most|least)|minimum|maximum|max)\b| ?(?:以上|以下|未満|未满|이상|이하|미만|出头|出頭|多)"
)
_AGED = pattern(
    r"\b(?:aged?|ages|years|age (?:is|of|range|group|would be|appears to be|seems to be|estimate))"
    r"[ :=]{1,2}(?:about |around |approximately |roughly |between |from |~ ?|[(\[])?$"
)
_LIST = pattern(
    r"(?:^|\n) {0,8}\(?\d{1,2}[.)](?= {1,4}\S)|\b(?:step|figure|frame|image|option|face|person|part|photo|picture) {0,2}#?\d{1,4}\b"
    r"|\bgroup {0,2}#?\d{1,4}\b(?! ?(?:-|to\b|and\b|or\b) ?\d)"
)
_YOUNGEST = 10
"""Years: no bare share with a slash ("3/4") is an age below."""
_HALVES = pattern(r"(?<=\d) ?(?:1⁄[24]|3⁄4)|(?<=\d) 1/2(?![\d/])")
_QUARTERS = {"1/2": ".5", "1⁄2": ".5", "1⁄4": ".25", "3⁄4": ".75"}
WIDEST = 25.0
"""Years: a range that is wider ("0 to 100", "20 to 60") says nothing of one age."""

_NEIGHBOURS = 5.0
"""Years between two ages that a slash parts; else it is a score ("34/100")."""


@dataclass(frozen=True, slots=True)
class AgeMention:
    """One expression of an age, in years."""

    low: float
    high: float
    """The least and greatest age that it allows; infinite where it leaves one end open."""
    value: float
    """What it stands for; nan where it stands for none (`open`, `wide`)."""
    rule: str
    """`number`, `months`, `range`, `decade`, `open`, `wide`, or `thing` (the age of a jacket, a photo)."""
    marked: bool
    """Whether a unit, a decade or a word such as "aged" says that it is an age."""
    start: int
    end: int

    @property
    def width(self) -> float:
        """Years between the ends."""
        return self.high - self.low


def age_mentions(text: str, *, begin: int = 0, stop: int | None = None) -> list[AgeMention]:
    """The expressions of an age in `text[begin:stop]`, lower case, in order; linear in its length.

    "Late 20s to early 30s" is one expression.
    """
    text = _LIST.sub(lambda m: " " * len(m.group()), text[: len(text) if stop is None else stop])
    text = _HALVES.sub(lambda m: _QUARTERS[m[0].strip()].ljust(len(m[0])), text)
    return list(_joined(text, _both(text, begin)))


def _both(text: str, begin: int) -> Iterator[AgeMention]:
    """Decades and numbers, none inside another."""
    at = begin
    for decade in [*_DECADE.finditer(text, begin), None]:
        if decade is not None and not _free(text, decade.start()):
            continue
        stop = len(text) if decade is None else decade.start()
        while (found := _AGE.search(text, at, stop)) is not None:
            mention = _mention(text, found, begin)
            at = max(found.end(), at + 1)
            if mention is not None:
                yield mention
        if decade is not None:
            of_life = _decade(text, decade, begin)
            if of_life is not None:
                yield of_life
            at = decade.end()


def _free(text: str, start: int) -> bool:
    """Whether a decade may begin here: in no word, decimal or year."""
    return not start or not (text[start - 1].isalnum() or text[start - 1] in ".,/'")


def _decade(text: str, found: re.Match[str], begin: int) -> AgeMention | None:
    """The decade of a match; None where it is one of a century ("90s clothes") or denied."""
    start, end = found.span()
    before = text[max(0, start - context.BACK) : start]
    base = _base(found)
    if not TEENS <= base <= 110 or base % 10 or context.denied(text, before, end):
        return None
    word = found["first"] or found["bare_part"]
    for name in ("de", "ja", "ko", "zh"):
        word = word or _LIKE.get(found[name] or "")
    native = found["digits"] is not None and found[0][-1] not in "s"
    named = found["tens"] is not None or found["arian"] is not None
    sure = context.answers_anchor(text, begin, start) or native or named
    if not sure and not context.decade_of_age(text, before, end, part=word is not None):
        return None
    first = _part(word, base)
    second = found["second"] or _LIKE.get(found["de_second"] or "")
    last = _part(second, base) if second else first
    if context.left_behind(before) or _OPEN_BEFORE.search(before):
        return AgeMention(float("-inf"), float("inf"), float("nan"), "open", True, start, end)
    value = first[2] if first == last else (first[0] + last[1]) / 2
    return AgeMention(first[0], last[1], value, "decade", True, start, end)


def _base(found: re.Match[str]) -> float:
    if found["word"]:
        return _DECADES[found["word"]]
    if found["arian"]:
        return _ARIANS[found["arian"]]
    if found["de_tens"]:
        return _TENS_DE.get(found["de_tens"]) or number_of(found["de_tens"].removesuffix("er"))
    return number_of(found["tens"] or found["digits"] or found["bare"] or "0")


def _part(word: str | None, base: float) -> tuple[float, float, float]:
    """(least, greatest, stands for) of a part of a decade."""
    if word is None:
        return (13.0, 19.0, 16.0) if base == TEENS else (base, base + 9, base + 5)
    which = word.removeprefix("very ")[:2]
    early, late = which in {"ea", "lo"}, which in {"la", "hi", "up"}
    if base == TEENS:
        return (13.0, 14.0, 14.0) if early else (17.0, 19.0, 18.0) if late else (15.0, 16.0, 16.0)
    if early:
        return base, base + 3, base + 2
    return (base + 7, base + 9, base + 8) if late else (base + 4, base + 6, base + 5)


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
    if ranged or found["number"] is not None:
        return _range(found, aged) if ranged else _single(text, found, before, aged)
    if _open_before(before) is not None:
        return AgeMention(float("-inf"), float("inf"), float("nan"), "open", True, start, end)
    years, rule = _in_parts(found)
    return AgeMention(years, years, years, rule, True, start, end)


def _few(found: re.Match[str]) -> bool:
    """Whether a single number is below ten."""
    return found["number"] is not None and number_of(found["number"]) < _YOUNGEST


def _unit(found: re.Match[str]) -> str:
    """The words behind the last number of a match: " years old", " months"; empty where there are none."""
    last = next(
        n for n in ("months", "half", "decades", "high", "small", "number") if found[n] is not None
    )
    return found.string[found.end(last) : found.end()]


def _open_before(before: str) -> re.Match[str] | None:
    """The words that leave one end open, as "over"; None for "just over"."""
    opened = _OPEN_BEFORE.search(before)
    return None if opened is None or _JUST.search(before[: opened.start()]) else opened


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
    after = _OPEN_AFTER.match(text, end)
    opened = _open_before(before)
    if after is None and opened is None:
        return AgeMention(years, years, years, "number", marked, start, end)
    lower = _upward(after.group() if after else opened.group() if opened else "")
    if after is None and opened is not None and _NEGATED.search(before[: opened.start()]):
        lower = opened.group().startswith(("no ", "not ")) == lower
    low, high = (years, float("inf")) if lower else (float("-inf"), years)
    return AgeMention(low, high, float("nan"), "open", marked, start, after.end() if after else end)


def _either(word: str, aged: bool, start: int, end: int) -> AgeMention | None:
    """22/23, two neighbouring ages; None for a share, or a score on another scale."""
    low, high = (float(one.replace(",", ".")) for one in word.split("/"))
    if low < _YOUNGEST or not 0 < high - low <= _NEIGHBOURS:
        return None
    return AgeMention(low, high, (low + high) / 2, "range", aged, start, end)


def _upward(words: str) -> bool:
    return not any(w in words for w in ("under", "below", "younger", "less", "most", "no older", "not older", "up to", "maximum", "max", "tops", "<", "≤",
                                        "before", "until", "short of", "shy of", "no more", "unter", "jünger", "weniger", "höchstens",
                                        "moins", "menos", "menor", "meno ", "младше", "меньше", "до ", "以下", "未", "이하", "미만"))  # fmt: skip


def _range(found: re.Match[str], aged: bool) -> AgeMention | None:
    low, high = number_of(found["low"]), number_of(found["high"])
    if "/" in found["low"] or "/" in found["high"]:
        return None
    if low > high:
        if low >= 20 and high < _YOUNGEST:
            return None  # "30-5", perhaps 30 to 35
        low, high = high, low
    unit = found["high_unit"] is not None or re.search(_YEARS, found[0]) is not None
    wide = high - low > WIDEST
    value = float("nan") if wide else (low + high) / 2
    digits = found["low"][0].isdigit() or unit
    return AgeMention(low, high, value, "wide" if wide else "range", aged or unit or not digits,
                      found.start(), found.end())  # fmt: skip


def _per_year(unit: str) -> float:
    """How many of the smaller unit a year has."""
    return 365.25 if "day" in unit else 52.18 if "week" in unit or "wk" in unit else 12.0


_JOIN_DECADES = pattern(
    r"(?: years?)? {0,2}(?:to|-|or|and|through|/|~|bis|oder) {0,2}(?:(?:in )?(?:his|her|their|the|possibly|perhaps|maybe|probably|even) ){0,2}"
)


def _joined(text: str, mentions: Iterator[AgeMention]) -> Iterator[AgeMention]:
    """Two neighbouring mentions of which one is a decade, joined by "to" or "or", as one range."""
    last: AgeMention | None = None
    for mention in mentions:
        if last is not None:
            between = _JOIN_DECADES.fullmatch(text, last.end, mention.start)
            either = "decade" in {last.rule, mention.rule}
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


def number_of(text: str) -> float:
    """The number that digits or English words say: `34`, `7,5`, `thirty-four`, `a hundred and two`."""
    if text[:1].isdigit():
        return float(text.partition("/")[0].replace(",", "."))
    total = 0.0
    for word in text.replace("-", " ").split():
        if word == "hundred":
            total = 100.0
        elif word in _TENS:
            total += 20 + 10 * _TENS.index(word)
        elif word in _ISH:
            total += _ISH[word]
        elif word in _SMALL:
            total += 0 if word == "one" and "hundred" in text and total == 0 else _SMALL.index(word)
    return total
