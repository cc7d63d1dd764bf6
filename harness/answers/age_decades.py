"""Decades of life: "in his 30s", "early to mid forties", Mitte 30, 30代後半, octogenarian."""

from __future__ import annotations

import re

from harness.answers import age_bounds as bounds
from harness.answers import age_context as context
from harness.answers.age_numbers import TENS, AgeMention, number_of
from harness.answers.pattern import pattern

_DECADES = {
    "twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70, "eighties": 80,
    "nineties": 90, "teens": 10, "tens": 10,
}  # fmt: skip
_CJK = "\u3040"
"""From here on scripts put no spaces between words."""
_DATED = pattern(
    r"\b(?:foto|photo|bild|imagen|image|immagine|imagem|tomad[oa]|prise|ropa|moda|mode|estilo|style|stile|década|aus|película|filme?)\b[^.\n]{0,24}$"
)
"""Words that make a decade one of a century."""
TEENS = 10
"""The decade of the teens, whose ages are 13 to 19."""

_PART = r"(?:very )?(?:early|mid|middle|late|low|lower|high|upper)(?:dle)?"
_LIKE = {"anfang": "early", "mitte": "mid", "ende": "late", "前半": "early", "半ば": "mid", "なかば": "mid",
         "後半": "late", "초반": "early", "중반": "mid", "후반": "late", "出头": "early", "出頭": "early"}  # fmt: skip
"""Parts of a decade in German, Japanese, Korean and Chinese."""
_PARTS_OF = {"principios": "early", "inicios": "early", "comienzos": "early", "mediados": "mid", "finales": "late", "fines": "late",
             "début": "early", "milieu": "mid", "fin": "late", "inizio": "early", "metà": "mid", "fine": "late",
             "início": "early", "meados": "mid", "final": "late", "finais": "late"}  # fmt: skip
"""Parts of a decade in Spanish, French, Italian and Portuguese."""
_TENS_DE = {"zwanzig": 20, "dreißig": 30, "dreissig": 30, "vierzig": 40, "fünfzig": 50, "sechzig": 60, "siebzig": 70,
            "achtzig": 80, "neunzig": 90}  # fmt: skip
_ARIANS = {"tricen": 30.0, "quadragen": 40.0, "quinquagen": 50.0, "sexagen": 60.0, "septuagen": 70.0, "octogen": 80.0, "nonagen": 90.0,
           "centen": 100.0}  # fmt: skip
"""Stems of words for people of a decade, as octogenarian."""
_DECADE_WORD = rf"(?:(?P<digits>\d{{1,2}}0)(?:(?:'|’)?s\b|代の?(?P<ja>前半|半ば|なかば|後半)?|대 ?(?P<ko>초반|중반|후반)?(?! ?[0-9])|[多几幾][岁歲歳]?|(?P<zh>出头|出頭))|(?P<word>{'|'.join(_DECADES)})\b)"
DECADE = pattern(
    rf"(?:\b(?P<first>{_PART})(?:[- ]{{0,2}}(?:to|or|/|and|-)[- ]{{0,2}}(?P<second>{_PART}))?"
    rf"[- ]{{1,2}}(?:(?:his|her|their|the|of|part|of the|part of)[- ]){{0,3}})?{_DECADE_WORD}"
    rf"|\b(?P<tens>{'|'.join(TENS)}|\d0)[- ]?something\b"
    rf"|\b(?P<arian>{'|'.join(_ARIANS)})arians?\b"
    rf"|\b(?P<de>anfang|mitte|ende) (?:bis (?P<de_second>mitte|ende) )?(?:der )?(?P<de_tens>\d0(?:er)?|{'|'.join(_TENS_DE)})(?![\d.,]?\d|[a-zß]|(?: ?bis| ?-) ?\d)"
    rf"|\b(?:(?P<rom>{'|'.join(_PARTS_OF)}) d(?:e (?:los|sus)|es|ei|os)|en sus|in (?:seinen|ihren)|nei suoi|nos seus) (?P<rom_tens>\d0)(?:ern?)?(?![\d.]*\d| ?(?:años|jahre|ans|an[nn]i|anos))"
    rf"|\b(?P<bare_part>{_PART})[- ](?P<bare>\d0)(?![\d.,'’/:%-]|[a-z]| (?:to|or|and|-|out|of)\b)"
)
_RANGING = ("from ", "bis ")
"""Before a decade these lead to an end of a range."""


def free(text: str, start: int) -> bool:
    """Whether a decade may begin here: in no word, decimal or year."""
    if not start:
        return True
    last, before = text[start - 1], text[start - 2 : start - 1]
    if last == ",":
        return not before.isdigit()
    return not (last in "./'" or (last.isalnum() and last < _CJK))


def decade_at(text: str, found: re.Match[str], begin: int) -> AgeMention | None:
    """The decade of a match; None where it is one of a century ("90s clothes") or denied."""
    start, end = found.span()
    before = text[max(0, start - context.BACK) : start]
    base = _base(found)
    if not TEENS <= base <= 110 or base % 10 or context.denied(text, before, end):
        return None
    word = found["first"] or found["bare_part"]
    for name in ("de", "ja", "ko", "zh"):
        word = word or _LIKE.get(found[name] or "")
    word = word or _PARTS_OF.get(found["rom"] or "")
    native = found["digits"] is not None and found[0][-1] not in "s"
    named = any(found[name] is not None for name in ("tens", "arian", "rom_tens"))
    if found["rom_tens"] is not None and _DATED.search(before):
        return None
    sure = context.answers_anchor(text, begin, start) or native or named
    if not sure and not context.decade_of_age(text, before, end, part=word is not None):
        return None
    first = _part(word, base)
    second = found["second"] or _LIKE.get(found["de_second"] or "")
    last = _part(second, base) if second else first
    opened = not before.endswith(_RANGING) and bounds.open_before(before) is not None
    if context.left_behind(before) or opened or bounds.open_after(text, end) is not None:
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
    return number_of(found["tens"] or found["digits"] or found["bare"] or found["rom_tens"] or "0")


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
