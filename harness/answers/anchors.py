"""Places where a reply marks its answer: final-answer lines, verdict sentences, lone lines, bold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from harness.answers.lexicon import Lexicon
from harness.answers.pattern import pattern
from harness.answers.speech import Speech

Level: TypeAlias = Literal["final-anchor", "statement"]

_BE = r"(?: ?(?:is|was|would be|will be|must be|might be|could be|may be|appears to be|seems to be|appears|seems|remains)\b(?: most likely| likely| probably| clearly)? ?:?| {0,4}[:=])"
_NOUN = r"(?:emotion|expression|label|class|classification|category|choice|option|match|prediction|description|response|state|conclusion|guess|assessment|judge?ment)"
_FIRST = r"(?<!second )(?<!third )(?<!next )(?<!less )(?<!2nd )(?<!3rd )"
"""Not behind a word that says it is another than the first: "second most likely: fear"."""
_FINAL = pattern(
    r"\\boxed {0,2}\{|<answer>"
    rf"|\b(?:answer|verdict|prediction|conclusion){_BE}"
    rf"|\bfinal {_NOUN}{_BE}"
    rf"|{_FIRST}\b(?:most likely|best guess|my guess) {{0,4}}[:=]"
    rf"|\b(?:right|correct|proper) (?:one|word|term)(?: here)?{_BE}"
    rf"|{_FIRST}\b(?:primary|main|dominant|predominant|prevailing|overall|most likely|most prominent|strongest|best|correct|likeliest)(?: \w{{1,20}}){{0,2}}? {_NOUN}s?(?: \w{{1,20}}){{0,8}}?{_BE}"
    r"|\bi(?:'d| would|'ll| will)? (?:therefore |thus )?(?:choose|pick|select|go with|going with|settle on)\b:?"
)
_STATEMENT = pattern(
    rf"\b(?:expression|emotion|emotional state|feeling|mood|affect|label|class|category|classification){_BE}"
    rf"|\b(?:expression|emotion|emotional state|feeling|mood|affect)(?: \w{{1,20}}){{1,10}}?{_BE}"
    r"|\b(?:classif(?:y|ied)|label+ed|described?|categori[sz]ed?|interpret(?:ed)?|identif(?:y|ied)|read)(?: (?!as\b)\w{1,20}){0,6}? as\b"
    r"|(?:^|[.!?\n] {0,4})(?:therefore|thus|hence|in conclusion|overall|in summary|to conclude|to sum up|so,)\b"
)
_BOLD = pattern(r"\*\*([^*\n]{1,60})\*\*|__([^_\n]{1,60})__")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A mark behind which the answer stands."""

    level: Level
    start: int
    end: int
    """Position in the plain text where the answer begins."""


def find_anchors(
    text: str, keys: re.Pattern[str] | None = None, speech: Speech | None = None
) -> list[Anchor]:
    """Anchors in order. `keys` finds the field's own name before a colon or a verb."""
    found = _finals(text, speech)
    taken = {a.end for a in found}
    patterns = [_STATEMENT, *(known.statements for known in _others(speech))]
    if keys is not None:
        patterns.append(keys)
    for form in patterns:
        for match in form.finditer(text):
            if match.end() not in taken:
                taken.add(match.end())
                found.append(Anchor("statement", match.start(), match.end()))
    return sorted(found, key=lambda a: a.end)


def own_anchors(
    text: str, keys: re.Pattern[str] | None, speech: Speech | None = None
) -> list[Anchor]:
    """Final anchors, and places behind the field's own name: for values that are not emotions."""
    found = _finals(text, speech)
    if keys is not None:
        found += [Anchor("statement", m.start(), m.end()) for m in keys.finditer(text)]
    return sorted(found, key=lambda a: a.end)


def _finals(text: str, speech: Speech | None) -> list[Anchor]:
    patterns = [_FINAL, *(known.finals for known in _others(speech))]
    return [Anchor("final-anchor", m.start(), m.end()) for p in patterns for m in p.finditer(text)]


def _others(speech: Speech | None) -> Sequence[Lexicon]:
    """The languages besides English, whose anchors stand in this file."""
    return speech.lexicons[1:] if speech is not None else ()


def key_pattern(name: str) -> re.Pattern[str]:
    """Finds a field's name as a key: `action_units` in "The action unit present is: ...".

    "fine" and "coarse" also stand as "fine-grained expression class" and the like.
    """
    words = [w for w in re.split(r"[\W_]+", name.lower()) if w]
    if words and words[-1].endswith("s") and len(words[-1]) > 3:
        words[-1] = words[-1][:-1]
    stem = r"[ -]".join(re.escape(word) for word in words) or r"\b\B"
    tail = r"s?(?:[ -]grained)?(?: \w{1,20}){0,4}?" if words else ""
    if words[:2] == ["action", "unit"]:
        stem = rf"(?:{stem}|facs code|\baus?)"
    return re.compile(rf"\b{stem}{tail}(?: ?\([^()\n]{{0,40}}\))?{_BE}")


def bold_parts(raw: str) -> Sequence[tuple[int, int, str]]:
    """Stretches set in bold, as (start, end, text) in the raw reply."""
    if "**" not in raw and "__" not in raw:
        return ()
    return [(m.start(), m.end(), m.group(1) or m.group(2)) for m in _BOLD.finditer(raw)]
