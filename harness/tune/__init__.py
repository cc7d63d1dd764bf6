"""Learned prompts: vectors in front of the texts and behind the patches of a frozen dual encoder."""

from __future__ import annotations

from harness.tune.learn import Learned, Learning, learn
from harness.tune.losses import Weights
from harness.tune.samples import Fold, Folds, folds_of
from harness.tune.tune import Asked, Tuned, tune

__all__ = [
    "Asked",
    "Fold",
    "Folds",
    "Learned",
    "Learning",
    "Tuned",
    "Weights",
    "folds_of",
    "learn",
    "tune",
]
