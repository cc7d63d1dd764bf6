"""Choose between several labels in a reply: by scores, ranks or stated preference.

"happy 0.7, sad 0.2" is happiness, "Top-1: disgust; Top-2: anger" is disgust, "primarily fear, with
some surprise" is fear, "anger over disgust" is anger. Scores count only where they are such:
percentages, fractions of 1, points out of a whole; a code beside each label is none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

from harness.answers.mentions import Mention
from harness.answers.pattern import pattern
from harness.answers.tokens import Token
from harness.answers.words import BREAKS, FILL

_AFTER = pattern(
    r" {0,3}(?:[:=(,-]|\b(?:at|is|with|score of|scores?|gets?|only|just|rated)\b|\s)? {0,3}(?:only |just )? {0,3}(?:about |approximately |~ ?)?(\d{1,3}(?:[.,]\d{1,6})?|\.\d{1,6}) ?(%|percent\b|/ ?\d{1,3}|(?:out )?of \d{1,3})?(?![\w.]*\d)"
)
_BEFORE = pattern(
    r"(?:^|[^\w.])(\d{1,3}(?:\.\d{1,6})?|\.\d{1,6}) ?(%|percent)? {0,3}(?:-|:|of|for)? {0,3}$"
)
_LEVEL = pattern(
    r" {0,3}(?:[:=(-]|is) {0,3}(none|absent|minimal|very low|low|weak|slight|mild|some|moderate|medium|very high|very strong|strong|high|dominant"
    r"|impossible|(?:very|highly|most|quite|extremely) unlikely|unlikely|possible|plausible|(?:very|highly|most|quite|extremely) likely|likely|probable|certain)\b"
)
_LEVEL_BEFORE = pattern(
    r"\b(none|absent|minimal|very low|low|weak|moderate|medium|very high|very strong|strong|high|very unlikely|unlikely|possible|very likely|likely) {0,2}: {0,3}$"
)
_SCALE = pattern(r"\bout of (?:5|7|10|100)\b|\bscale (?:of|from) \d")
_LEVELS = {
    word: number
    for number, words in enumerate(
        (("none", "absent", "impossible"), ("minimal", "very low", "very unlikely"),
         ("low", "weak", "slight", "mild", "some", "unlikely"),
         ("moderate", "medium", "possible", "plausible"), ("strong", "high", "likely", "probable"),
         ("very strong", "very high", "very likely"), ("dominant", "certain"))
    )
    for word in words
}  # fmt: skip
_VERY = pattern(r"^(?:highly|most|quite|extremely)\b")
_NEAR = 60
_SLACK = 0.06
_RANK = pattern(
    r"(?:\b(?:top|rank|choice|option|guess|place|priority|no\.?|number) {0,2}[-#]? {0,2}([1-9])\b|#([1-9])\b|\b([1-9])(?:st|nd|rd|th)\b(?: \w{1,12}){0,2}"
    r"|\b(top|first|second|third|fourth|primary|secondary|tertiary|main|runner[ -]up|alternative|backup)(?: (?:choice|guess|option|place|emotion|label|most likely|answer|candidate|impression))?) {0,2}(?:[:=)]|is\b| {0,1}-) {0,3}$"
    r"|\b([1-9])(?:st|nd|rd|th) {1,2}$"
)
_ORDER = {
    "top": 1, "first": 1, "second": 2, "third": 3, "fourth": 4, "primary": 1, "main": 1, "secondary": 2,
    "tertiary": 3, "runner up": 2, "alternative": 2, "backup": 2,
}  # fmt: skip
_ITEM = pattern(r"(?:^|[\s:,;(])([1-9])[.):] {0,3}$")
_RANKED = pattern(
    r"\b(?:top ?-?\d|top (?:two|three|five|guesses|choices|emotions|predictions)|rank(?:ed|ing)?|most (?:to least )?likely|in (?:descending )?order|order of|by (?:likelihood|probability|confidence))\b"
)
_HEADING = pattern(
    r"\b(?:rank(?:ing|ed)(?: order)?|in (?:descending )?order(?: of \w{1,14})?|most to least likely|\btop ?-?(?:\d|two|three|four|five)(?: \w{1,14})?) {0,2}: {0,2}$"
)
_ITEMS = pattern(r"[\s,;>/-]{1,6}(?:and |then )?")
_ADVERBS = frozenset((
    "primarily", "mainly", "mostly", "predominantly", "chiefly", "principally", "largely",
    "overwhelmingly", "foremost", "essentially", "dominantly", "leaning", "lean", "especially",
))  # fmt: skip
_STRONGER = frozenset((
    "likelier", "likeliest", "likely", "probable", "plausible", "dominant", "prominent", "pronounced",
    "fitting", "convincing", "apt", "evident", "accurate", "appropriate", "apparent",
))  # fmt: skip
_FIRST = frozenset((
    "dominant", "likelier", "likeliest", "primary", "main", "predominant", "correct", "right",
    "leading", "prevailing", "answer",
))  # fmt: skip
_VERBS = frozenset((
    "dominates", "prevails", "predominates", "wins", "stronger", "strongest", "dominate", "better",
    "best", "likeliest", "outweighs", "edges", "beats", "trumps", "overshadows", "eclipses", "surpasses",
    "exceeds",
))  # fmt: skip
_ARROWS = (["-", ">"], ["=", ">"], ["\u2192"])
"""From what was said first to what is meant."""
_OVER = frozenset(("over", "before", "above"))
_OUT_OF = ("/", "outof", "of")
_PREFERRING = frozenset(("prefer", "preferred", "preferring", "favor", "favour", "favored", "favoured"))  # fmt: skip


def settled(text: str, tokens: Sequence[Token], said: Sequence[Mention]) -> Sequence[Mention]:
    """The mentions of the one label that is meant, or all of them where that cannot be told."""
    if len({m.label for m in said}) < 2:
        return said
    for rule in (_by_score, _by_rank, _over, _stronger):
        label = rule(text, tokens, said)
        if label is not None:
            return [m for m in said if m.label == label]
    return said


def _by_score(text: str, tokens: Sequence[Token], said: Sequence[Mention]) -> str | None:
    """The label with the highest number, where each label has one."""
    del tokens
    found_by = (_numbers, _numbers_before, _levels, _levels_before)
    for found in (rule(text, said) for rule in found_by):
        if found is None:
            continue
        best = max(found.values())
        top = [label for label, number in found.items() if number >= best - 1e-9]
        return top[0] if len(top) == 1 and best > 0 else None
    return None


def _numbers(text: str, said: Sequence[Mention]) -> dict[str, float] | None:
    return _scores(said, [_AFTER.match(text, m.end) for m in said], text)


def _numbers_before(text: str, said: Sequence[Mention]) -> dict[str, float] | None:
    return _scores(said, [_BEFORE.search(text[max(0, m.start - 14) : m.start]) for m in said], text)


def _scores(
    said: Sequence[Mention], matches: Sequence[re.Match[str] | None], text: str
) -> dict[str, float] | None:
    """Label -> score, where every label has one and they are scores and no codes."""
    found: dict[str, float] = {}
    units: set[str] = set()
    written: list[str] = []
    for mention, match in zip(said, matches, strict=True):
        if match is None:
            if mention.label not in found:
                return None
            continue
        if mention.label in found:
            return None
        found[mention.label] = float(match[1].replace(",", "."))
        units.add((match[2] or "").replace(" ", "")) if match.lastindex and match[2] else units.add(
            ""
        )
        written.append(match[1])
    whole = units - {""}
    if len(whole) > 1 or ("" in units and whole and not next(iter(whole)).startswith(_OUT_OF)):
        return None
    unit = "".join(whole) or ("outof" if _SCALE.search(text) else "")
    return found if _are_scores(found, written, unit) else None


def _are_scores(found: dict[str, float], written: Sequence[str], unit: str) -> bool:
    if unit in ("%", "percent") or unit.startswith(_OUT_OF):
        return True
    if all(value <= 1 for value in found.values()):
        return any("." in w or "," in w for w in written)
    return math.isclose(math.fsum(found.values()), 100, abs_tol=100 * _SLACK)


def _levels(text: str, said: Sequence[Mention]) -> dict[str, float] | None:
    found: dict[str, float] = {}
    for mention in said:
        match = _LEVEL.match(text, mention.end)
        if match is None or mention.label in found:
            return None
        found[mention.label] = float(_LEVELS[_VERY.sub("very", match[1])])
    return found


def _levels_before(text: str, said: Sequence[Mention]) -> dict[str, float] | None:
    """ "High: anger. Low: sadness." """
    found: dict[str, float] = {}
    for mention in said:
        match = _LEVEL_BEFORE.search(text[max(0, mention.start - 20) : mention.start])
        if match is None or mention.label in found:
            return None
        found[mention.label] = float(_LEVELS[_VERY.sub("very", match[1])])
    return found


def _by_rank(text: str, tokens: Sequence[Token], said: Sequence[Mention]) -> str | None:
    """The label ranked first, where all are ranked."""
    del tokens
    apart = len({m.label for m in said}) == len(said)
    if apart and _HEADING.search(text, max(0, said[0].start - _NEAR), said[0].start):
        listed_only = all(_ITEMS.fullmatch(text[a.end : b.start]) for a, b in pairwise(said))
        if listed_only:
            return said[0].label
    ranks: dict[str, int] = {}
    listed = bool(
        _RANKED.search(text, max(0, said[0].start - 4 * _NEAR), said[0].start)
        or _RANKED.search(text, said[-1].end, said[-1].end + _NEAR)
    )
    for mention in said:
        before = text[max(0, mention.start - 32) : mention.start]
        match = _RANK.search(before)
        item = _ITEM.search(before) if match is None and listed else None
        if match is not None:
            word = match[4]
            number = (
                _ORDER[word.replace("-", " ")]
                if word
                else int(next(one for one in match.groups() if one))
            )
        elif item is not None:
            number = int(item[1])
        elif ranks and (mention.label in ranks or not listed):
            continue
        else:
            return None
        ranks.setdefault(mention.label, number)
    first = [label for label, number in ranks.items() if number == 1]
    return first[0] if len(first) == 1 and len(ranks) > 1 else None


def _over(text: str, tokens: Sequence[Token], said: Sequence[Mention]) -> str | None:
    """ "fear over surprise", "I favor sadness over neutral"."""
    del text
    labels = {m.label for m in said}
    joints = [
        [t.word for t in tokens[left.last + 1 : right.first]] for left, right in pairwise(said)
    ]
    if len(labels) == len(said) and all(joint == [">"] for joint in joints):
        return said[0].label
    if len(labels) > 1 and all(joint in _ARROWS for joint in joints):
        return said[-1].label
    if len(labels) != 2:
        return None
    for left, right in pairwise(said):
        between = [t.word for t in tokens[left.last + 1 : right.first]]
        filled = all(word in FILL for word in between[1:])
        if left.label == right.label or not between or not filled:
            continue
        before = {t.word for t in tokens[max(0, left.first - 4) : left.first]}
        if between[0] in _OVER or (between[0] == "to" and before & _PREFERRING):
            return left.label
        if between[0] == "than" and "less" in before:
            return right.label
    return None


def _stronger(text: str, tokens: Sequence[Token], said: Sequence[Mention]) -> str | None:
    """The one label that is said to be the main one, or more likely than the rest."""
    del text
    main = {m.label for m in said if _main(tokens, m)}
    return main.pop() if len(main) == 1 else None


def _main(tokens: Sequence[Token], mention: Mention) -> bool:  # noqa: PLR0911
    for index in range(mention.first - 1, max(-1, mention.first - 6), -1):
        word = tokens[index].word
        before = tokens[index - 1].word if index else ""
        if word in BREAKS or word in (",", "and", "or", "/", "with", "but"):
            break
        if word in _ADVERBS or (before == "above" and word == "all"):
            return True
        if before in ("most", "more") and word in ("likely", "probably"):
            return True
    words = [t.word for t in tokens[mention.last + 1 : mention.last + 8]]
    if not words or words[0] in BREAKS:
        return False
    if words[0] == "more" and words[1:2] != [] and words[1] in _STRONGER:
        return True
    if words[0] == "(":
        return words[1:2] == ["most"] or words[1:2] in (["primary"], ["main"], ["dominant"])
    if words[0] in _VERBS - {"better", "best"} or (
        words[:1] in (["fits"],) and words[1:2] in (["better"], ["best"])
    ):
        return True
    if words[0] not in ("is", "seems", "appears", "looks", "are", "feels", "would", "remains"):
        return False
    rest = [w for w in words[1:] if w not in ("the", "a", "be", "far", "much", "to", "still")][:3]
    if rest[:1] in (["more"], ["most"]):
        return len(rest) > 1 and rest[1] in _STRONGER
    return bool(rest) and (rest[0] in _VERBS or rest[0] in _FIRST)
