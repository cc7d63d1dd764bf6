"""Members of a set one by one, such as action units: how often each is true, and how often answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.metrics import SetFamily, family_for
from harness.score.columns import FieldAnswers
from harness.score.table import rounded


def unit_counts(column: FieldAnswers) -> Iterator[Mapping[str, Any]]:
    """For each part of a set field, each name of the truth with its true cases `present`, how often it was `answered`
    and how often `both`, over all repeats, and `always`, the F1 of saying it every time: 2r / (1 + r) at the rate r.

    The scores themselves are score rows, `f1[NAME]` and its like. `absent` are names of the task without a true case,
    of which no F1 is defined and which the mean over names leaves out.
    """
    if column.spec.categorical or not column.spec.labelled or column.guesses is not None:
        return
    families = [family_for(column.spec, column.truth, answers) for answers in column.repeats]
    if not all(isinstance(family, SetFamily) for family in families):
        return
    task, model, prompt, condition = column.names
    for whole, inside in column.slices:
        if "=" in whole:
            continue
        places = np.flatnonzero(inside).tolist()
        counts: dict[str, list[int]] = {}
        for family in families:
            if isinstance(family, SetFamily):
                _count(family, places, counts)
        n = len(places)
        known = [name for name in _ordered(counts, column.spec.classes) if counts[name][0]]
        units = [_unit(name, counts[name], n, len(families)) for name in known]
        yield {
            "task": task, "model": model, "prompt": prompt, "condition": condition,
            "channel": column.channel, "slice": whole, "field": column.field, "n": n,
            "repeats": len(families), "units": units,
            "absent": [name for name in column.spec.classes if name not in known],
        }  # fmt: skip


def _ordered(names: Iterable[str], classes: Sequence[str]) -> list[str]:
    """In the task's order, others behind."""
    places = {name: place for place, name in enumerate(classes)}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))


def _unit(name: str, counts: Sequence[int], n: int, repeats: int) -> dict[str, Any]:
    present, answered, both = counts
    return {
        "name": name, "present": present // repeats, "answered": answered, "both": both,
        "always": rounded(2 * present / (n * repeats + present)),
    }  # fmt: skip


def _count(family: SetFamily, places: list[int], counts: dict[str, list[int]]) -> None:
    for place in places:
        true, said = family.truth[place], family.predicted[place] or frozenset[str]()
        for name in true | said:
            told = counts.setdefault(name, [0, 0, 0])
            told[0] += name in true
            told[1] += name in said
            told[2] += name in true and name in said
