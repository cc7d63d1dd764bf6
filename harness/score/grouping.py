"""Groups of samples by an annotation, and the rule that suppresses small ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_SAMPLES = 20
"""A group of fewer samples is suppressed: its numbers would say little, and could point at people."""

LEAST_CLUSTERS = 5
"""So is one of fewer subjects (or what else is resampled): a spread between subjects cannot be seen in them."""

MOST_VALUES = 24
"""An annotation with more distinct values than this makes no groups."""

UNKNOWN = -1
"""The code of a sample that has no value."""

Mask = NDArray[np.bool_]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grouping:
    """One annotation: which of its values each of n samples has."""

    name: str
    values: tuple[str, ...]
    """Distinct values, in natural order: `4-19` before `20-39`."""
    codes: Codes
    """(n,) places in `values`, UNKNOWN where the sample has none."""

    def at(self, places: NDArray[np.int64]) -> Grouping:
        """The same of the samples at these places."""
        return Grouping(self.name, self.values, self.codes[places])


def grouping(name: str, values: Sequence[object]) -> Grouping:
    """The groups of an annotation's values, None being no value."""
    words = [None if value is None else str(value) for value in values]
    distinct = tuple(sorted({word for word in words if word is not None}, key=_natural))
    places = {word: place for place, word in enumerate(distinct)}
    codes = [UNKNOWN if word is None else places[word] for word in words]
    return Grouping(name, distinct, np.asarray(codes, dtype=np.int64))


def suppressed(mask: Mask, clusters: NDArray[np.int64], *, unit: str) -> str:
    """Why the samples of `mask` (n,) are too few to be shown, such as `n < 20`; empty where they are not.

    `clusters` (n,) are numbers, `unit` is what a cluster is.
    """
    if int(mask.sum()) < LEAST_SAMPLES:
        return f"n < {LEAST_SAMPLES}"
    if np.unique(clusters[mask]).size < LEAST_CLUSTERS:
        return f"fewer than {LEAST_CLUSTERS} {unit}s"
    return ""


def _natural(word: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers within a word compare as numbers and stand before letters."""
    parts = re.findall(r"[0-9]{1,18}|[^0-9]+|[0-9]+", word)
    return tuple(
        (0, int(part), "") if part.isascii() and part.isdigit() and len(part) < 19 else (1, 0, part)
        for part in parts
    )
