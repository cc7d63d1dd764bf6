"""BLEU (Papineni et al. 2002) as two libraries compute it: sacrebleu and NLTK.

Both are rebuilt here and held to the libraries by tests, for two reasons: a corpus score has to be read off
sums of rows, as every metric here is, and both are a page each.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from harness.metrics.family import Floats

ORDER = 4
COUNTS = 2 * ORDER + 2
"""Matches and n-grams of each order, words said, words wanted."""

_13A = (
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), r" \1 "),
    (re.compile(r"([^0-9])([\.,])"), r"\1 \2 "),
    (re.compile(r"([\.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)
"""Where the tokenizer of mteval-v13a parts words, in this order; a blank is put there."""

_LEAST_LOG = -9999999999.0
"""What sacrebleu takes for the logarithm of 0."""


def words_13a(text: str) -> list[str]:
    """Words as sacrebleu's default tokenizer, `13a`, parts them; case is kept."""
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    if "&" in text:
        for code, sign in (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")):
            text = text.replace(code, sign)
    text = f" {text} "
    for pattern, put in _13A:
        text = pattern.sub(put, text)
    return text.split()


def counts(said: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """(10,) matches of orders 1 to 4, n-grams said of orders 1 to 4, words said, words wanted."""
    matched, total = [], []
    for order in range(1, ORDER + 1):
        ours, theirs = _ngrams(said, order), _ngrams(wanted, order)
        matched.append(sum(min(n, theirs[gram]) for gram, n in ours.items()))
        total.append(max(0, len(said) - order + 1))
    return [*matched, *total, len(said), len(wanted)]


def sacrebleu(totals: Floats, *, order: int, effective: bool = False) -> Floats:
    """BLEU in 0..1 off totals (..., 10) of :func:`counts`; shape (...).

    sacrebleu's `exp` smoothing: the k-th order without a match counts as 1/2^k of a match. `effective`
    leaves out the orders that a short text has no n-grams of, as sacrebleu does for single sentences.
    """
    matched, total = totals[..., :order], totals[..., ORDER : ORDER + order]
    said, wanted = totals[..., -2], totals[..., -1]
    there = np.cumprod(total > 0, axis=-1).astype(bool)
    missed = there & (matched == 0)
    credit = np.where(missed, 0.5 ** np.cumsum(missed, axis=-1), matched)
    share = np.divide(credit, total, out=np.ones_like(credit), where=there)
    logs = np.where(there, np.log(share), 0.0 if effective else _LEAST_LOG)
    used = np.maximum(there.sum(axis=-1), 1) if effective else order
    short = (said < wanted) & (said > 0)
    over = np.divide(wanted, said, out=np.ones_like(said), where=short)
    value = np.exp(logs.sum(axis=-1) / used) * np.exp(1 - over)
    return np.where(matched.any(axis=-1), value, 0.0)


def nltk_bleu(said: Sequence[str], wanted: Sequence[str], *, order: int) -> float:
    """NLTK's `sentence_bleu` with even weights up to `order` and smoothing `method1`, in 0..1.

    An order without a match counts as 0.1 of a match (Chen & Cherry 2014, technique 1); an order that the
    text is too short for counts as one n-gram that does not match, which keeps a perfect answer of fewer
    than four words far below 1.
    """
    row = counts(said, wanted)
    if not said or row[0] == 0:
        return 0.0
    logs = (math.log((row[n] or 0.1) / max(1, row[ORDER + n])) for n in range(order))
    brevity = 1.0 if len(said) > len(wanted) else math.exp(1 - len(wanted) / len(said))
    return brevity * math.exp(sum(logs) / order)


def _ngrams(words: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[at : at + order]) for at in range(len(words) - order + 1))
