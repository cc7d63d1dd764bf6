"""Find what a reply claims of two pictures: one person, two persons, or that it is open.

A claim is a phrase such as "the same person" or "different people" with what stands around it in its sentence: a
denial ("no reason to believe", "anything but") turns it, "might", "whether" and "if" leave it open, "although" and
"at first glance" concede it, a question counts by its answer. Open and conceded claims say nothing beside a plain one.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.answers.pattern import pattern
from harness.answers.refusals import Decline, governs

_PERSON = (
    r"(?:person|people|persons|individuals?|men|man|women|woman|guys?|girls?|boys?|lady|ladies|kids?|child|children|dudes?"
    r"|humans?|human beings?|actors?|actress(?:es)?|models?|characters?|subjects?|faces?|identit(?:y|ies))"
)
_THING = (
    r"(?!(?:-| )?(?:shapes?|structures?|types?|forms?|angles?|orientations?|expressions?|proportions?|contours?|positions?|pos(?:e|es)"
    r"|hair\w*|sizes?|colou?rs?|tones?|outlines?|lengths?|widths?|matter|ratios?|geometry|features?|masks?|paint|parts?|areas?|regions?)\b)"
    r"(?!'?s? (?:twin|sibling|brother|sister|mother|father|parent|daughter|son|cousin|relative|lookalike|doppelg)\w*)"
)
"""What is behind "same face" where it says nothing of the person."""
_END = r"(?=\W{0,3}(?:$|[.,;:!?\n)=-]))"
_THEY = (
    r"\b(?:they|these|those|the two|both|people|persons|individuals|men|women|subjects|faces|pictures|images|photos)(?:'re"
    r"|(?: \w+){0,2} (?:are|were|look|looked|seem|appear)(?: to be)?)(?: \w+){0,2} |\b(?:are|were) (?:they|these|those|the two|both)(?: \w+){0,2} "
)
"""Said of the persons themselves: "they are different", not "the hair is different"."""
_TOPIC = pattern(
    rf"(?P<same>\b(?:(?:(?:the |one and the |very )?(?:same|identical)[ _-]{_PERSON}|(?<!only )(?<!just )one (?:person|individual)|one and the same)\b{_THING}))"
    rf"|(?P<other>\b(?:(?:different|distinct|separate|other|unrelated|another)[ _-](?:\w+ (?=people|persons|individuals|men|women))?{_PERSON}\b{_THING}"
    r"|someone else\b|mismatch\b|non-?match\b)"
    r")"
    rf"|\b(?:are|were|be|of|like) (?P<two>two {_PERSON})\b{_THING}"
    rf"|(?:{_THEY})(?P<alike>(?:the |one and the )?same|identical|one){_END}|(?:{_THEY})(?P<unlike>different|distinct){_END}"
    rf"|(?:\b(?:is|are|it's|they're|be|as|likely|probably)(?: \w+){{0,2}} an? (?:\w+ )?|\bno |\b(?:they|faces|people|images|pictures|photos|persons|individuals)(?: [\w']+){{0,2}} )"
    rf"(?P<match>match(?:ing (?:pair|faces|identity))?)(?: found| detected)?{_END}|^\W*(?P<key>match)(?=\W{{0,3}}[:=])"
)
_BARE = (
    r"(?P<not>not |non[ -]|no )?(?:an? |the )?(?:(?P<same>same|match(?:ing)?|identical|genuine)|(?P<other>different|distinct|mismatch|impostor|imposter))"
    r"(?=\W{0,3}(?:$|[.,;!?\n(\u2013\u2014]))"
)
_WHOLE = pattern(rf"^\W*{_BARE}")
_NOTED = pattern(
    r"(?<!\w)\((?:the )?(?P<not>not (?:the )?|no )?(?:(?P<same>same|match|identical)|(?P<other>different|mismatch))\)"
)
""" "1 (same)"."""
_DECIDED = pattern(
    rf"\b(?:answer|verdict|conclusion|prediction|decision|result|judge?ment|classification|output|response|same ?(?:or|/) ?different\??)(?: is)?(?: ?:| ?=)?[\s\"'(\[]{{0,4}}{_BARE}"
)
_CUT = re.compile(r"[.](?!\d)|[;!?\n]")
_BREAK = pattern(
    r"[,:()\u2013\u2014] ?(?:but|and|so|yet|however|still|it|it's|they|they're|these|those|this|the (?=two|pictures|images|photos|faces|people)|both|i|i'd|i'm|we"
    r"|which|suggesting|indicating|meaning|making|implying|therefore|thus|hence|because|since)\b"
    r"|\b(?:(?<!anything )but|because|therefore|thus|hence|however|yet)\b|[:()\u2013\u2014]| - "
)
_CONCEDED = pattern(
    r"\W*(?:but |and |yes,? |no,? )?(?:although|though|even though|even if|while|whilst|despite|at first|at a first|at a glance|initially|superficially"
    r"|(?:one|you|some|some people|others|people|many) (?:might|could|may|would|often|sometimes|say|think|claim|believe)|it (?:might|may|could|would) (?:seem|look|appear))\b"
)
_GLANCE = pattern(r"\b(?:at (?:a )?first|at a glance|glance|initially|superficially)\b")
_LOOKS = pattern(r"\b(?:look\w*|seem\w*|appear\w*|resembl\w*|pass for|impression|as if|like)\b")
_CONCLUDES = pattern(
    r"\W*(?:(?:and|but) )?(?:therefore|thus|hence|so|overall|in conclusion|conclusion|in summary|to conclude|to sum up|in short|all in all|based on"
    r"|i conclude|i therefore|my conclusion|on balance|in the end|ultimately|taken together|finally|final|considering)\b"
)
_ADMITTED = pattern(
    r"\b(?:no|without(?: a| any)?|beyond(?: a| any)?|little|not a) (?:\w+ )?(?:doubts?|question)\b|\bundoubtedly\b|\bmore likely than not\b|\bnot only\b|\bnot just\b|\bcan(?:not|'t) deny\b"
    r"|\b(?:i|we|one)(?:'d| would| could| can)(?: (?!not\b|never\b|hardly\b)\w+)? (?:say|guess|lean|go|argue|judge|conclude|bet|think|rate|call|assign|put|give|estimate)\b"
    r"|\bif (?:i|forced|pressed|asked|anything|you ask)\b[^,]{0,30},"
)
"""What sounds like a denial or a doubt and is none."""
_TELL = r"(?:tell|say|determine|confirm|verify|know|decide|judge|establish|conclude|assess|ascertain|exclude|rule out)"
_OPEN = pattern(
    r"\b(?:might|may|perhaps|maybe|(?<!not )(?<!n't )possibly|possibility|whether|if|unless|would(?! not (?:say|call|think)\b)|unclear|uncertain|unsure|undecided|for (?:them|these|it) to)\b"
    r"|\bcould(?! not|n't)\b|\b(?<!not )(?<!n't )possible\b|\b(?:not|n't) (?:necessarily|obviously|clearly|definitely|certainly|evidently)\b|\b(?:not|n't) (?:\w+ )?(?:sure|certain|clear|obvious|known|prove|mean|enough)\b"
    rf"|\b(?:impossible|hard|difficult|tough|tricky|unable|(?:not|n't) (?:able|possible|enough)|no way|no means|cannot|can't|could not|couldn't|can not)(?: \w+){{0,2}}? (?:to )?{_TELL}\b"
    r"|\b(?:cannot|can't|couldn't|not) be (?:\w+ )?(?:sure|certain|confident|determined|confirmed)\b"
)
_SMALL = r"(?:low|small|slim|little|slight|minimal|negligible|remote|tiny|poor)"
_ODDS = r"(?:chances?|probability|likelihood|odds|possibility)"
_DENIED = pattern(
    r"\b(?:not|no|never|hardly|scarcely|barely|unlikely|improbable|implausible|impossible|neither|cannot|without|nothing|nobody|none|doubt(?:s|ful)?|disagree"
    r"|wrong|false|untrue|incorrect|mistaken?|inaccurate|fail\w*|lack\w*|rather than|instead of|as opposed to|anything but|far from|less likely|inconsistent|incompatible|hard to (?:believe|imagine|see|accept)|rules? out|ruled out"
    r"|exclude[sd]?|refutes?|disproves?|contradicts?|denies|unconvinced|absence of|against)\b|n't\b"
    rf"|\b{_SMALL} (?:\w+ )?{_ODDS}\b|\b{_ODDS} (?:is|are|of|seems?)(?: \w+){{0,2}}? {_SMALL}\b"
)
_AFTER_DENIED = pattern(
    r"\W{0,3}(?:(?:is|are|was|seems?|appears?|looks?)(?: \w+){0,2}? )?(?:unlikely|improbable|doubtful|impossible|implausible|out of the question|ruled out|wrong|false|incorrect|excluded)\b"
    r"|,? (?:is|are|was|were|does|do|did|can|could)(?:n't| not|not)\b|,? cannot\b"
    rf"| (?:is|seems?)(?: \w+){{0,2}}? {_SMALL}\b"
)
_CROSS = pattern(r"\W{0,2}[\u2717\u2718\u2716\u274c]")
_AFTER_OPEN = pattern(
    r",? (?:or|nor)\b|[^,.;]{0,30}\b(?:would|possible|unclear|uncertain|undecidable|unknown|might|may|(?:cannot|can't|could not|not) be (?:ruled out|excluded|determined|confirmed|told|sure|certain))\b"
)
_KEYED = pattern(
    r"[\"'\])]{0,2} ?[:=(\u2013\u2014-] ?[\"'(\[]{0,2}(?:(?P<yes>yes|true|y|correct|confirmed|positive|likely|probably)|(?P<no>no|false|n|incorrect|negative|unlikely|probably not))(?=\W{0,3}(?:$|[.,;:()!\n}]))"
)
_REPLIED = pattern(
    r"\W{0,6}(?:well,? |hmm+,? |(?:the |my )?answer(?: is)?:? |i(?:'d| would)? (?:say|think|believe|guess),? )?(?:most |very |highly |quite )?"
    r"(?:(?P<no>no|nope|nah|unlikely|improbable|not|probably not|doubtful|i doubt it|i don't think so|false|incorrect)"
    r"|(?P<yes>yes|yep|yeah|likely|probably|definitely|certainly|absolutely|surely|i think so|true|correct|it is|they are)(?P<turned>(?: \w+)? not)?)\b(?!')"
)
_MOST = 100
"""Claims of one reply that are looked at, from its end."""
_FAR = 160
"""Characters of a sentence that are looked at on either side of a claim."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A phrase that says, or only mentions, that there is one person or that there are two."""

    same: bool | None
    """None where it is left open."""
    topic: bool
    """Whether the phrase itself is of one person."""
    weight: int
    """0 conceded, 1 of what it looks like, 2 stated, 3 concluded or given as an answer."""
    start: int
    end: int
    sentence: tuple[int, int]


def find_claims(text: str, declines: Sequence[Decline] = ()) -> list[Claim]:
    """The claims of a plain text, in order. `declines`: what is named while declining is no claim."""
    found = [*_bare(text)][-_MOST:]
    for match in deque(_TOPIC.finditer(text), _MOST):
        name = next(name for name, value in match.groupdict().items() if value is not None)
        claim = _claim(
            text, match.start(name), match.end(), name in {"same", "alike", "match", "key"}
        )
        if claim is None or any(one.start <= claim.start < one.end for one in found):
            continue
        if any(governs(one, claim.start, text) for one in declines):
            claim = replace(claim, same=None)
        found.append(claim)
    return sorted(found, key=lambda one: one.start)


def settle(claims: Sequence[Claim]) -> set[bool]:
    """What the weightiest claims that are not open say: nothing, one side, or both."""
    decided = [one for one in claims if one.same is not None and one.weight]
    if not decided:
        return set()
    most = max(one.weight for one in decided)
    return {one.same for one in decided if one.weight == most and one.same is not None}


def _bare(text: str) -> Iterator[Claim]:
    """ "Different. 90", "Verdict: same"."""
    whole = _WHOLE.match(text)
    for match in (*([whole] if whole else []), *_DECIDED.finditer(text), *_NOTED.finditer(text)):
        same = (match["same"] is not None) == (match["not"] is None)
        if text[match.end() : match.end() + 1] != "?":
            yield Claim(same, same, 3, match.start(), match.end(), (match.start(), match.end()))


def _claim(text: str, start: int, end: int, same: bool) -> Claim | None:
    first, last = _sentence(text, start, end)
    before, after = text[first:start], text[end:last]
    lead = _lead(before)
    turned = _turned(lead)
    said = None if turned is None else same != turned
    keyed = _KEYED.match(after)
    if keyed is not None and turned is not None:
        agreed = keyed["yes"] is not None
        return Claim(said == agreed, same, 3, start, end, (first, last))
    if text[last : last + 1] == "?":
        reply = _REPLIED.match(text, last + 1, last + 80)
        if reply is None:
            return None
        agreed = reply["yes"] is not None and reply["turned"] is None
        return Claim(same == agreed, same, 3, start, end, (first, last))
    if (
        _OPEN.search(_ADMITTED.sub(" ", lead))
        or lead.endswith((" or ", " nor "))
        or _AFTER_OPEN.match(after)
    ):
        said = None
    elif _CROSS.match(after):
        said = False  # it stands for "no match", whichever of the two is named
    elif _AFTER_DENIED.match(after) and said is not None:
        said = not said
    return Claim(said, same, _weight(before, lead, after), start, end, (first, last))


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the sentence around a phrase begins and ends."""
    begin = max(0, start - _FAR)
    first = max((begin + m.end() for m in _CUT.finditer(text[begin:start])), default=begin)
    stop = _CUT.search(text, end, end + _FAR)
    return first, stop.start() if stop else min(len(text), end + _FAR)


def _lead(before: str) -> str:
    """The clause in front of a phrase, as far as what stands there may govern the phrase."""
    cut = 0
    for match in _BREAK.finditer(before):
        cut = match.start() + (match.group()[0] in ",:()\u2013\u2014")
    return before[cut:]


def _turned(lead: str) -> bool | None:
    """Whether a phrase behind `lead` is denied; None where that cannot be told."""
    plain = _ADMITTED.sub(" ", lead)
    earlier, comma, near = plain.rpartition(",")
    if comma and not re.match(r" *(?:that|nor|or)\b", near):
        if not near.strip(" '\"") and _DENIED.search(earlier):
            return None  # "The eyes do not match, different people"
        plain = near
    return len(_DENIED.findall(plain)) % 2 == 1


def _weight(before: str, lead: str, after: str) -> int:
    conceded = _CONCEDED.match(before) is not None and "," not in before
    if conceded or _GLANCE.search(lead) or _GLANCE.search(after[:40]):
        return 0
    if _CONCLUDES.match(before):
        return 3
    return 1 if _LOOKS.search(lead) else 2
