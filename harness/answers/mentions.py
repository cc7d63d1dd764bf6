"""Find mentions of labels in a reply: claimed, negated, hypothetical or in passing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from harness.answers.denial import denied_after, denied_before
from harness.answers.supposed import Clauses
from harness.answers.table import NULL, LabelTable
from harness.answers.tokens import Token
from harness.answers.words import BREAKS, JOINS

Status: TypeAlias = Literal["said", "denied", "supposed", "aside"]
"""`supposed`: asked, or said to hold if something else did. `aside`: named beside the answer, which
counts where nothing else is said."""

_ASIDE = {
    "of": frozenset((
        "hint", "hints", "touch", "trace", "traces", "tinge", "undertone", "undertones", "element",
        "elements", "dash", "bit", "shade", "note", "notes", "flicker", "underlay", "reminiscent",
    )),
    "to": frozenset(("similar", "compared", "akin", "close")),
    "with": frozenset(("confused", "compared", "contrasted", "overlap", "overlaps", "tinged")),
    "for": frozenset(("mistaken",)),
    "from": frozenset(
        ("distinct", "different", "differs", "differ", "distinguished", "distinguish", "apart")
    ),
    "on": frozenset(("bordering", "verging", "borders", "verges")),
    "by": frozenset(("tinged", "accompanied", "followed", "tempered")),
}  # fmt: skip
_ASIDE_ALONE = frozenset((
    "resembles", "resemble", "resembling", "secondary", "underlying", "second", "secondarily",
    "lesser", "secondly",
))  # fmt: skip
_WEAK = frozenset((
    "some", "slight", "slightly", "mild", "mildly", "faint", "faintly", "subtle", "minor", "little",
    "residual", "fleeting",
))  # fmt: skip
_SAMPLES = (("such", "as"), ("for", "example"), ("for", "instance"), ("e", "g"))
_GROUPS = frozenset((
    "emotions", "feelings", "expressions", "labels", "states", "categories", "terms", "words",
    "moods", "emotion", "feeling", "label", "state",
))  # fmt: skip
_PLURAL = frozenset(("are", "were", "aren't", "weren't", "seem", "appear"))
_TURNS = frozenset(("though", "although", "however"))
_EARLIER = frozenset(("initially", "originally", "earlier", "previously"))
_EARLIER_PAIRS = frozenset((
    ("at", "first"), ("first", "thought"), ("first", "looked"), ("first", "glance"),
    ("first", "guess"), ("first", "impression"), ("i", "thought"), ("i", "said"),
    ("initial", "guess"), ("initial", "impression"), ("first", "sight"), ("(", "was"), ("going", "to"),
    ("tempted", "to"), ("about", "to"), ("answer", "was"),
))  # fmt: skip


_MAYBE_TOO = frozenset(
    (how, also)
    for how in ("maybe", "perhaps", "possibly")
    for also in ("also", "even", "some", "too", "with")
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A label, or an affect word outside the set (`label` is `OFF`), in a reply."""

    label: str
    first: int
    """Index of its first token."""
    last: int
    """Index of its last token."""
    start: int
    """Position in the plain text."""
    end: int
    status: Status = "said"
    sample: bool = False
    """Named as an example of its kind ("emotions such as fear")."""


def find_mentions(
    tokens: Sequence[Token], table: LabelTable, *, follows: bool = False
) -> list[Mention]:
    """All mentions in order, longest phrase first, each with its status. `follows`: a denial may
    stand at the end of the clause."""
    raw: list[Mention] = []
    index, count = 0, len(tokens)
    while index < count:
        step = 1
        for words, label in table.phrases.get(tokens[index].word, ()):
            size = len(words)
            if size == 1 or tuple(t.word for t in tokens[index : index + size]) == words:
                last = index + size - 1
                raw.append(Mention(label, index, last, tokens[index].start, tokens[last].end))
                step = size
                break
        index += step
    kept = [m for m in raw if m.label != NULL and not _describes_part(m, tokens, table)]
    return _with_status(kept, tokens, follows)


def _describes_part(mention: Mention, tokens: Sequence[Token], table: LabelTable) -> bool:
    """ "neutral eyebrows" and "no emotion is visible" name no emotion."""
    following = tokens[mention.last + 1 : mention.last + 2]
    if not table.affect or not following:
        return False
    first = tokens[mention.first].word
    if first == "no":  # "no emotion can be seen" judges the picture, "no emotion." the face
        return following[0].word[0].isalnum()
    return first.startswith("neutral") and following[0].word in table.parts


def _with_status(kept: Sequence[Mention], tokens: Sequence[Token], follows: bool) -> list[Mention]:
    spans = {m.last: m.first for m in kept}
    starts = {m.first: m.last for m in kept}
    clauses = Clauses(tokens)
    found: list[Mention] = []
    for mention in kept:
        status: Status = "said"
        span = (mention.first, mention.last)
        if denied_before(span, tokens, spans, starts) or denied_after(
            span, tokens, starts, follows
        ):
            status = "denied"
        else:
            verdict = clauses.verdict(span)
            if verdict is not None:
                status = verdict
            elif (
                _in_passing(mention, tokens)
                or _at_first(mention, tokens)
                or _goes_on(mention, tokens, found)
            ):
                status = "aside"
        found.append(replace(mention, status=status, sample=_is_sample(mention, tokens, found)))
    return _denied_together(found, tokens, follows)


def _denied_together(found: list[Mention], tokens: Sequence[Token], follows: bool) -> list[Mention]:
    """ "joy and fear are absent", "喜びも悲しみもない": what denies the last denies all that are joined."""
    for at in range(len(found) - 2, -1, -1):
        left, right = found[at], found[at + 1]
        if right.status != "denied" or left.status == "denied":
            continue
        between = [t.word for t in tokens[left.last + 1 : right.first]]
        after = tokens[right.last + 1].word if right.last + 1 < len(tokens) else ""
        listed = at + 2 < len(found) and found[at + 2].status == "denied"
        if between in (["and"], ["or"]) or (between in ([","], [",", "and"]) and listed):
            joined = follows or after in _PLURAL or listed
        else:
            joined = follows and not between
        if joined:
            found[at] = replace(left, status="denied")
    return found


def _in_passing(mention: Mention, tokens: Sequence[Token]) -> bool:  # noqa: PLR0911
    """ "a hint of sadness", "similar to fear", "the secondary emotion is surprise"."""
    for index in range(mention.first - 1, max(-1, mention.first - 12), -1):
        word, distance = tokens[index].word, mention.first - index
        before = tokens[index - 1].word if index else ""
        if word in BREAKS or word in _TURNS:
            return False
        if word in _EARLIER or (before, word) in _EARLIER_PAIRS:
            return True
        if distance > 7 or word in (",", "but", "yet"):
            if word in ("but", "yet"):
                return False
            continue
        if any(t.word == "," for t in tokens[index : mention.first]):
            continue
        if word in _ASIDE_ALONE or (word in ("likely", "probable") and before == "less"):
            return True
        if distance <= 3 and word in _ASIDE and before in _ASIDE[word]:
            return True
        if distance <= 2 and (before, word) in _MAYBE_TOO:
            return True
        if distance <= 2 and word == "between":
            return True
        if distance <= 2 and word == "then" and index > 2:
            return True
        if distance <= 2 and word in _WEAK and (word != "little" or before == "a"):
            return True
    return False


def _at_first(mention: Mention, tokens: Sequence[Token]) -> bool:
    """ "it looks like anger at first glance", "fear initially"."""
    words = [t.word for t in tokens[mention.last + 1 : mention.last + 4]]
    return words[:2] == ["at", "first"] or words[:1] == ["initially"]


def _goes_on(mention: Mention, tokens: Sequence[Token], found: Sequence[Mention]) -> bool:
    """Another item of a list that began in passing: "a hint of fear or sadness"."""
    if not found or found[-1].status != "aside":
        return False
    between = [t.word for t in tokens[found[-1].last + 1 : mention.first]]
    return bool(between) and between != [","] and all(word in JOINS for word in between)


def _is_sample(mention: Mention, tokens: Sequence[Token], found: Sequence[Mention]) -> bool:
    if found and found[-1].sample:
        between = [t.word for t in tokens[found[-1].last + 1 : mention.first]]
        if len(between) < 5 and all(word in JOINS for word in between):
            return True
    words = [t.word for t in tokens[max(0, mention.first - 6) : mention.first]]
    pairs = list(itertools.pairwise(words))
    if any(pair in _SAMPLES for pair in pairs):
        return True
    return any(
        word in ("like", "including", "(") and index and words[index - 1] in _GROUPS
        for index, word in enumerate(words)
    )
