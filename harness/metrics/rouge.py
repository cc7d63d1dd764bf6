"""ROUGE-1 (Lin 2004) as the package rouge-score computes it."""

from __future__ import annotations

import re
from collections import Counter

from harness.metrics.porter import stem

_WORD = re.compile(r"[a-z0-9]+")
_LEAST_STEMMED = 4
"""Shorter words are not stemmed."""


def rouge_words(text: str, *, stemmed: bool) -> list[str]:
    """Runs of a-z and 0-9 in lower case; what other scripts write is no word to this measure."""
    words = _WORD.findall(text.lower())
    return [stem(w) if len(w) >= _LEAST_STEMMED else w for w in words] if stemmed else words


def rouge_1(said: str, wanted: str, *, stemmed: bool) -> tuple[float, float, float]:
    """Precision, recall and F of shared words, each 0..1; two texts without a word score 0."""
    ours = Counter(rouge_words(said, stemmed=stemmed))
    theirs = Counter(rouge_words(wanted, stemmed=stemmed))
    shared = sum((ours & theirs).values())
    precision = shared / max(sum(ours.values()), 1)
    recall = shared / max(sum(theirs.values()), 1)
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0
