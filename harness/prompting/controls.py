"""Chat-control tokens in data text, made harmless and left legible.

A tokenizer turns `<|im_end|>` or `[INST]` into a control token wherever it stands, so a question,
a label or a reply that holds one could end its turn and open another. Everything that an
expression prints passes through `neutralise`; the template's own text does not.

What is tag-like, `<` at once followed by a letter, `/`, `|`, `_`, `!` or the like, is rewritten
with U+2039 and U+203A: `<|im_end|>` becomes `‹|im_end|›`. Square-bracketed capitals, `[INST]`,
are rewritten with U+27E6 and U+27E7. Neither pair has a compatibility decomposition, so a
tokenizer that normalises (NFKC) cannot turn it back. A tag that is open at the end of the text
loses its bracket too, since the next expression might close it. `a < b`, `<30` and `[sad]` stay.
Role words in plain text (`USER:`) stay: no tokenizer gives them a meaning of their own.
"""

from __future__ import annotations

import re

MARK = "\ufdd0"
"""Stands before white space and after line breaks that came from data, until a turn's common
indentation has been removed: data is never dedented. A noncharacter; data cannot bring one."""

_SUSPECT = re.compile("[<＜﹤\\[［\x00\ufdd0\ud800-\udfff\n]")
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
    """`text` with control tokens spelled harmlessly, NUL and lone surrogates, which cannot be
    sent, as U+FFFD, and U+FDD0 removed. Applying it twice changes nothing more."""
    if _SUSPECT.search(text) is None:
        return text
    text = _UNSENDABLE.sub("\ufffd", text.replace(MARK, ""))
    text = _TAG.sub(_angled, text)
    return _BRACKET.sub(_squared, text)


def suspicious(text: str) -> bool:
    """Whether `text` holds anything that `neutralise` or `marked` would have to look at."""
    return _SUSPECT.search(text) is not None


def marked(text: str) -> str:
    """Data text with its line breaks and its leading white space marked as data's own."""
    text = text.replace("\n", "\n" + MARK)
    return MARK + text if text[:1].isspace() else text


def _angled(match: re.Match[str]) -> str:
    return "‹" + match[1] + ("›" if match[2] else "")


def _squared(match: re.Match[str]) -> str:
    if match[3] is not None:
        return "⟦" + match[3]
    return "⟦" + match[1] + ("⟧" if match[2] else "")
