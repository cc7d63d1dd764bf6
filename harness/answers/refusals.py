"""Telling that a model declined: by policy (`refusal`) or because it could not tell (`abstention`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.answers.pattern import pattern

_W = r"(?: [\w']{1,24})"
_CANT = (
    r"(?:can'?t|can ?not|could ?n[o']t|couldn't|(?:not|n't) able to|unable to|won't|will not|isn't possible"
    r"|not (?:allowed|permitted|comfortable|possible|designed|qualified)|impossible|refuse|decline"
    r"|don't have the (?:ability|capability)|do not have the (?:ability|capability)|not appropriate)(?! help but)"
)
_DECLINES = (
    r"(?:identify|recogni[sz]e|analy[sz]e|infer|assist|help|provide|comment|classify|answer|comply|discuss"
    r"|speculate|guess|process|do that|do this|fulfil+|complete|label|describe|engage|view|access|offer)"
)
_DOUBTS = (
    r"(?:determined?|tell|say|see|know|discern(?:ed)?|judged?|read|assess(?:ed)?|detect(?:ed)?"
    r"|interpret(?:ed)?|evaluate|confirm|be (?:determined|identified|sure|certain|seen|read|recogni[sz]ed)"
    r"|conclude|make out|decide|ascertain|accurately|reliably|make a|give)"
)
_REFUSAL = pattern(
    rf"\b{_CANT}(?: to)?{_W}{{0,3}}? {_DECLINES}\b"
    r"|\bas an? (?:ai|artificial|language model|large language)\b"
    r"|\bi'?m (?:just )?an? (?:ai|language model)\b"
    r"|\bsecurity check\b|\bsafety (?:check|system)\b"
    r"|\bagainst (?:my|our|the) (?:guidelines|policy|policies|programming)\b"
    r"|\b(?:i'?m|i am|we'?re|so|my) sorry ?[,.;]? ?(?:but )?i (?:can|am|will|do|must)(?:'t|not| not|n't)"
    r"|\bi(?:'d| would) (?:rather|prefer) not\b"
    r"|\brequest (?:was|is|has been) (?:declined|blocked|refused)\b"
)
_ABSTENTION = pattern(
    rf"\b{_CANT}(?: to)?{_W}{{0,3}}? {_DOUBTS}\b"
    r"|\b(?:hard|difficult|tough|challenging|tricky|impossible)(?: for me)? to (?:tell|say|determine|judge|read|identify|discern|know|assess|interpret|be)\b"
    r"|\b(?:not|n't|never) (?:\w{1,12} )?(?:sure|certain|clear)\b"
    r"|\b(?:unclear|undetermined|undeterminable|indeterminate|inconclusive|unidentifiable|unknown|unspecified)\b"
    r"|\bn/a\b|\bnot (?:applicable|enough (?:information|detail|context))\b"
    r"|\b(?:insufficient|too little) (?:information|detail|context|evidence)\b"
    r"|\btoo (?:blurry|blurred|dark|small|low|grainy|unclear)\b"
    r"|\b(?:don't|do not|dont) (?:know|see (?:a|any) (?:face|person|image|picture))\b|\bidk\b|\bno idea\b"
    r"|\bno (?:\w{1,12} )?(?:face|faces|person|people|human|image|picture|photo)(?: \w{1,12}){0,2}? (?:visible|detected|present|found|shown|provided|attached|seen|here|was|is|in)\b"
    r"|\b(?:there is|there's|i see|contains|shows) no (?:\w{1,12} ){0,2}(?:face|person|image|human)\b"
    r"|\b(?:does not|doesn't|do not|don't) (?:show|contain|include|have) (?:an? |any )(?:\w{1,12} )?(?:face|person|human)\b"
    r"|\bface (?:\w{1,12} ){0,2}(?:not|n't|isn't) (?:\w{1,12} )?(?:visible|shown|clear|present)\b"
    r"|\b(?:image|picture|photo) (?:is|appears|seems)(?: \w{1,12})? (?:blank|empty|missing|corrupted|black)\b"
    r"|^\W*(?:unsure|uncertain|undecided|no face|no person|blank|not visible)\W*$",
)
_GATE = pattern(
    r"n't|not|unable|impossible|refuse|decline|\bai\b|language model|artificial|check|against|sorry|rather"
    r"|prefer|request|hard|difficult|tough|challenging|tricky|\bun|indeterm|inconcl|n/a|insuff|too |know"
    r"|dont|idk|no |blank|empty|missing|corrupt|black|can't|cant|undecided"
)
_IDENTITY = pattern(
    r"\b(?:who|identity|identities|names?|people|persons?|individuals?|real|somebody)\b"
)
_OTHER = pattern(r"\b(?:emotion|expression|feel|mood|affect|sentiment|whether|if|how)")
_TURN = pattern(
    r"\b(?:but|however|that said|nevertheless|nonetheless|still|yet|though|based on|if i had to|if i have to"
    r"|maybe|perhaps|probably|possibly|i think|i guess|i'd say|i would say|most likely|my best|having said)\b"
)
_VERDICT = pattern(
    r"\b(?:looks?|appears?|seems?|is|are|shows?|showing|express(?:es|ing)?|displays?|displaying|conveys?"
    r"|suggests?|indicates?|reads? as|feels?|feeling|consistent with|has an?)\b"
)


@dataclass(frozen=True, slots=True)
class Decline:
    """One place where the model declines."""

    start: int
    end: int
    rule: Literal["refusal", "abstention"]
    about_identity: bool
    """It declines to say who the person is, which leaves the expression open."""


def find_declines(text: str) -> tuple[Decline, ...]:
    """Where the plain text declines to judge, in order."""
    if not _GATE.search(text):
        return ()
    found = [_decline(m, text, "refusal") for m in _REFUSAL.finditer(text)]
    found += [_decline(m, text, "abstention") for m in _ABSTENTION.finditer(text)]
    return tuple(sorted(found, key=lambda d: (d.start, d.end)))


def _decline(match: re.Match[str], text: str, rule: Literal["refusal", "abstention"]) -> Decline:
    tail = text[match.end() : match.end() + 40]
    stop = min((p for p in map(tail.find, ".,;\n") if p >= 0), default=len(tail))
    about = bool(_IDENTITY.search(tail, 0, stop)) and not _OTHER.search(tail, 0, stop)
    return Decline(match.start(), match.end(), rule, about)


def governs(decline: Decline, start: int, text: str) -> bool:
    """Whether a label named at `start` is only named while declining.

    Labels before the refusal, after a turn ("but she looks happy"), or in a later sentence with a
    verdict ("She looks happy.") are free of it.
    """
    if start < decline.end:
        return decline.start <= start
    near = text[max(decline.end, start - 400) : start]
    if _TURN.search(near) or decline.about_identity:
        return False
    stop = max(near.rfind(mark) for mark in ".!?;\n")
    return stop < 0 or not _VERDICT.search(near, stop)


def ruling(declines: Sequence[Decline]) -> str | None:
    """The rule name for a reply that only declines: a refusal outweighs a doubt."""
    if not declines:
        return None
    return "refusal" if any(d.rule == "refusal" for d in declines) else "abstention"
