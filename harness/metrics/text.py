"""Metrics of a field whose answer is text: exact match, and BLEU and ROUGE-1 under their libraries' names.

No variant is "the" BLEU: the libraries differ by a factor on short answers. Each has a twin, its name with
`_ceiling` behind it, which is what a perfect answer scores on the same rows: on one-word answers NLTK's
BLEU-4 cannot exceed .18.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from harness.metrics.bleu import COUNTS, counts, nltk_bleu, sacrebleu, words_13a
from harness.metrics.family import Bools, Floats, check_pairs, check_totals, ratio, unknown_metric
from harness.metrics.rouge import rouge_1

CEILING = "_ceiling"

_SCORES: Mapping[str, str] = MappingProxyType(
    {
        "sacrebleu1": "sacrebleu corpus BLEU-1, 13a words, exp smoothing, 0..1",
        "sacrebleu4": "sacrebleu corpus BLEU-4, 13a words, exp smoothing, 0..1",
        "sacrebleu1_sentence": "mean of sacrebleu sentence BLEU-1, 13a words, exp smoothing, 0..1",
        "sacrebleu4_sentence": "mean of sacrebleu sentence BLEU-4, 13a words, exp smoothing, effective order",
        "nltk_bleu1": "mean of NLTK sentence BLEU-1, lower case, words between blanks, method1",
        "nltk_bleu4": "mean of NLTK sentence BLEU-4, lower case, words between blanks, method1",
        "rouge1_precision": "mean ROUGE-1 precision, not stemmed",
        "rouge1_recall": "mean ROUGE-1 recall, not stemmed",
        "rouge1_f1": "mean ROUGE-1 F, not stemmed",
        "rouge1_stem_precision": "mean ROUGE-1 precision, Porter stems",
        "rouge1_stem_recall": "mean ROUGE-1 recall, Porter stems",
        "rouge1_stem_f1": "mean ROUGE-1 F, Porter stems",
    }
)
TEXT_METRICS: Mapping[str, str] = MappingProxyType(
    {
        "exact_match": "share of texts equal after Unicode NFKC, case folding and single spaces",
        **_SCORES,
        **{name + CEILING: f"what perfect answers score: {line}" for name, line in _SCORES.items()},
    }
)

_MEANS = tuple(name for name in _SCORES if name not in {"sacrebleu1", "sacrebleu4"})
_HALF = COUNTS + len(_MEANS)
_WIDTH = 2 + 2 * _HALF


@dataclass(frozen=True, slots=True, eq=False)
class TextFamily:
    """What n texts score; see :func:`text_family`."""

    answered: Bools
    """(n,) False where there was no answer."""
    scored: Floats
    """(n, 42): one, exact match, then counts and means of the answers, then those of perfect answers."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The plain metric names."""
        return tuple(TEXT_METRICS)

    def rows(self) -> Floats:
        """(n, 42) one additive row per sample."""
        return self.scored.copy()

    def value(self, metric: str, totals: Floats) -> Floats:
        """The metric at totals (..., 42), 0..1; shape (...), nan without samples.

        A missing answer scores as an empty text: nothing said, all of it wanted.
        """
        if metric not in TEXT_METRICS:
            raise unknown_metric(metric, TEXT_METRICS, "text")
        table = check_totals(totals, _WIDTH)
        if metric == "exact_match":
            return ratio(table[..., 1], table[..., 0])
        name = metric.removesuffix(CEILING)
        start = 2 if name == metric else 2 + _HALF
        if name in _MEANS:
            return ratio(table[..., start + COUNTS + _MEANS.index(name)], table[..., 0])
        bleu = sacrebleu(table[..., start : start + COUNTS], order=int(name[-1]))
        return np.where(table[..., 0] > 0, bleu, np.nan)


def text_family(truth: Sequence[str], predicted: Sequence[str | None]) -> TextFamily:
    """Compare n texts; None is "not an answer" and never matches, not even an empty truth.

    Raises HarnessError for unequal lengths.
    """
    check_pairs(truth, predicted)
    rows = np.zeros((len(truth), _WIDTH))
    perfect: dict[str, list[float]] = {}
    for row, true, given in zip(rows, truth, predicted, strict=True):
        if true not in perfect:
            perfect[true] = _scores(true, true)
        row[0] = 1.0
        row[1] = given is not None and _plain(true) == _plain(given)
        row[2 : 2 + _HALF] = perfect[true] if given == true else _scores(given or "", true)
        row[2 + _HALF :] = perfect[true]
    return TextFamily(
        answered=np.array([given is not None for given in predicted], dtype=np.bool_), scored=rows
    )


def _scores(said: str, wanted: str) -> list[float]:
    """Counts for corpus BLEU, then the sentence scores in the order of `_MEANS`."""
    corpus = counts(words_13a(said), words_13a(wanted))
    table = np.array(corpus, dtype=np.float64)
    ours, theirs = said.lower().split(), wanted.lower().split()
    return [
        *corpus,
        *(float(sacrebleu(table, order=order, effective=True)) for order in (1, 4)),
        *(nltk_bleu(ours, theirs, order=order) for order in (1, 4)),
        *rouge_1(said, wanted, stemmed=False),
        *rouge_1(said, wanted, stemmed=True),
    ]


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
