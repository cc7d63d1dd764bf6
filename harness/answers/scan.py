"""One pass over a reply, with the positions that matter for labels."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.answers.mentions import Mention
from harness.answers.normal import NormalizedReply
from harness.answers.refusals import Decline, governs
from harness.answers.table import OFF, LabelTable
from harness.answers.tokens import Token
from harness.answers.words import BREAKS

_VERBS = frozenset((
    "is", "are", "looks", "look", "appears", "appear", "seems", "seem", "shows", "show",
    "expresses", "expressing", "displays", "displaying", "conveys", "suggests", "indicates",
    "feels", "reads", "am", "consistent",
))  # fmt: skip
_SMALL = frozenset((
    "a", "an", "the", "very", "slightly", "mildly", "quite", "it", "is", "this", "looks",
    "probably", "likely", "mostly",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scan:
    """What the reply holds, found once."""

    reply: NormalizedReply
    table: LabelTable
    tokens: Sequence[Token]
    mentions: Sequence[Mention]
    declines: Sequence[Decline]

    def free(self, mention: Mention) -> bool:
        """Said or said in passing, and not only while declining."""
        if mention.status in ("denied", "supposed") or (mention.sample and self.declines):
            return False
        return not any(governs(d, mention.start, self.reply.text) for d in self.declines[:8])


def sentence_after(scan: Scan, start: int) -> tuple[int, int]:
    """Token indices [first, end) of the rest of the sentence behind a position; when that is blank,
    of the next line or sentence that is not."""
    tokens = scan.tokens
    low, high = 0, len(tokens)
    while low < high:
        middle = (low + high) // 2
        if tokens[middle].start < start:
            low = middle + 1
        else:
            high = middle
    first = low
    while first < len(tokens) and not tokens[first].word[0].isalnum():
        first += 1
    end = first
    while (
        end < len(tokens)
        and tokens[end].word not in BREAKS
        and not tokens[end].word.startswith("<")
    ):
        end += 1
    return first, end


def within(scan: Scan, first: int, end: int) -> list[Mention]:
    return [m for m in scan.mentions if first <= m.first and m.last < end]


def lone_lines(scan: Scan) -> list[Mention]:
    """Mentions that are a whole line, or the whole first sentence. Lines that enumerate different
    labels one after the other are no answers."""
    lone: list[Mention] = []
    for mention in scan.mentions:
        if mention.status in ("denied", "supposed") or mention.label == OFF:
            continue
        alone = _edge(scan, mention.first - 1, -1) and _edge(scan, mention.last + 1, 1)
        if alone and not _listed_on(scan, mention):
            lone.append(mention)
    labels = {m.label for m in lone}
    if len(labels) > 1:
        apart = [
            any(len(t.word) > 2 and t.word.isalpha() for t in scan.tokens[a.last + 1 : b.first])
            for a, b in pairwise(lone)
        ]
        if not apart[-1] or all(_numbered(scan, m) for m in lone):
            return []
    return lone


def _listed_on(scan: Scan, mention: Mention) -> bool:
    """The first item of a list with a remark on each: "anger (2/5), disgust (4/5)", "anger - low, fear - high"."""
    tokens = scan.tokens
    mark = [t.word for t in tokens[mention.last + 1 : mention.last + 2]]
    if mark not in (["("], ["-"]):
        return False
    at = bisect_right(scan.mentions, mention.last, key=lambda m: m.first)
    following = scan.mentions[at] if at < len(scan.mentions) else None
    if following is None or following.label == mention.label:
        return False
    between = [t.word for t in tokens[mention.last + 2 : following.first]]
    return (
        len(between) < 12
        and between[-1:] in ([","], [";"], ["/"])
        and [t.word for t in tokens[following.last + 1 : following.last + 2]] == mark
    )


def _numbered(scan: Scan, mention: Mention) -> bool:
    """An item of a list with numbers: "2. Surprise"."""
    before = [t.word for t in scan.tokens[max(0, mention.first - 2) : mention.first]]
    return bool(before) and before[0].isdigit()


def _edge(scan: Scan, index: int, step: int) -> bool:  # noqa: PLR0911
    """Only marks, list numbers and small words stand between here and the end of the line; going
    forward, the end of the reply's first sentence will do too."""
    tokens = scan.tokens
    while 0 <= index < len(tokens):
        word = tokens[index].word
        if word == "\n":
            return True
        if (
            step > 0
            and word in "-="
            and tokens[index + 1 : index + 2]
            and tokens[index + 1].word == ">"
        ):
            return False
        if word == "." and _begins_number(tokens, index):
            return False
        if step > 0 and word in (".", "!", "(", ";", "-") and _first_line_lead(scan, index):
            return True
        if word[0].isalnum() and not (step < 0 and (word.isdigit() or word in _SMALL)):
            return False
        if word == "?":
            return False
        index += step
    return True


def _begins_number(tokens: Sequence[Token], index: int) -> bool:
    """The mark of ".2"."""
    following = tokens[index + 1 : index + 2]
    return (
        bool(following) and following[0].word.isdigit() and following[0].start == tokens[index].end
    )


def _first_line_lead(scan: Scan, index: int) -> bool:
    return all(t.word != "\n" for t in scan.tokens[: min(index, 8)]) and index <= 8


def without_echo(scan: Scan, said: Sequence[Mention]) -> Sequence[Mention]:
    """Leave out a sentence that lists all the options, when another names a label."""
    wanted = set(scan.table.labels)
    if len(wanted) < 3 or len({m.label for m in said}) < 3:
        return said
    groups: list[list[Mention]] = []
    for mention in said:
        last = groups[-1][-1] if groups else None
        marks = {t.word for t in scan.tokens[last.last + 1 : mention.first]} if last else set(".")
        if marks & (BREAKS | {"("}) and not (last and _enumerated(scan, last, mention)):
            groups.append([mention])
        else:
            groups[-1].append(mention)
    rest = [m for group in groups if not wanted <= {m.label for m in group} for m in group]
    return rest or said


def _enumerated(scan: Scan, left: Mention, right: Mention) -> bool:
    """Two items of a list with one item a line."""
    between = scan.tokens[left.last + 1 : right.first]
    return all(not t.word.isalpha() for t in between) and any(t.word == "\n" for t in between)


def in_last_sentence(scan: Scan, said: Sequence[Mention]) -> Sequence[Mention]:
    end = len(scan.tokens)
    while end and not scan.tokens[end - 1].word[0].isalnum():
        end -= 1
    first = end
    while first and scan.tokens[first - 1].word not in BREAKS:
        first -= 1
    verdict = any(t.word in _VERBS for t in scan.tokens[first:end])
    return [m for m in said if first <= m.first and m.last < end] if verdict else []
