"""The trainer's own quick scores of replies; a run of the harness is the real measure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def uar(wanted: Sequence[str], given: Sequence[str]) -> float:
    """Mean recall over the classes that occur."""
    recalls = []
    for name in sorted(set(wanted)):
        hits = [g == name for w, g in zip(wanted, given, strict=True) if w == name]
        recalls.append(sum(hits) / len(hits))
    return float(np.mean(recalls))


def uf1(wanted: Sequence[str], given: Sequence[str]) -> float:
    """Mean F1 over the classes that occur."""
    scores = []
    for name in sorted(set(wanted)):
        pairs = list(zip(wanted, given, strict=True))
        hit = sum(w == g == name for w, g in pairs)
        wrong = sum((w == name) != (g == name) for w, g in pairs)
        scores.append(2 * hit / (2 * hit + wrong) if hit else 0.0)
    return float(np.mean(scores))


def ccc(wanted: Sequence[float], given: Sequence[float]) -> float:
    """Lin's concordance correlation coefficient (population moments)."""
    a, b = np.asarray(wanted, float), np.asarray(given, float)
    spread = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    return float(2 * ((a - a.mean()) * (b - b.mean())).mean() / spread) if spread else 0.0


def accuracy(wanted: Sequence[str], given: Sequence[str]) -> float:
    """Share of replies that are what was wanted."""
    return float(np.mean([w == g for w, g in zip(wanted, given, strict=True)]))


def set_f1(wanted: Sequence[str], given: Sequence[str]) -> float:
    """F1 over the members of comma-separated lists, all lists together."""
    pairs = [(set(w.split(", ")), set(g.split(", "))) for w, g in zip(wanted, given, strict=True)]
    hit = sum(len(w & g) for w, g in pairs)
    return 2 * hit / sum(len(w) + len(g) for w, g in pairs)
