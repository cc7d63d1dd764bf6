"""Numbers in digits and English words, and the record of an expression of an age."""

from __future__ import annotations

from dataclasses import dataclass

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
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_DIGIT_WORDS = "|".join(_SMALL[1:10])
NUMBER = r"(?:\d{1,3}(?:[.,]\d{1,2})?(?:/\d{1,3})?)(?![\d⁄]| \d{3}(?!\d)|[.,:]\d|(?:st|nd|rd|th)\b)"
_TENS_WORD = rf"(?>(?:{'|'.join(TENS)})(?:(?: - |[- ])(?:{_DIGIT_WORDS})(?:\b|(?=ish\b)))?)"
_HUNDRED = rf"(?>(?:a|one) hundred(?: (?:and )?(?:{_TENS_WORD}|{'|'.join(_SMALL[1:])}))?)"
_ISH = {"fiv": 5, "nin": 9, "twelv": 12}
"""Stems of fivish, ninish and twelvish."""
_WORD = (
    rf"(?:(?>(?:{'|'.join(TENS)})[- ])?(?:{'|'.join(_ISH)})(?=ish\b)"
    rf"|(?:{_HUNDRED}|{_TENS_WORD}|{'|'.join(sorted(_SMALL, key=len, reverse=True))})(?:\b(?![- ](?:fiv|nin)ish\b)|(?=-?ish\b)))"
)
ANY = rf"(?:{NUMBER}|{_WORD})"

LEAST = r"min(?:imum)?|low(?:er|est)?|least|youngest"
MOST = r"max(?:imum)?|high(?:er|est)?|upper|most|oldest"
"""Names of the two ends of a range."""
WIDEST = 25.0
"""Years: a range that is wider ("0 to 100", "20 to 60") says nothing of one age."""


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


def number_of(text: str) -> float:
    """The number that digits or English words say: `34`, `7,5`, `thirty-four`, `a hundred and two`."""
    if text[:1].isdigit():
        return float(text.partition("/")[0].replace(",", "."))
    total = 0.0
    for word in text.replace("-", " ").split():
        if word == "hundred":
            total = 100.0
        elif word in TENS:
            total += 20 + 10 * TENS.index(word)
        elif word in _ISH:
            total += _ISH[word]
        elif word in _SMALL:
            total += 0 if word == "one" and "hundred" in text and total == 0 else _SMALL.index(word)
    return total
