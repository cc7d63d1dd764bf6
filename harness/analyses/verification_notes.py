"""Sentences about a verification: how it was measured, and scores that are the wrong way round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import heading, row_key
from harness.analyses.words import count, number
from harness.core.blocks import Block, Note, Place
from harness.core.text import counted

_CHANCE = 0.5
"""The AUROC of scores that know nothing."""


def inverted_notes(rows: Sequence[Mapping[str, Any]], at: Place) -> Iterator[Block]:
    """Scores that are high where the pictures are unlike, as distances are."""
    for entry in rows:
        if entry["auroc"]["high"] is not None and entry["auroc"]["high"] < _CHANCE:
            told = " ".join(heading(row_key(entry)))
            yield Note(
                at=at,
                text=f"{told}: pairs of one person score lower than pairs of two (AUROC below .5, with its interval). "
                "If the scores are distances, all figures are upside down: hand in scores that are higher the more alike two faces are",
            )


def how_lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield (
        "Intervals: 1,000 resamples of subjects, the middle 95%; a genuine pair counts as often as its subject was drawn, an "
        "impostor pair as often as the product of both. Where no pair, or every pair, of a group is wrong: Clopper-Pearson over its subjects."
    )
    for entry in rows:
        told, folds = " ".join(heading(row_key(entry))), entry["folds"]
        subjects = f"{count(entry['subjects'])} {entry['unit']}s"
        if folds["reason"]:
            yield f"{told}: {subjects}; no accuracy on folds: {folds['reason']}."
            continue
        origin = "of the data set" if folds["given"] else "made of subjects in their order"
        if folds["unnamed"]:
            origin += f" (those of the data set are not used: {counted(folds['unnamed'], 'pair')} without one)"
        kept = (
            ""
            if folds["given"] or not folds["shared"]
            else "; thresholds from pairs that share none with the fold"
        )
        shared = (
            f"{count(folds['shared'])} subjects are in several{kept}"
            if folds["shared"]
            else "no subject is in two"
        )
        one_sided = (
            f"; {counted(folds['one_sided'], 'fold')} with pairs of one kind alone, whose accuracy tells of one kind of error"
            if folds.get("one_sided")  # not in scores of before
            else ""
        )
        yield f"{told}: {subjects}; {folds['n']} folds {origin}, {shared}{one_sided}; mean threshold {number(folds['threshold'])}."
