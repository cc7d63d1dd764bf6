"""Where a reply names a label, and whether it says so, denies it, or says it in passing.

Denial is decided by looking back from a mention, at most `_REACH` words, to the nearest negator
that no clause boundary shuts off. Lists carry denial on ("no anger, fear or disgust"); a contrast
ends it ("not happy but sad").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from harness.answers.lexicon import FACE_PARTS
from harness.answers.pattern import pattern
from harness.answers.table import NULL, LabelTable

Status: TypeAlias = Literal["said", "denied", "aside"]

_TOKEN = pattern(r"\d+(?:\.\d+)?(?![^\W_])|[^\W_]+(?:'[^\W_]+)*|\n|[^\w\s]")
_HYPHEN = pattern(r"(?<=[^\W_])-(?=[^\W_])")
_REACH = 12
_ITEMS = 16

BREAKS = frozenset(".!?;\n")
_STOPS = frozenset((
    "but", "yet", "however", "though", "although", "whereas", "while", "because", "since",
    "instead", "rather", "just", "still", "nevertheless", "nonetheless", "so", "therefore",
    "thus", "then", "whether", ":", "(", ")",
))  # fmt: skip
_NEGATORS = frozenset((
    "not", "no", "never", "without", "neither", "nor", "cannot", "cant", "lacks", "lacking",
    "unlike", "hardly", "scarcely", "barely", "excluding", "excludes", "excluded", "except",
    "denies", "non", "isnt", "arent", "wasnt", "doesnt", "dont", "didnt", "wont", "wouldnt",
    "shouldnt", "couldnt", "unlikely", "nothing", "nobody", "fails", "un", "minus",
))  # fmt: skip
_LISTING = frozenset((
    "no", "without", "neither", "nor", "lacks", "lacking", "except", "excluding", "non",
))  # fmt: skip
_AFTER = {  # second word of a negator of two words -> its first words
    "of": frozenset(["instead", "lack", "absence", "free", "devoid", "short"]),
    "to": frozenset(("opposed",)),
    "from": frozenset(("far",)),
    "out": frozenset(["rule", "ruled", "rules", "ruling"]),
    "but": frozenset(("anything",)),
}
_ONLY = frozenset(["only", "just", "merely", "simply", "solely", "necessarily"])
_POSITIVE = frozenset(["doubt", "question", "mistaking", "mistake", "hesitation"])
_FILL = frozenset((
    "a", "an", "the", "any", "some", "even", "much", "very", "overly", "or", "nor", "and",
    "either", "neither", "of", "really", "particularly", "sign", "signs", "evidence", "hint",
    "trace", "traces", "indication", "indications", "clear", "overt", "visible", "obvious",
    "strong", "feeling", "feelings", "slight",
))  # fmt: skip
_JOINS = _FILL | {",", "/", "&"}
_ASIDE = {
    "of": frozenset(
        [
            "hint",
            "touch",
            "trace",
            "tinge",
            "undertone",
            "undertones",
            "element",
            "elements",
            "dash",
            "bit",
        ]
    ),
    "to": frozenset(["similar", "compared", "akin", "close"]),
    "with": frozenset(["confused", "compared", "contrasted", "overlap", "overlaps"]),
    "for": frozenset(["mistaken"]),
    "from": frozenset(
        ["distinct", "different", "differs", "differ", "distinguished", "distinguish", "apart"]
    ),
    "than": frozenset(),
}
_ASIDE_ALONE = frozenset(
    ["resembles", "resemble", "resembling", "secondary", "underlying", "second"]
)
_AUX = frozenset((
    "is", "are", "was", "were", "seems", "appears", "can", "does", "do", "did", "would",
    "could", "should", "has", "will",
))  # fmt: skip
_DENIALS = frozenset((
    "not", "never", "absent", "excluded", "unlikely", "missing", "lacking", "ruled", "cannot",
    "incorrect", "wrong",
))  # fmt: skip
_FALSE = frozenset(["no", "false", "absent", "0", "0.0", "none"])


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a mark."""

    word: str
    start: int
    end: int


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


def tokens_of(text: str) -> list[Token]:
    """Words, marks and line ends; hyphens inside words part them."""
    joined = _HYPHEN.sub(" ", text)
    return [Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(joined)]


def find_mentions(tokens: Sequence[Token], table: LabelTable) -> list[Mention]:
    """All mentions in order, longest phrase first, each with its status."""
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
    by_last = {m.last: m for m in kept}
    by_first = {m.first: m for m in kept}
    return [replace(m, status=_status(m, tokens, by_last, by_first)) for m in kept]


def _describes_part(mention: Mention, tokens: Sequence[Token], table: LabelTable) -> bool:
    """ "neutral eyebrows" and "no emotion is visible" name no emotion."""
    following = tokens[mention.last + 1 : mention.last + 2]
    if not table.affect or not following:
        return False
    first = tokens[mention.first].word
    if first == "no":  # "no emotion can be seen" judges the picture, "no emotion." the face
        return following[0].word[0].isalnum()
    return first.startswith("neutral") and following[0].word in FACE_PARTS


def _status(
    mention: Mention,
    tokens: Sequence[Token],
    by_last: dict[int, Mention],
    by_first: dict[int, Mention],
) -> Status:
    if _denied_before(mention, tokens, by_last, by_first) or _denied_after(mention, tokens):
        return "denied"
    if _in_question(mention, tokens) or _in_passing(mention, tokens):
        return "aside"
    return "said"


def _denied_before(  # noqa: PLR0911
    mention: Mention,
    tokens: Sequence[Token],
    by_last: dict[int, Mention],
    by_first: dict[int, Mention],
) -> bool:
    head = mention.first
    index, steps, commas, items = head - 1, 0, 0, 0
    while index >= 0 and steps - commas < _REACH and items < _ITEMS:
        if index in by_last:  # another item of the same list, or another clause
            between = {t.word for t in tokens[index + 1 : head]}
            if not between <= _JOINS and not between & {"or", "nor"}:
                return False
            head = by_last[index].first
            index = head - 1
            items += 1
            continue
        word = tokens[index].word
        before = tokens[index - 1].word if index else ""
        after = tokens[index + 1].word
        if word in _AFTER and before in _AFTER[word]:
            return True
        if word == "than":
            return _than_denies(tokens, index)
        if word in BREAKS or (word in _STOPS and (word, after) != ("so", "much")):
            return False
        if word in (",", "and", "&", "/"):
            if any(t.word not in _FILL for t in tokens[index + 1 : head]):
                return False
            commas += word == ","
        elif word in _NEGATORS or word.endswith("n't"):
            if after == "," or after in _ONLY or after in _POSITIVE or before == "so":
                return False
            if any(t.word in _POSITIVE for t in tokens[index + 1 : index + 4]):
                return False
            if word == "not" and [t.word for t in tokens[index + 1 : index + 3]] == ["so", "much"]:
                return all(t.word != "as" for t in tokens[index + 3 : mention.first])
            return not commas or word in _LISTING or _list_has_or(mention, tokens, by_first, index)
        index -= 1
        steps += 1
    return False


def _than_denies(tokens: Sequence[Token], index: int) -> bool:
    before = [t.word for t in tokens[max(0, index - 6) : index]]
    if "less" in before:
        return False
    return bool(before) and (before[-1] in ("rather", "other") or "more" in before)


def _list_has_or(
    mention: Mention, tokens: Sequence[Token], by_first: dict[int, Mention], negator: int
) -> bool:
    """Whether the list around a mention is joined by or / nor: "not happy, sad or angry"."""
    if any(t.word in ("or", "nor") for t in tokens[negator : mention.first]):
        return True
    index = mention.last + 1
    while index < len(tokens) and index - mention.last < 3 * _REACH:
        word = tokens[index].word
        if word in ("or", "nor"):
            return True
        if index in by_first:
            index = by_first[index].last + 1
        elif word == "," or word in _FILL:
            index += 1
        else:
            return False
    return False


def _denied_after(mention: Mention, tokens: Sequence[Token]) -> bool:
    """ "anger is absent", "sad: no"."""
    words = [t.word for t in tokens[mention.last + 1 : mention.last + 5]]
    if not words:
        return False
    if words[0] in (":", "=", "-", "?") and len(words) > 1 and words[1] in _FALSE:
        return len(words) == 2 or words[2] in BREAKS or words[2] in (",", ")")
    if words[0].endswith("n't") or words[0] == "cannot":
        return True
    if words[0] in _AUX:
        return any(w in _DENIALS for w in words[1:3]) and "only" not in words
    return False


def _in_question(mention: Mention, tokens: Sequence[Token]) -> bool:
    """A question mark closes its sentence, and words stand around it."""
    for index in range(mention.last + 1, min(mention.last + 24, len(tokens))):
        word = tokens[index].word
        if word == "?":
            return True
        if word in BREAKS:
            return False
    return False


def _in_passing(mention: Mention, tokens: Sequence[Token]) -> bool:
    """ "a hint of sadness", "similar to fear", "the secondary emotion is surprise"."""
    for index in range(mention.first - 1, max(-1, mention.first - 8), -1):
        word = tokens[index].word
        if word in BREAKS or word == ",":
            return False
        if word in _ASIDE_ALONE:
            return True
        before = tokens[index - 1].word if index else ""
        if mention.first - index <= 3 and word in _ASIDE and before in _ASIDE[word]:
            return True
    return False
