"""Read one label from a reply.

In this order; the first that decides ends it:

1. nothing visible: empty, or a reasoning block never closed (truncated, else unparsed);
2. `exact`: the whole reply is one label, whatever its case, quotes, marks and emoji;
3. `letter`: an option letter in answer position, only where the prompt offered letters;
4. `final-anchor`: behind the last "Answer:", "\\boxed{", "<answer>", "I would choose" that holds a
   label; two labels there are ambiguous ("Answer: fear or surprise"), a denied one is unparsed, a
   doubt is an abstention;
5. `statement` ("the expression is ...", "Emotion: ...") and `line` (a line or first sentence that
   is nothing but a label): the last one that holds a label;
6. `bold`: all stretches in bold that are nothing but a label agree;
7. `mention`: the labels named anywhere and neither denied nor only supposed. One: answered.
   Several: ambiguous, unless scores, ranks or words say which is meant (`settling`). Labels named
   only while declining do not count, labels named in passing ("a hint of fear") count when there
   are no others, and a sentence that lists every option is no mention;
8. refused; off-list (an affect word outside the set); truncated; unparsed.

With form `final`, step 7 reads the last sentence only. When the reply was cut off, step 7 decides
nothing. No step sees the rest of a reply that an earlier step has decided. Steps 4 to 7 see only what
stands behind the last correction ("no, scratch that, anger"). In a reply in a language that is not
read only steps 1 to 4 and whole lines decide; it is `language/CODE` otherwise.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from harness.answers.anchors import Anchor, bold_parts, find_anchors
from harness.answers.corrections import last_word
from harness.answers.languages import language_of
from harness.answers.letters import read_letter
from harness.answers.mentions import Mention, find_mentions
from harness.answers.normal import NormalizedReply
from harness.answers.pattern import pattern
from harness.answers.refusals import Decline, find_declines, ruling
from harness.answers.scan import (
    Scan,
    in_last_sentence,
    lone_lines,
    sentence_after,
    within,
    without_echo,
)
from harness.answers.settling import settled
from harness.answers.speech import english
from harness.answers.table import OFF, LabelTable
from harness.answers.tokens import Token, in_english, tokens_of
from harness.answers.verdict import Form, answered, lacking, wordless
from harness.core.answer import Answer
from harness.core.outcome import Outcome

_TRIM = " \t\r\n\v\f\"'`*_.,:;!?()[]{}<>#~|"
_OTHER = pattern(
    r"\W*(?:(?:final )?answer[\s:]+)?(?:none(?: of (?:the (?:above|options|given options)|these|them))?"
    r"|others?|something else|mixed)\W*"
)
_EXPLAINS = frozenset((
    "because", "since", "due", "given", "which", "while", "whereas", "although", "though",
    "despite", "considering",
))  # fmt: skip
_NONE_SEEN = pattern(
    r"\W*(?:any|even|an? (?:trace|hint|sign|bit)|signs?|traces?|evidence|the slightest|much)\b[\w ]*\W*"
)
_SEEING = ("see", "detect", "find", "discern", "make out", "detected", "discerned")
_CLOSE = 48
_VOID = ("denied", "supposed")


def quick_label(raw: str, table: LabelTable) -> Answer | None:
    """The common case: the reply is a label and a little punctuation."""
    core = raw.strip(_TRIM)
    label = table.spellings.get(core.lower())
    if label is None:
        return None
    start = len(raw) - len(raw.lstrip(_TRIM))
    return _exact(core.lower(), label, (start, start + len(core)))


def read_label(
    reply: NormalizedReply,
    table: LabelTable,
    *,
    form: Form = "text",
    letters: bool = False,
    keys: re.Pattern[str] | None = None,
) -> Answer:
    """Read one label; see the module's text for the order of decision. Never raises."""
    quiet = wordless(reply)
    if quiet is not None:
        return quiet
    tokens = tokens_of(reply.text, table, reply.speech)
    words = [t for t in tokens if t.word[0].isalnum()]
    whole = _whole(reply, table, words)
    if whole is not None:
        return whole
    if letters:
        lettered = read_letter(reply, table)
        if lettered is not None:
            return lettered
    told = language_of(reply.text, (t.word for t in words), reply.speech.languages)
    foreign = told if told is not None and told not in reply.speech.languages else None
    scan = _scanned(reply, table, tokens, words, told)
    anchors = find_anchors(reply.text, keys, reply.speech)
    begin = last_word(reply.text, scan.mentions, reply.speech, scan.free)
    if begin:
        scan = replace(scan, mentions=[m for m in scan.mentions if m.start >= begin])
        anchors = [a for a in anchors if a.end >= begin]
    if foreign is not None:
        anchors = [a for a in anchors if a.level == "final-anchor"]
    for step in (_finals, _statements) if foreign is not None else (_finals, _statements, _bold):
        decided = step(scan, anchors)
        if decided is not None:
            return decided
    if foreign is not None:
        return nothing_read(reply, f"language/{foreign}")
    return _mentioned(scan, form)


def _scanned(
    reply: NormalizedReply,
    table: LabelTable,
    tokens: Sequence[Token],
    words: Sequence[Token],
    told: str | None,
) -> Scan:
    """What the reply holds, in the language it is in."""
    speech = english() if told == "en" else reply.speech
    tokens = in_english(tokens, table, speech)
    mentions = find_mentions(tokens, table, follows=speech.denial_follows)
    declines = () if table_word_only(mentions, words) else find_declines(reply.text, speech)
    covered = [(m.start, m.end) for m in mentions if m.label != OFF]
    declines = tuple(
        d
        for d in declines
        if not any(s <= d.start and d.end <= e for s, e in covered[:64])
        and not _sees_none(d, mentions, reply.text)
    )
    return Scan(reply, table, tokens, mentions, declines)


def _sees_none(decline: Decline, mentions: Sequence[Mention], text: str) -> bool:
    """ "I can't see any anger": what is not seen is a label, so nothing is declined."""
    at = bisect_left(mentions, decline.end, key=lambda m: m.start)
    if at == len(mentions) or mentions[at].start - decline.end > _CLOSE:
        return False
    if mentions[at].status != "denied":
        return False
    between = text[decline.end : mentions[at].start]
    if between.isspace():
        return text[decline.start : decline.end].endswith(_SEEING)
    return _NONE_SEEN.fullmatch(between) is not None


def table_word_only(mentions: Sequence[Mention], words: Sequence[Token]) -> bool:
    """The reply has no words besides one mention."""
    return len(mentions) == 1 and mentions[0].last - mentions[0].first + 1 == len(words)


def _exact(key: str, label: str, span: tuple[int, int]) -> Answer:
    return answered(label, "exact/label" if key == label.lower() else "exact/synonym", span)


def _whole(reply: NormalizedReply, table: LabelTable, words: Sequence[Token]) -> Answer | None:
    if not words or len(words) > 12:
        return None
    text = reply.text
    key = " ".join(t.word for t in words)
    label = table.spellings.get(key)
    if label is None and table.units:
        label = table.label(text.strip(_TRIM))
    if label is None or _cut_short(reply, key, table, label):
        return None
    return _exact(key, label, reply.span(words[0].start, words[-1].end))


def _cut_short(reply: NormalizedReply, key: str, table: LabelTable, label: str) -> bool:
    """Cut off where another label's spelling would have gone on."""
    return (
        reply.truncated
        and reply.text.rstrip().endswith(key[-1])
        and any(
            s.startswith(key) and s != key and other != label
            for s, other in table.spellings.items()
        )
    )


def _decide(
    scan: Scan, first: int, end: int, rule: str, inside: Sequence[Mention]
) -> Answer | None:
    """The verdict on one marked stretch of tokens; None where it names nothing."""
    free = [m for m in inside if scan.free(m)]
    said = [m for m in free if m.status == "said"] or free
    listed = [m for m in said if m.label != OFF]
    if listed:
        head = settled(scan.reply.text, scan.tokens, _head(scan, said))
        labels = {m.label for m in head}
        if len(labels - {OFF}) > 1 or (OFF in labels and _joined_by_or(scan, head)):
            return lacking(Outcome.AMBIGUOUS, f"{rule}/ambiguous")
        if labels == {OFF} and len(head) < len(said):
            return lacking(Outcome.OFF_LIST, f"{rule}/off-list", _span(scan, head[0]))
        chosen = next(m for m in head if m.label != OFF) if labels != {OFF} else listed[0]
        return answered(chosen.label, f"{rule}/label", _span(scan, chosen))
    if said:
        return lacking(Outcome.OFF_LIST, f"{rule}/off-list", _span(scan, said[0]))
    return None


def _span(scan: Scan, mention: Mention) -> tuple[int, int]:
    return scan.reply.span(mention.start, mention.end)


def _head(scan: Scan, said: Sequence[Mention]) -> Sequence[Mention]:
    """The mentions before an explanation begins ("surprise because ... unlike fear")."""
    for number in range(1, len(said)):
        between = scan.tokens[said[number - 1].last + 1 : said[number].first]
        if any(t.word in _EXPLAINS for t in between):
            return said[:number]
        if between and between[0].word == "(" and len(between) > 1 and between[1].word != "or":
            return said[:number]
    return said


def _joined_by_or(scan: Scan, said: Sequence[Mention]) -> bool:
    for left, right in pairwise(said):
        between = scan.tokens[left.last + 1 : right.first]
        if left.label != right.label and any(t.word in ("or", "/") for t in between):
            return True
    return False


def _finals(scan: Scan, anchors: Sequence[Anchor]) -> Answer | None:
    for anchor in reversed([a for a in anchors if a.level == "final-anchor"][-16:]):
        first, end = sentence_after(scan, anchor.end)
        inside = within(scan, first, end)
        short = _short(scan, first, end)
        if short is not None:
            return short
        decided = _decide(scan, first, end, "final-anchor", inside)
        if decided is not None:
            return decided
        if inside and all(m.status in _VOID for m in inside):
            return lacking(Outcome.UNPARSED, "final-anchor/denied")
        begin = scan.tokens[first].start if first < len(scan.tokens) else len(scan.reply.text)
        finish = scan.tokens[end - 1].end if end > first else begin
        declined = ruling(find_declines(scan.reply.text[begin:finish], scan.reply.speech))
        if declined:
            return lacking(Outcome.REFUSED, declined)
        if first >= len(scan.tokens) and scan.reply.truncated:
            return lacking(Outcome.TRUNCATED, "final-anchor/truncated")
    return None


def _short(scan: Scan, first: int, end: int) -> Answer | None:
    """A label of one character or digits right behind a final anchor."""
    tokens = scan.tokens
    if first >= end or tokens[first].word not in scan.table.short:
        return None
    if end - first > 1 and tokens[first + 1].word[0].isalnum():
        return None
    token = tokens[first]
    label = scan.table.spellings[token.word]
    return answered(label, "final-anchor/label", scan.reply.span(token.start, token.end))


def _statements(scan: Scan, anchors: Sequence[Anchor]) -> Answer | None:
    places: list[tuple[int, int, int, str]] = []
    for anchor in [a for a in anchors if a.level == "statement"][-32:]:
        first, end = sentence_after(scan, anchor.end)
        places.append((first, end, 0, "statement"))
    lines = lone_lines(scan)
    places += [(m.first, m.last + 1, 1, "line") for m in lines]
    for first, end, _, rule in sorted(places, reverse=True):
        decided = _decide(scan, first, end, rule, within(scan, first, end))
        if decided is not None:
            return decided
    return None


def _bold(scan: Scan, anchors: Sequence[Anchor]) -> Answer | None:
    del anchors
    found: dict[str, tuple[int, int]] = {}
    for start, end, text in bold_parts(scan.reply.raw):
        label = scan.table.label(text.strip(_TRIM))
        if label is None or label in found:
            continue
        inside = [m for m in scan.mentions if m.label == label and _overlaps(scan, m, start, end)]
        if any(scan.free(m) and m.status == "said" for m in inside):
            found[label] = (start, end)
    if len(found) != 1:
        return None
    ((label, span),) = found.items()
    return answered(label, "bold/label", span)


def _overlaps(scan: Scan, mention: Mention, start: int, end: int) -> bool:
    low, high = scan.reply.span(mention.start, mention.end)
    return start <= low and high <= end


def _mentioned(scan: Scan, form: Form) -> Answer:
    """The verdict on a reply without an anchor: what it names, else why nothing is read."""
    rule = "last-sentence" if form == "final" else "mention"
    said = _said(scan, form)
    listed = {m.label: m for m in said if m.label != OFF}
    if listed and not scan.reply.truncated:
        if len(listed) > 1 or (len(said) > 1 and _joined_by_or(scan, said)):
            return lacking(Outcome.AMBIGUOUS, f"{rule}/ambiguous")
        only = next(m for m in said if m.label != OFF)
        return answered(only.label, f"{rule}/label", _span(scan, only))
    declined = ruling(scan.declines)
    if declined and not listed:
        return lacking(Outcome.REFUSED, declined)
    if scan.reply.truncated:
        return lacking(Outcome.TRUNCATED, "truncated")
    if said:
        return lacking(Outcome.OFF_LIST, f"{rule}/off-list", _span(scan, said[0]))
    return _unnamed(scan, form)


def _said(scan: Scan, form: Form) -> Sequence[Mention]:
    """The mentions that count: neither denied nor supposed, no echo of the question, the settled ones where the
    reply settles."""
    pool = [m for m in scan.mentions if scan.free(m)]
    said = without_echo(scan, [m for m in pool if m.status == "said"] or pool)
    if form == "final":
        said = in_last_sentence(scan, said)
    return settled(scan.reply.text, scan.tokens, said)


def _unnamed(scan: Scan, form: Form) -> Answer:
    """The verdict on a reply that names nothing, or only what it denies or supposes."""
    words = " ".join(t.word for t in scan.tokens if t.word[0].isalnum())
    if words in scan.table.alone or _OTHER.fullmatch(scan.reply.text):
        return lacking(Outcome.OFF_LIST, "exact/off-list")
    found = {m.status for m in scan.mentions}
    if "denied" in found:
        return lacking(Outcome.UNPARSED, "denied")
    if form == "final" and found:
        return lacking(Outcome.UNPARSED, "final/no-anchor")
    return lacking(Outcome.UNPARSED, "supposed" if found else "none")


def nothing_read(reply: NormalizedReply, rule: str) -> Answer:
    """The verdict on a reply in a language that is not read."""
    if reply.truncated:
        return lacking(Outcome.TRUNCATED, "truncated")
    return lacking(Outcome.UNPARSED, rule)
