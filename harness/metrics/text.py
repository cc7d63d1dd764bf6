"""Exact match of short free text."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from harness.metrics.family import Bools, Floats, check_pairs, check_totals, ratio, unknown_metric

TEXT_METRICS: Mapping[str, str] = MappingProxyType(
    {"exact_match": "share of texts equal after Unicode NFKC, case folding and single spaces"}
)


@dataclass(frozen=True, slots=True, eq=False)
class TextFamily:
    """Which of n texts match; see :func:`text_family`."""

    matches: Bools
    """(n,) True where the normalised texts are equal."""
    answered: Bools
    """(n,) False where there was no answer."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The plain metric names."""
        return tuple(TEXT_METRICS)

    def rows(self) -> Floats:
        """(n, 2): one, and whether the text matches."""
        return np.column_stack([np.ones(self.matches.size), self.matches]).astype(np.float64)

    def value(self, metric: str, totals: Floats) -> Floats:
        """The metric at totals (..., 2), 0..1; shape (...), nan without samples."""
        table = check_totals(totals, 2)
        if metric != "exact_match":
            raise unknown_metric(metric, TEXT_METRICS, "text")
        return ratio(table[..., 1], table[..., 0])


def text_family(truth: Sequence[str], predicted: Sequence[str | None]) -> TextFamily:
    """Compare n texts; None is "not an answer" and never matches, not even an empty truth.

    Raises HarnessError for unequal lengths.
    """
    check_pairs(truth, predicted)
    pairs = zip(truth, predicted, strict=True)
    return TextFamily(
        matches=np.array(
            [given is not None and _plain(true) == _plain(given) for true, given in pairs],
            dtype=np.bool_,
        ),
        answered=np.array([given is not None for given in predicted], dtype=np.bool_),
    )


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
