"""Neutralise chat-control tokens in data text; the text stays legible.

A tokenizer turns `<|im_end|>` or `[INST]` into a control token wherever it stands, so a question,
a label or a reply that holds one could end its turn and open another. Everything that an
expression prints passes through `guard`; the template's own text does not.

What is tag-like, `<` at once followed by a letter, `/`, `|`, `_`, `!` or the like and closed by `>`,
is rewritten with U+2039 and U+203A: `<|im_end|>` becomes `‹|im_end|›`. Square-bracketed capitals,
`[INST]`, are rewritten with U+27E6 and U+27E7. Neither pair has a compatibility decomposition, so a
tokenizer that normalises (NFKC) cannot turn it back. A tag that is open at the end of a text is
marked, and rewritten only where what is printed behind it closes it. `a < b`, `<30`, `a<b` and
`[sad]` stay. Role words in plain text (`USER:`) stay: no tokenizer gives them a meaning of their own.
"""

from __future__ import annotations

import re

MARK = "\ufdd0"
"""Stands before white space and after line breaks that came from data, until a turn's common
indentation has been removed: data is never dedented. A noncharacter; data cannot bring one."""

OPEN = "\ufdd1"
"""Stands behind a bracket that data text leaves open, until the whole turn is known. A noncharacter as well."""

_SUSPECT = re.compile("[<＜﹤\\[［\x00\ufdd0\ufdd1\ud800-\udfff\n]")
_INVISIBLE = "[\u00ad\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]*"
_TAG = re.compile(
    f"[<＜﹤]({_INVISIBLE}(?:[|｜¦][^<>＜＞﹤﹥‹›\n]{{0,80}}|[/_!▁\\[A-Za-z][^<>＜＞﹤﹥‹›\\s]{{0,80}}|))"
    "([>＞﹥]|\\Z)"
)
_BRACKET = re.compile(
    f"[\\[［]({_INVISIBLE}/?(?:[A-Z][A-Z0-9_]+|gMASK|sMASK|image|img|video|audio))([\\]］]|\\Z)"
    f"|[\\[［]({_INVISIBLE}/?[A-Za-z0-9_]{{0,40}})\\Z"
)
_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")


def neutralise(text: str) -> str:
    """`text`, behind which nothing follows, with control tokens spelled harmlessly, NUL and lone surrogates,
    which cannot be sent, as U+FFFD, and U+FDD0 and U+FDD1 removed. Applying it twice changes nothing more."""
    if _SUSPECT.search(text) is None:
        return text
    return _BRACKET.sub(_squared, _TAG.sub(_angled, _sendable(text)))


def guard(text: str) -> str:
    """As `neutralise`, for a text that others may follow: tags that it leaves open are marked for `settle`."""
    if _SUSPECT.search(text) is None:
        return text
    return _BRACKET.sub(_squared_open, _TAG.sub(_angled_open, _sendable(text)))


def settle(text: str) -> str:
    """A turn's text without the marks of `guard`; a tag that was open is rewritten where it is closed now."""
    first, *rest = text.split(OPEN)
    if not rest:
        return text
    places, length = [], 0
    for piece in (first, *rest[:-1]):
        length += len(piece)
        places.append(length - 1)
    plain = "".join((first, *rest))
    letters = list(plain)
    for place in places:
        for form, opening, closing in ((_TAG, "‹", "›"), (_BRACKET, "⟦", "⟧")):
            found = form.match(plain, place)
            if found and found[1] and found[2]:
                letters[place], letters[found.end() - 1] = opening, closing
    return "".join(letters)


def _sendable(text: str) -> str:
    return _UNSENDABLE.sub("\ufffd", text.replace(MARK, "").replace(OPEN, ""))


def suspicious(text: str) -> bool:
    """Whether `text` holds anything that `guard` or `marked` would have to look at."""
    return _SUSPECT.search(text) is not None


def marked(text: str) -> str:
    """Data text with its line breaks and its leading white space marked as data's own."""
    text = text.replace("\n", "\n" + MARK)
    return MARK + text if text[:1].isspace() else text


def _angled(match: re.Match[str]) -> str:
    return f"‹{match[1]}›" if match[1] and match[2] else match[0]


def _squared(match: re.Match[str]) -> str:
    return f"⟦{match[1]}⟧" if match[2] else match[0]


def _angled_open(match: re.Match[str]) -> str:
    return _angled(match) if match[2] else match[0][0] + OPEN + match[0][1:]


def _squared_open(match: re.Match[str]) -> str:
    return _squared(match) if match[2] else match[0][0] + OPEN + match[0][1:]
