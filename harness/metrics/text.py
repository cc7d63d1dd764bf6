"""Metrics of a field whose answer is text: exact match, and BLEU and ROUGE-1 under their libraries' names.

No variant is "the" BLEU: the libraries differ by a factor on short answers. Each has a twin, its name with
`_ceiling` behind it, which is what a perfect answer scores on the same rows: on one-word answers NLTK's
BLEU-4 cannot exceed .18.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from harness.metrics.bleu import COUNTS, counts, nltk_bleu, sacrebleu, words_13a
from harness.metrics.family import (
    Bools,
    Floats,
    check_pairs,
    measure,
    plain_names,
    ratio,
    with_terms,
)
from harness.metrics.metric import Metric
from harness.metrics.rouge import rouge_1

CEILING = "_ceiling"

_SCORES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "sacrebleu1": ("sacreBLEU-1", "sacrebleu corpus BLEU-1, 13a words, exp smoothing, 0..1"),
        "sacrebleu4": ("sacreBLEU-4", "sacrebleu corpus BLEU-4, 13a words, exp smoothing, 0..1"),
        "sacrebleu1_sentence": (
            "sacreBLEU-1, sentences", "mean of sacrebleu sentence BLEU-1, 13a words, exp smoothing, 0..1"
        ),
        "sacrebleu4_sentence": (
            "sacreBLEU-4, sentences",
            "mean of sacrebleu sentence BLEU-4, 13a words, exp smoothing, effective order",
        ),
        "nltk_bleu1": (
            "NLTK BLEU-1", "mean of NLTK sentence BLEU-1, lower case, words between blanks, method1"
        ),
        "nltk_bleu4": (
            "NLTK BLEU-4", "mean of NLTK sentence BLEU-4, lower case, words between blanks, method1"
        ),
        "rouge1_precision": ("ROUGE-1 P", "mean ROUGE-1 precision, not stemmed"),
        "rouge1_recall": ("ROUGE-1 R", "mean ROUGE-1 recall, not stemmed"),
        "rouge1_f1": ("ROUGE-1 F", "mean ROUGE-1 F, not stemmed"),
        "rouge1_stem_precision": ("ROUGE-1 P, stems", "mean ROUGE-1 precision, Porter stems"),
        "rouge1_stem_recall": ("ROUGE-1 R, stems", "mean ROUGE-1 recall, Porter stems"),
        "rouge1_stem_f1": ("ROUGE-1 F, stems", "mean ROUGE-1 F, Porter stems"),
    }
)  # fmt: skip
"""Name -> title and estimator."""
NEEDS = "text"
"""The family's name."""

_POOLED = frozenset({"sacrebleu1", "sacrebleu4"})
_MEANS = tuple(name for name in _SCORES if name not in _POOLED)
_HALF = COUNTS + len(_MEANS)
_WIDTH = 2 + 2 * _HALF


@dataclass(frozen=True, slots=True, eq=False)
class TextFamily:
    """What n texts score; see :func:`text_family`."""

    truth: tuple[str, ...]
    predicted: tuple[str | None, ...]

    answered: Bools
    """(n,) False where there was no answer."""
    scored: Floats
    """(n, 42): one, exact match, then counts and means of the answers, then those of perfect answers."""
    own: tuple[Metric, ...] = ()
    """Metrics with terms of their own, which stand behind the rows."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The plain metric names."""
        return plain_names(NEEDS, self.own)

    def rows(self) -> Floats:
        """(n, 42) one additive row per sample."""
        return with_terms(self.scored.copy(), self, self.own)

    def value(self, metric: str, totals: Floats) -> Floats:
        """The metric at totals (..., 42), 0..1; shape (...), nan without samples.

        A missing answer scores as an empty text: nothing said, all of it wanted.
        """
        return measure(self, NEEDS, metric, totals, width=_WIDTH)


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
        truth=tuple(truth),
        predicted=tuple(predicted),
        answered=np.array([given is not None for given in predicted], dtype=np.bool_),
        scored=rows,
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


def _exact(family: TextFamily, totals: Floats) -> Floats:
    return ratio(totals[..., 1], totals[..., 0])


def _score(name: str, start: int) -> Callable[[TextFamily, Floats], Floats]:
    """The score `name` off the counts and means that begin at column `start`."""

    def mean(family: TextFamily, totals: Floats) -> Floats:
        return ratio(totals[..., start + COUNTS + _MEANS.index(name)], totals[..., 0])

    def corpus(family: TextFamily, totals: Floats) -> Floats:
        bleu = sacrebleu(totals[..., start : start + COUNTS], order=int(name[-1]))
        return np.where(totals[..., 0] > 0, bleu, np.nan)

    return mean if name in _MEANS else corpus


def _formula(name: str) -> str:
    if name.startswith("rouge"):
        shared = {"precision": "words answered", "recall": "words of the truth"}
        of = shared.get(name.rpartition("_")[2])
        return (
            f"words shared / {of}, mean over samples"
            if of
            else "2 P R / (P + R), mean over samples"
        )
    order = "".join(c for c in name if c.isdigit())
    pooled = "pooled over samples" if name in _POOLED else "mean over samples"
    return (
        f"min(1, e^(1 - r/c)) (Π_j p_j)^(1/N), N = {order}, p_j the precision of j-grams, {pooled}"
    )


def _source(name: str) -> str:
    if name.startswith("rouge"):
        stems = "; Porter 1980, Program 14(3)" if "stem" in name else ""
        return f"Lin 2004, ROUGE, ACL Workshop; as rouge-score computes it{stems}"
    if name.startswith("nltk"):
        return "Papineni et al. 2002, BLEU, ACL; method1 of Chen & Cherry 2014, WMT; as NLTK computes it"
    return "Papineni et al. 2002, BLEU, ACL; Post 2018, WMT; as sacrebleu computes it"


METRICS: tuple[Metric, ...] = (
    Metric(
        name="exact_match", title="exact match", needs=NEEDS, compute=_exact,
        formula="(1/n) Σ_i [t_i = y_i]",
        source="standard definition",
        estimator="share of texts equal after Unicode NFKC, case folding and single spaces",
    ),
    *(
        Metric(
            name=name, title=title, needs=NEEDS, compute=_score(name, 2), estimator=line,
            formula=_formula(name), source=_source(name),
        )
        for name, (title, line) in _SCORES.items()
    ),
    *(
        Metric(
            name=name + CEILING, title=f"{title}, a perfect answer", needs=NEEDS, better="none",
            compute=_score(name, 2 + _HALF), estimator=f"what perfect answers score: {line}",
            formula=f"{_formula(name)}, the answer being the truth", source=_source(name),
        )
        for name, (title, line) in _SCORES.items()
    ),
)  # fmt: skip
