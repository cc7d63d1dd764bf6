"""Detect negation of mentioned labels.

Before a mention, at most `_REACH` words are looked at, back to the nearest negator that no clause
boundary shuts off. Lists carry denial on ("no anger, fear or disgust"); a contrast ends it ("not
happy but sad"); two negators that stand together cancel out ("not without joy"); an exception from
a denial is none ("no emotion except surprise").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.answers.tokens import Token
from harness.answers.words import AUX, BREAKS, FILL, JOINS, LISTING, NOT_BEFORE, STOPS, negates

_REACH = 12
_ITEMS = 16
_AFTER = {  # second word of a negator of two words -> its first words
    "of": frozenset((
        "instead", "lack", "absence", "free", "devoid", "short", "opposite", "reverse", "contrary",
        "inverse", "antithesis", "counterpart", "instances",
    )),
    "to": frozenset(("opposed", "contrary", "opposite")),
    "from": frozenset(("free", "far", "away", "removed", "remote")),
    "out": frozenset(("rule", "ruled", "rules", "ruling")),
    "but": frozenset(("anything", "everything", "all")),
    "against": frozenset(("speaks", "speak", "argue", "argues", "evidence")),
}  # fmt: skip
_ONLY = frozenset(("only", "just", "merely", "simply", "solely", "necessarily"))
_POSITIVE = frozenset((
    "doubt", "question", "mistaking", "mistake", "hesitation", "denying", "deny", "contain", "hide",
    "hiding", "conceal", "concealing", "suppress", "suppressing", "miss", "missing", "overlook",
    "ignore", "wonder", "hesitate", "hesitating", "help", "disguise", "mask", "fake", "only", "escape", "dispute",
))  # fmt: skip
_EXCEPT = frozenset(("except", "besides", "save", "excluding", "beyond"))
_DOUBTING = frozenset(("doubt", "doubts", "doubtful", "dubious", "disagree"))
_TWOFOLD = frozenset(("without", "not", "un", "never"))
_DENIALS = frozenset((
    "not", "never", "absent", "excluded", "unlikely", "missing", "lacking", "ruled", "cannot",
    "incorrect", "wrong", "nowhere", "no", "implausible", "improbable", "gone", "eliminated",
    "inconsistent", "hardly", "barely", "scarcely", "out", "nonexistent", "dismissed", "rejected",
    "discarded", "unsupported", "impossible", "lacks", "off", "inactive",
    "overstatement", "exaggeration", "stretch", "premature", "misleading", "mistake", "mistaken",
    "inaccurate", "overkill", "overstated",
))  # fmt: skip
_FALSE = frozenset((
    "no", "false", "absent", "0", "0.0", "none", "not", "nope", "never", "inactive", "0.00", "n",
    "missing", "excluded", "unlikely", "hardly",
))  # fmt: skip
_BARE = frozenset(("absent", "missing", "excluded", "nowhere", "inactive", "lacking", "unlikely"))
"""Words that deny what stands right before them."""

_IT = frozenset(("it", "this", "that", "he", "she", "they"))
_PRESENT = frozenset(("present", "active", "visible", "shown", "observed", "seen", "activated"))

Spans = Mapping[int, int]


def denied_before(
    span: tuple[int, int], tokens: Sequence[Token], firsts: Spans, lasts: Spans
) -> bool:
    """ "not happy", "free of fear", "I don't think it is sad". `firsts`: last token of each mention
    -> its first one; `lasts` the other way round."""
    head = span[0]
    index, steps, commas, items = head - 1, 0, 0, 0
    while index >= 0 and steps - commas < _REACH and items < _ITEMS:
        if index in firsts:  # another item of the same list, or another clause
            between = {t.word for t in tokens[index + 1 : head]}
            if not between <= JOINS and not between & {"or", "nor"}:
                return False
            head = firsts[index]
            index = head - 1
            items += 1
            continue
        word = tokens[index].word
        verdict = _verdict_at(tokens, index)
        if verdict is not None:
            return verdict
        if word == "," and tokens[index + 1].word == "that":  # "I don't think, that ..."
            index -= 1
            continue
        if word in (",", "and", "&", "/"):
            if any(t.word not in FILL for t in tokens[index + 1 : head]):
                return False
            commas += word == ","
        elif negates(word) or _doubts(tokens, index) or _little(tokens, index):
            return _denies(span, tokens, lasts, index, (commas, items))
        index -= 1
        steps += 1
    return False


def _verdict_at(tokens: Sequence[Token], index: int) -> bool | None:
    """Whether the word at `index` alone decides: True denies what follows, False ends the search, None decides
    nothing."""
    word = tokens[index].word
    before = tokens[index - 1].word if index else ""
    if _two_words(tokens, index, word, before):
        return not _negated(tokens, index - 1) or word == "to"
    if word == ":" and _heading_denies(tokens, index):
        return True
    if word == "than":
        if before == "other" and _negated(tokens, index - 1):
            return False
        if _than_denies(tokens, index):
            return True
    ends = word in BREAKS or (word in STOPS and not _so_much(tokens, index))
    return False if ends else None


def _two_words(tokens: Sequence[Token], index: int, word: str, before: str) -> bool:
    if word not in _AFTER:
        return False
    return before in _AFTER[word] or (
        word == "of" and index > 1 and tokens[index - 2].word == "opposite" and before == "the"
    )


def _heading_denies(tokens: Sequence[Token], colon: int) -> bool:
    """ "Inactive: AU4", "not present: AU4"."""
    before = [t.word for t in tokens[max(0, colon - 2) : colon]]
    return before[-1:] != [] and (
        before[-1] in _BARE or (before[0] == "not" and len(before) > 1 and before[1] in _PRESENT)
    )


def _doubts(tokens: Sequence[Token], index: int) -> bool:
    """ "I doubt that this is anger"; not "no doubt anger"."""
    if tokens[index].word not in _DOUBTING:
        return False
    return all(
        not negates(t.word) and t.word != "beyond" for t in tokens[max(0, index - 3) : index]
    )


def _little(tokens: Sequence[Token], index: int) -> bool:
    """ "little if any fear", "little to no fear", "little sign of fear"; not "a little"."""
    if tokens[index].word not in ("little", "few") or (index and tokens[index - 1].word == "a"):
        return False
    return tokens[index + 1].word in ("if", "to", "or", "sign", "signs", "evidence", "indication")


def _so_much(tokens: Sequence[Token], index: int) -> bool:
    return tokens[index].word == "so" and tokens[index + 1].word == "much"


def _denies(  # noqa: PLR0911
    span: tuple[int, int], tokens: Sequence[Token], lasts: Spans, index: int, list_: tuple[int, int]
) -> bool:
    """Whether the negator at `index` holds for the mention, `list_` commas and items behind it."""
    commas, items = list_
    word = tokens[index].word
    before = tokens[index - 1].word if index else ""
    following = [t.word for t in tokens[index + 1 : index + 7]]
    if following[0] == "," or following[0] in _ONLY or following[0] in _POSITIVE:
        return False
    if before == "so" and word not in ("neither", "no", "without"):
        return False
    inside = [t.word for t in tokens[index + 1 : span[0]]]
    if any(w in _POSITIVE for w in inside[:4]):
        return False
    if word in _EXCEPT and _negated(tokens, index):
        return False
    if word in _TWOFOLD and (negates(before) or before in ("hard", "difficult", "impossible")):
        return False
    if word == "nothing" and inside[:1] in (["but"], ["other"]):
        return False
    if word == "not" and following[:2] == ["so", "much"]:
        return all(t.word != "as" for t in tokens[index + 3 : span[0]])
    if not commas or (items and word in LISTING):
        return True
    return _list_has_or(span, tokens, lasts, index)


def _negated(tokens: Sequence[Token], index: int) -> bool:
    """Whether a negator stands before a place in the same sentence, a few words off."""
    for place in range(index - 1, max(-1, index - 12), -1):
        word = tokens[place].word
        if word in BREAKS:
            return False
        if negates(word) or word in ("absent", "inactive", "anything"):
            return word != "anything"
    return False


def _than_denies(tokens: Sequence[Token], index: int) -> bool:
    before = [t.word for t in tokens[max(0, index - 6) : index]]
    if "less" in before:
        return False
    if before and before[-1] == "other":
        return True
    return bool(before) and ("rather" in before or "more" in before or "closer" in before)


def _list_has_or(
    span: tuple[int, int], tokens: Sequence[Token], lasts: Spans, negator: int
) -> bool:
    """Whether the list around a mention is joined by or / nor: "not happy, sad or angry"."""
    if any(t.word in ("or", "nor") for t in tokens[negator : span[0]]):
        return True
    index = span[1] + 1
    while index < len(tokens) and index - span[1] < 3 * _REACH:
        word = tokens[index].word
        if word in ("or", "nor"):
            return True
        if index in lasts:
            index = lasts[index] + 1
        elif word == "," or word in FILL:
            index += 1
        else:
            return False
    return False


def denied_after(  # noqa: PLR0911
    span: tuple[int, int], tokens: Sequence[Token], lasts: Spans, follows: bool
) -> bool:
    """ "anger is absent", "sad: no", "happy? not at all"."""
    begin = span[1] + 1
    words = [t.word for t in tokens[begin : begin + 7]]
    if not words:
        return False
    if words[0] == "(" and len(words) > 2 and words[1] in _FALSE and words[2] == ")":
        return True
    if words[0] == "?" and _answered_no(words[1:], begin + 1, lasts):
        return True
    if words[:2] in ([",", "nothing"], [",", "none"]) and (len(words) == 2 or words[2] in BREAKS):
        return True
    if words[0] in (":", "=", "-") and len(words) > 1 and words[1] in _FALSE:
        return len(words) == 2 or words[2] in BREAKS or words[2] in (",", ")")
    if words[0].endswith("n't") or words[0] in ("cannot", NOT_BEFORE) or words[0] in _BARE:
        return True
    if words[0] in ("not", "no") and len(words) > 1 and begin + 1 not in lasts:
        return (
            words[1] != "doubt" and words[1] not in _ONLY and not _names_next(begin, lasts, words)
        )
    if words[0] in ("not", "no") and len(words) == 1:
        return True
    if words[0] in AUX and _predicate_denies(words[1:], begin + 1, lasts):
        return True
    if words[0] == "," and words[1:2] and words[1] in AUX:  # "my first answer, joy, was wrong"
        return _predicate_denies(words[2:], begin + 2, lasts)
    if _taken_back(words):
        return True
    return follows and _closes_denied(tokens, begin, lasts)


def _taken_back(words: Sequence[str]) -> bool:
    """ "it could be happiness, but it isn't", "anger? but that is not it"."""
    rest = [word for word in words if word != ","]
    if rest[:2] == ["but", "no"]:  # "you might think anger, but no"
        return len(rest) == 2 or rest[2] in BREAKS
    if (
        len(rest) > 2 and rest[0] in _IT and rest[1] in AUX and rest[2] == "not"
    ):  # "sadness it is not"
        return len(rest) == 3 or rest[3] in BREAKS
    if len(rest) < 3 or rest[0] not in ("but", "yet", "though") or rest[1] not in _IT:
        return False
    end = 3 if rest[2].endswith("n't") else 4 if rest[2] in AUX and rest[3:4] == ["not"] else 0
    return bool(end) and (len(rest) == end or rest[end] in BREAKS)


def _answered_no(words: Sequence[str], begin: int, lasts: Spans) -> bool:
    """The question that a mention closes is answered by no."""
    for place, word in enumerate(words[:4]):
        if begin + place in lasts or word in ("yes", "sure", "certain"):
            return False
        if word in BREAKS and place:
            return False
        if negates(word) or word in _DOUBTING:
            return True
    return False


def _names_next(begin: int, lasts: Spans, words: Sequence[str]) -> bool:
    """ "sad not the angry": what is denied is the next mention."""
    return any(
        begin + place in lasts and all(w in FILL for w in words[1:place]) for place in range(1, 5)
    )


def _predicate_denies(words: Sequence[str], begin: int, lasts: Spans) -> bool:
    for place, word in enumerate(words[:5]):
        if (
            begin + place in lasts
            or word in BREAKS
            or word in (",", "but", "and", "only", ":", "so", "because", "than")
        ):
            return False
        if word == "last" and words[place + 1 : place + 2] == ["thing"]:
            return True
        if word in _DENIALS or word.endswith("n't"):
            rest = words[place + 1 : place + 2]
            return not (rest and (rest[0] in _ONLY or begin + place + 1 in lasts))
    return False


def _closes_denied(tokens: Sequence[Token], begin: int, lasts: Spans) -> bool:
    """A negator at the end of the clause: "Freude sehe ich nicht", "喜びではない"."""
    for index in range(begin, min(begin + 10, len(tokens))):
        word = tokens[index].word
        if (
            index in lasts
            or word in BREAKS
            or word in (",", "but", "and", "or", ":", "because", "than")
        ):
            return False
        if negates(word) or word in ("absent", NOT_BEFORE):
            return not any(place in lasts for place in range(index + 1, index + 4))
    return False
