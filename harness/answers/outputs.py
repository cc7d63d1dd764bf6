"""Which output of a classifier stands for which label of a field."""

from __future__ import annotations

from collections.abc import Sequence

from harness.answers.vocabulary import canonicaliser


def match_outputs(labels: Sequence[str], outputs: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """For each label of a field the outputs that spell it (`angry` for anger); none where the classifier has none.

    Outputs that spell no label are left out: they stand for what the field does not offer.
    """
    table = canonicaliser(labels)
    spelt = [table.label(output) for output in outputs]
    return tuple(tuple(i for i, one in enumerate(spelt) if one == label) for label in labels)


def without_output(labels: Sequence[str], outputs: Sequence[str]) -> tuple[str, ...]:
    """The labels of a field for which a classifier has no output."""
    found = zip(labels, match_outputs(labels, outputs), strict=True)
    return tuple(label for label, places in found if not places)
