"""Local scores of ABAW: CCC, macro F1 over expressions, macro F1 over action units (arXiv 2402.19344, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Literal

import numpy as np

from harness.answers.action_units import NUMBERS
from harness.answers.table import LabelTable
from harness.answers.vocabulary import canonicaliser
from harness.core.field import FieldSpec
from harness.metrics import family_for
from harness.metrics.family import Floats
from harness.submit.local_score import Figure, figure_of, figures_of

EXPRESSION_NAMES = ("neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise", "other")  # fmt: skip
UNITS = ("AU1", "AU2", "AU4", "AU6", "AU7", "AU10", "AU12", "AU15", "AU23", "AU24", "AU25", "AU26")

What = Literal["va", "expr", "au"]
Row = Sequence[float]
Measure = Callable[[Sequence[Row], Sequence[Row | None], Sequence[str]], list[Figure]]


@cache
def _unit_names() -> LabelTable:
    return canonicaliser(tuple(f"AU{number}" for number in NUMBERS))


def unit_cells(named: Sequence[str]) -> str | None:
    """A cell of 0 or 1 for each of the challenge's twelve units; None where a name is that of no action unit.

    Units are named by number or by their FACS names; those that the challenge does not ask for have no cell.
    """
    found = [_unit_names().label(name) for name in named]
    return None if None in found else ",".join("1" if unit in found else "0" for unit in UNITS)


def _ccc(truths: Sequence[Row], given: Sequence[Row | None], videos: Sequence[str]) -> list[Figure]:
    """CCC of valence and of arousal, and their mean, which ranks."""
    spec = FieldSpec(kind="number", low=-1, high=1)
    families, figures = [], []
    for at, name in enumerate(("valence", "arousal")):
        true = [one[at] for one in truths]
        said = [None if one is None else one[at] for one in given]
        families.append(family_for(spec, true, said))
        figures += figures_of(spec, true, said, videos, (("ccc", f"{name} CCC"),), part=name)
    rows = [family.rows() for family in families]
    width = rows[0].shape[1]

    def mean(totals: Floats) -> Floats:
        halves = totals[..., :width], totals[..., width:]
        told = [f.value("ccc", half) for f, half in zip(families, halves, strict=True)]
        return np.asarray((told[0] + told[1]) / 2)

    figures.append(figure_of("mean CCC", "mean_ccc", np.hstack(rows), videos, mean))
    return figures


def _classes(
    truths: Sequence[Row], given: Sequence[Row | None], videos: Sequence[str]
) -> list[Figure]:
    spec = FieldSpec(kind="label", labels=EXPRESSION_NAMES)
    true = [EXPRESSION_NAMES[int(one[0])] for one in truths]
    said = [None if one is None else EXPRESSION_NAMES[int(one[0])] for one in given]
    return figures_of(spec, true, said, videos, (("uf1", "macro F1"), ("uar", "UAR")))


def _units(
    truths: Sequence[Row], given: Sequence[Row | None], videos: Sequence[str]
) -> list[Figure]:
    spec = FieldSpec(kind="set", labels=UNITS)
    true = [_named(one) for one in truths]
    said = [None if one is None else _named(one) for one in given]
    return figures_of(spec, true, said, videos, (("macro_f1", "macro F1"),))


def _named(row: Row) -> tuple[str, ...]:
    return tuple(unit for unit, shown in zip(UNITS, row, strict=True) if shown)


MEASURES: Mapping[What, Measure] = MappingProxyType({"va": _ccc, "expr": _classes, "au": _units})
"""Challenge -> its figures for true rows, given rows and videos."""
