"""Detect that a model declined: by policy (`refusal`) or because it was not sure (`abstention`).

The wordings stand in the lexicons. What a declining sentence names is no answer: "My guidelines
prevent me from inferring emotions like happiness" declines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.answers.lexicon import Lexicon
from harness.answers.pattern import pattern
from harness.answers.speech import Speech, english

_IDENTITY = pattern(
    r"\b(?:who|identity|identities|names?|people|persons?|individuals?|real|somebody)\b"
)
_OTHER = pattern(
    r"\b(?:emotion|expression|feel|mood|affect|sentiment|whether|if|how|look|appear|seem|call|label|is\b|are\b|as\b)"
)
_TASK = pattern(
    r"(?:^|[.!?;\n] {0,4})(?:(?:whether|if|the question|as for|to \w+|it|that|this|there|i|we|my|facial|emotions?|\w+ing)\b)"
)
_PASSIVE = pattern(r"\bbe (?:\w+ly )?\w+ed\b|\bbe (?:\w+ly )?(?:told|known|seen|read|said)\b")
_MARKS = ".!?;\n"
_NEAR = 400

Kind = Literal["refusal", "abstention"]


@dataclass(frozen=True, slots=True)
class Decline:
    """One place where the model declines."""

    start: int
    end: int
    rule: Kind
    about_identity: bool
    """It declines to say who the person is, which leaves the expression open."""
    known: Lexicon
    """The language it declines in."""


def find_declines(text: str, speech: Speech | None = None) -> tuple[Decline, ...]:
    """Where the plain text declines to judge, in order."""
    found: list[Decline] = []
    for known in (speech or english()).lexicons:
        whole = _whole(text, known)
        if whole is not None:
            return (Decline(0, len(text), whole, False, known),)
        if known.gate and not any(word in text for word in known.gate):
            continue
        found += [_decline(m, text, "refusal", known) for m in known.refusals.finditer(text)]
        found += [_decline(m, text, "abstention", known) for m in known.abstentions.finditer(text)]
    return tuple(sorted(found, key=lambda d: (d.start, d.end)))


def _whole(text: str, known: Lexicon) -> Kind | None:
    """A whole reply that is one of the short ways to decline."""
    if len(text) > 60:
        return None
    core = " ".join(text.strip(" \n.,;:!?()[]{}<>-'").replace(",", " ").replace("_", " ").split())
    if core in known.whole_refusals:
        return "refusal"
    return "abstention" if core in known.whole_abstentions else None


def _decline(match: re.Match[str], text: str, rule: Kind, known: Lexicon) -> Decline:
    if known.language != "en":
        return Decline(match.start(), match.end(), rule, False, known)
    tail = text[match.end() : match.end() + 40]
    stop = min((p for p in map(tail.find, ".,;\n") if p >= 0), default=len(tail))
    about = bool(_IDENTITY.search(tail, 0, stop)) and not _OTHER.search(tail, 0, stop)
    return Decline(match.start(), match.end(), rule, about, known)


def governs(decline: Decline, start: int, text: str) -> bool:
    """Whether a label named at `start` is only named while declining.

    Labels after a turn ("but she looks happy") or in a later sentence with a verdict ("She looks
    happy.") are free of it. So are labels before it, unless they stand in the same sentence and no
    turn parts them ("Whether it is fear is not something I can judge").
    """
    known = decline.known
    if start < decline.end:
        return decline.start <= start or _leads_to(decline, start, text)
    near = text[max(decline.end, start - _NEAR) : start]
    if _conceded(decline, near, text):
        return False
    if decline.about_identity or known.turns.search(near):
        return False
    stop = max(near.rfind(mark) for mark in _MARKS)
    if stop < 0:
        return True
    return not known.verdicts.search(near, stop)


def _conceded(decline: Decline, near: str, text: str) -> bool:
    """ "While I can't know what she feels, the face reads as sad": a clause beside the verdict."""
    comma = near.rfind(",")
    if comma < 0 or not decline.known.verdicts.search(near, comma):
        return False
    begin = max(text.rfind(mark, max(0, decline.start - _NEAR), decline.start) for mark in _MARKS)
    return decline.known.concessions.match(text[begin + 1 : decline.start].lstrip()) is not None


def _leads_to(decline: Decline, start: int, text: str) -> bool:
    """A label in the sentence that ends in declining."""
    if decline.start - start > _NEAR:
        return False
    between = text[start : decline.start]
    if any(mark in between for mark in _MARKS):
        return False
    if decline.known.turns.search(between + " "):
        return False
    if decline.known.language != "en":
        return True
    passive = _PASSIVE.search(text, decline.start, decline.end) is not None and "," not in between
    if decline.rule == "refusal" or passive:  # "joy or sadness can't be judged from here"
        return True
    begin = max(text.rfind(mark, max(0, start - _NEAR), start) for mark in _MARKS)
    return _TASK.match(text, max(begin, 0)) is not None and "," not in between


def ruling(declines: Sequence[Decline]) -> str | None:
    """The rule name for a reply that only declines: a refusal outweighs a doubt."""
    if not declines:
        return None
    return "refusal" if any(d.rule == "refusal" for d in declines) else "abstention"
