"""Read yes or no.

In this order: the whole reply; the last final-answer anchor; the first word; the words yes and no
wherever they stand as words of their own ("no" inside "nose" or "notice" is none, "no teeth are
shown" is one); statements of what is or is not visible. Yes and no together are ambiguous. "Maybe"
and "unsure" are off-list: they answer, but neither yes nor no.
"""

from __future__ import annotations

import re

from harness.answers.anchors import own_anchors
from harness.answers.folding import words_of
from harness.answers.languages import language_of
from harness.answers.normal import NormalizedReply
from harness.answers.pattern import blanks, pattern
from harness.answers.refusals import find_declines, ruling
from harness.answers.speech import unspaced
from harness.answers.verdict import answered, lacking, nothing, wordless
from harness.core.answer import Answer
from harness.core.outcome import Outcome

_YES = "yes|yeah|yep|yup|yea|affirmative"
_NO = "no|nope|nah|negative"
_EXACT = {
    **dict.fromkeys(("yes", "yeah", "yep", "yup", "y", "true", "correct", "affirmative"), "yes"),
    **dict.fromkeys(("visible", "shown", "present", "it is", "it does", "they are"), "yes"),
    **dict.fromkeys(("no", "nope", "nah", "n", "false", "incorrect", "negative", "none"), "no"),
    **dict.fromkeys(("not visible", "not shown", "not present", "absent", "hidden"), "no"),
    **dict.fromkeys(("it is not", "it isn't", "they are not", "they aren't", "it does not"), "no"),
}
_SEEN_WORDS = frozenset((
    "visible", "shown", "present", "not visible", "not shown", "not present", "absent", "hidden", "none",
))  # fmt: skip
"""Whole replies that speak of something that is to be seen."""
_UNSURE = pattern(
    r"\W*(?:i'?m )?(?:unsure|maybe|uncertain|perhaps|possibly|partially|partly|sometimes|both|unclear"
    r"|unknown|not sure|not certain|somewhat|probably)\W*"
)
_IDIOM = pattern(
    rf"\b(?:(?:{_YES}) ?(?:or|/|and) ?(?:{_NO})|(?:{_NO}) ?(?:or|/|and) ?(?:{_YES})"
    r"|no (?:doubt|question|problem|idea|longer|one|more|less|matter|mistake|hesitation|need|reason|way to)"
    r"|(?:question|example|item) no\b)\b|\bno\. ?\d"
)
_LEAD = pattern(rf"\W*(?:(?:well|ok|okay|sure|so|hmm+),? )?({_YES}|{_NO}|true|false|y|n)\b(?!'\w)")
_WORDS = pattern(rf"\b(?:(not |n't |cannot say )?({_YES})|({_NO}))\b(?!')")
_BOTH = pattern(rf"\W*(?:{_YES}|{_NO})(?:\W+(?:{_YES}|{_NO}))+\W*")
"""A whole reply of nothing but yes and no: "yes, no"."""
_SEEN = (
    r"(?:visible|shown|showing|present|seen|evident|apparent|active|activated|detected|observed|exposed"
    r"|displayed|noticeable)"
)
_STATES = pattern(
    rf"\b(?:(?:is|are|was|were|be|can be|appears?|seems?)( not|n't)?(?: (?!not\b|no\b)\w{{1,14}}){{0,3}}? {_SEEN}"
    rf"|(?:is|are)n't(?: \w{{1,14}}){{0,2}}? {_SEEN}|cannot be {_SEEN}|can't be {_SEEN}"
    rf"|not {_SEEN}|absent|hidden|covered|invisible)\b"
)


def quick_yes_no(raw: str, *, seen: bool = True) -> Answer | None:
    """The common case: one word and a mark."""
    core = raw.strip(" \t\r\n\"'`*.,!()[]")
    value = _EXACT.get(core.lower())
    if value is None or (not seen and core.lower() in _SEEN_WORDS):
        return None
    start = raw.find(core)
    return answered(value, "exact/yes-no", (start, start + len(core)))


def read_yes_no(  # noqa: PLR0911
    reply: NormalizedReply, *, keys: re.Pattern[str] | None = None, seen: bool = True
) -> Answer:
    """Read "yes" or "no". Never raises; linear in the reply's length.

    `seen`: what is said to be visible or hidden answers the question.
    """
    quiet = wordless(reply)
    if quiet is not None:
        return quiet
    core = " ".join(reply.text.strip(" \n.,!'()[]<>{}").split()) if len(reply.text) < 80 else ""
    if core in _EXACT and (seen or core not in _SEEN_WORDS):
        start = len(reply.text) - len(reply.text.lstrip())
        return answered(_EXACT[core], "exact/yes-no", reply.span(start, len(reply.text.rstrip())))
    other = _in_other_words(reply)
    if other is not None:
        return other
    if len(reply.text) < 80 and _UNSURE.fullmatch(reply.text):
        return lacking(Outcome.OFF_LIST, "exact/off-list")
    text = _IDIOM.sub(blanks, reply.text)
    if len(text) < 80 and _BOTH.fullmatch(text):
        said = {match[2] is not None for match in _WORDS.finditer(text)}
        if len(said) > 1:
            return lacking(Outcome.AMBIGUOUS, "lead/ambiguous")
    anchored = _anchored(reply, text, keys)
    if anchored is not None:
        return anchored
    lead = _LEAD.match(text)
    if lead:
        at = lead.start(1)
        for decline in find_declines(text[:200], reply.speech):
            if decline.start <= at < decline.end:
                return lacking(Outcome.REFUSED, decline.rule)
        value = _EXACT.get(lead.group(1), "yes")
        return answered(value, "lead/yes-no", reply.span(lead.start(1), lead.end(1)))
    if reply.truncated:
        return nothing(reply, "none")
    return _anywhere(reply, text, seen=seen)


def _in_other_words(reply: NormalizedReply) -> Answer | None:
    """The whole reply, or its first word, is yes or no in another language that is read."""
    start = len(reply.text) - len(reply.text.lstrip(" \n.,;:!-"))
    found = _word_at(reply, start, joined=True)
    if found is None:
        return None
    value, end = found
    for decline in find_declines(reply.text, reply.speech):
        if decline.start <= start < decline.end:  # "no lo sé", "不确定"
            return lacking(Outcome.REFUSED, decline.rule)
    return answered(value, "lead/yes-no", reply.span(start, end))


def _behind_anchor(reply: NormalizedReply, begin: int) -> Answer | None:
    """Yes or no in another language that is read, behind an anchor of it."""
    at = begin
    while reply.text[at : at + 1] and reply.text[at] in " \n\"'(*:":
        at += 1
    found = _word_at(reply, at, joined=False)
    if found is None:
        return None
    value, end = found
    return answered(value, "final-anchor/yes-no", reply.span(at, end))


def _word_at(reply: NormalizedReply, at: int, *, joined: bool) -> tuple[str, int] | None:
    """The value and the end of a word for yes or no that stands at a place, in another language than English.

    `joined`: in a script without spaces, other words may follow at once.
    """
    for known in reply.speech.lexicons[1:]:
        for value, words in (("yes", known.yes), ("no", known.no)):
            for word in sorted(words, key=len, reverse=True):
                end = at + len(word)
                free = not reply.text[end : end + 1].isalnum() or (joined and unspaced(word[0]))
                if free and reply.text.startswith(word, at):
                    return value, end
    return None


def _anchored(reply: NormalizedReply, text: str, keys: re.Pattern[str] | None) -> Answer | None:
    for anchor in reversed(own_anchors(text, keys, reply.speech)[-16:]):
        begin = anchor.end
        found = _LEAD.match(text, begin, begin + 60)
        if found:
            value = _EXACT.get(found.group(1), "yes")
            rule = f"{anchor.level}/yes-no"
            return answered(value, rule, reply.span(found.start(1), found.end(1)))
        other = _behind_anchor(reply, begin)
        if other is not None:
            return other
        rest = text[begin : begin + 60].strip().split("\n", 1)[0]
        if rest.strip(" .!") in _EXACT:
            return answered(_EXACT[rest.strip(" .!")], f"{anchor.level}/yes-no")
        if _UNSURE.fullmatch(rest):
            return lacking(Outcome.OFF_LIST, f"{anchor.level}/off-list")
    return None


def _anywhere(reply: NormalizedReply, text: str, *, seen: bool) -> Answer:
    declined = ruling(find_declines(reply.text, reply.speech))
    told = language_of(text, words_of(text[:2000]), reply.speech.languages)
    if told is not None and told not in reply.speech.languages:
        return nothing(reply, f"language/{told}")
    said: dict[str, tuple[int, int]] = {}
    for match in _WORDS.finditer(text):
        if match.group(1):
            continue
        said.setdefault("yes" if match.group(2) else "no", match.span())
    rule = "mention"
    if not said:
        rule = "statement"
        for match in _STATES.finditer(text) if seen else ():
            found = match.group()
            denied = "not" in found or "n't" in found
            gone = any(word in found for word in ("absent", "hidden", "covered", "invisible"))
            said.setdefault("no" if denied != gone else "yes", match.span())
    if declined and (rule == "statement" or len(said) != 1):
        return lacking(Outcome.REFUSED, declined)
    if len(said) > 1:
        return lacking(Outcome.AMBIGUOUS, f"{rule}/ambiguous")
    for value, span in said.items():
        return answered(value, f"{rule}/yes-no", reply.span(*span))
    if re.search(r"\b(?:maybe|unsure|perhaps|partially|partly)\b", text):
        return lacking(Outcome.OFF_LIST, "mention/off-list")
    return nothing(reply, "none")
