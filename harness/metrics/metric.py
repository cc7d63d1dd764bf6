"""Metrics, and how they are found by name.

A metric is a pure function of *totals*: sums over samples of one row each, as the metric's family makes them (a
family is one way to compare truths with answers; see :mod:`harness.metrics.family`). Whoever has the function can
score the whole set, a slice or a resample of it, pair two runs and compare them, since all of these are sums of other
rows. So a metric is one record, and everything else asks that record: how a table heads it, which way is better,
between which values it lies, whether it is another metric by another name.

========  ==========================================  ====================================================
family    used by the field kinds                     totals (last axis), and what helps to read them
========  ==========================================  ====================================================
label     label, yes-no                               C*(C+1) counts; ``family.table(totals)`` is
                                                      (..., C, C+1), true class by answer, last column: none
                                                      of the C classes
set       set                                         5+3m; ``family.names`` are the m names
number    number                                      11 moments and sums; ``family.low``, ``family.high``
text      text                                        42 counts and sums
soft      label fields whose truth is a distribution  one sum a metric
========  ==========================================  ====================================================

A package adds a metric with a record and an entry point. Cohen's kappa would be::

    from harness.metrics import LabelFamily, Metric
    from harness.metrics.family import Floats, ratio

    def kappa(family: LabelFamily, totals: Floats) -> Floats:
        table = family.table(totals)                       # (..., C, C+1)
        count = table.sum(axis=(-2, -1))
        agreed = table.trace(axis1=-2, axis2=-1) / count
        chance = (table.sum(axis=-1) * table.sum(axis=-2)[..., :-1]).sum(axis=-1) / count**2
        return ratio(agreed - chance, 1 - chance)          # nan where it is undefined

    KAPPA = Metric(
        name="my_kappa", title="Cohen's κ", needs="label", range=(-1.0, 1.0), better="higher",
        estimator="Cohen (1960) kappa, a missing answer is a category of its own", compute=kappa,
    )

and, in the package's ``pyproject.toml``::

    [project.entry-points."harness.metrics"]
    my_kappa = "my_package.metrics:KAPPA"      # one Metric, or a list of them

It is then a name like any other: ``metrics: [uar, my_kappa]`` in a task file, ``--set``, tables, comparisons and
``harness list metrics``. A metric that needs to know more of a sample than its family's rows hold brings `terms` of its
own, as the share of answers that are more than ten years off::

    FAR_OFF = Metric(
        name="far_off", title="far off", needs="number", better="lower",
        estimator="share of answers more than 10 from the truth, a missing answer is",
        terms=lambda family: np.column_stack([
            ~(np.abs(family.truth - family.predicted) <= 10), np.ones(len(family.truth)),  # no answer is nan
        ]),
        columns=2, compute=lambda family, sums: ratio(sums[..., 0], sums[..., 1]),
    )
"""

from __future__ import annotations

import difflib
import importlib
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from harness.core.errors import HarnessError
from harness.core.registry import Listed, Registry

Better: TypeAlias = Literal["higher", "lower", "none"]

UNIT: tuple[float, float] = (0.0, 1.0)
"""The range of shares."""
SUFFIXES = ("_answered", "_shared", "_length_normalised")
"""What score rows write behind a metric's name: over which samples or answers it was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A named number of one family; see the module for an example."""

    name: str
    """As task files and score rows write it: letters, digits, `_`."""
    title: str
    """As tables head it: `UAR`."""
    needs: str
    """The family whose totals it reads: `label`, `set`, `number`, `text`, or that of a kind from outside."""
    estimator: str
    """One line: how it is computed, what a missing answer counts, with its source."""
    missing: str = "counts as a miss"
    """What becomes of a sample without an answer in the strict value, as it is said behind `a missing answer`."""
    imputes: bool = False
    """Whether a missing answer is given an error in place of being wrong. A strict value of few answers then says little
    of the model, which readers are told."""
    formula: str = ""
    """The formula in plain text, for the reference. Of samples i = 1..n and classes k = 1..C: t is the truth, y the
    answer, n_k and m_k how often k is true and is answered."""
    source: str = ""
    """Where the formula is from: authors, year, journal or venue."""
    compute: Callable[..., Any] | None = None
    """(family, totals (..., k)) -> values (...), nan where undefined; a class metric is given the place of the class as
    well. None for a number that no sums of rows give (a calibration error)."""
    terms: Callable[[Any], Any] | None = None
    """(family of n samples) -> (n, columns) finite terms of each sample, where the family's own rows do not hold what
    is needed; `compute` is then given the sums of these alone, (..., columns). For set, number and text fields: the
    counts of a label field leave nothing out. A sample's terms hang on that sample alone. `family.truth`, `family.predicted` and `family.answered` are at hand."""
    columns: int = 1
    """How many terms a sample has."""
    range: tuple[float, float] = UNIT
    """Least and greatest value; infinite where there is none."""
    better: Better = "higher"
    """Which way is better; `none` where neither is."""
    same_as: str = ""
    """A metric of the same family that this one is by another name (`war` is `accuracy`): one column shows both."""
    of_class: bool = False
    """One value for each class, written `recall[anger]`."""
    smooth: bool = True
    """Whether it has derivatives: a median has none, and the spread of guessing is then not told."""
    proportion: bool = False
    """A plain share of samples (of a class metric: of the samples of the class), so that Wilson's interval fits."""

    def __post_init__(self) -> None:
        low, high = self.range
        if self.terms is not None and (self.columns < 1 or self.compute is None or self.of_class):
            raise ValueError(
                f"metric {self.name}: terms come with columns and a compute of one value"
            )
        if not self.name.replace("_", "").replace("@", "").isalnum():
            raise ValueError(f"metric {self.name!r}: a name is letters, digits and _")
        if self.better not in {"higher", "lower", "none"}:
            raise ValueError(f"metric {self.name}: better is higher, lower or none")
        if math.isnan(low) or math.isnan(high) or not low < high:
            raise ValueError(f"metric {self.name}: its range {low}..{high} is empty")

    @property
    def sign(self) -> int:
        """1 where higher is better, -1 where lower is, 0 where neither is."""
        return {"higher": 1, "lower": -1, "none": 0}[self.better]


OUTSIDE = Registry("metric", "harness.metrics", {}, expects=(Metric, list, tuple))
"""Entry points of other packages: each a Metric or several."""

_SHIPPED: Mapping[str, str] = MappingProxyType(
    {
        "label": "harness.metrics.label",
        "set": "harness.metrics.sets",
        "number": "harness.metrics.numbers",
        "text": "harness.metrics.text",
        "soft": "harness.metrics.soft",
        "probability": "harness.metrics.calibration",
        "selective": "harness.metrics.selective",
        "spotting": "harness.metrics.spotting",
    }
)
"""Family -> the module whose METRICS are its own."""


def find_metric(name: str, needs: str) -> Metric:
    """The metric of a family by its name, as task files and score rows write it (`uar`, `recall[anger]`,
    `uar_answered`).

    Raises HarnessError that lists near names where the family has none such.
    """
    plain = base_name(name)
    found = shipped(needs).get(plain) or brought(needs).get(plain)
    if found is None or found.of_class != ("[" in name):
        raise unknown_metric(name, [written(m) for m in metrics_of(needs)], needs)
    return found


def metrics_of(needs: str) -> tuple[Metric, ...]:
    """All metrics of a family, those of other packages last."""
    return (*shipped(needs).values(), *brought(needs).values())


def missing_said(name: str, needs: str = "") -> str:
    """What a missing answer counts in the strict value of a metric, behind `a missing answer`; of an unknown metric, that
    its package says so."""
    found = named(name, needs)
    return "counts as the package of the metric says" if found is None else found.missing


def every_metric() -> tuple[Metric, ...]:
    """All metrics there are, family by family."""
    families = dict.fromkeys([*_SHIPPED, *(m.needs for m in _brought(tuple(sys.path))[0])])
    return tuple(metric for needs in families for metric in metrics_of(needs))


def named(name: str, needs: str = "") -> Metric | None:
    """The metric of this name, of the family `needs` where that has one, else of the first that has; None for an
    unknown name. For those who show numbers that were computed elsewhere."""
    plain = base_name(name)
    for family in (needs, *_SHIPPED):
        if plain in shipped(family):
            return shipped(family)[plain]
    others = [metric for metric in _brought(tuple(sys.path))[0] if metric.name == plain]
    return next((m for m in others if m.needs == needs), next(iter(others), None))


def broken() -> tuple[Listed, ...]:
    """The entry points of other packages' metrics that cannot be had, and what is wrong."""
    return _brought(tuple(sys.path))[1]


def titled(names: Iterable[str], needs: str) -> tuple[tuple[str, str], ...]:
    """(name, title) of some metrics of a family, for the columns of a table. Raises HarnessError for an unknown one."""
    return tuple((name, find_metric(name, needs).title) for name in names)


def base_name(name: str) -> str:
    """`recall[anger]_answered` -> recall."""
    name = name.partition("[")[0]
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def written(metric: Metric) -> str:
    """How it is asked for: `recall[CLASS]`, `uar`."""
    return f"{metric.name}[CLASS]" if metric.of_class else metric.name


def unknown_metric(name: str, known: Iterable[str], needs: str) -> HarnessError:
    """The error for a metric name that a family, or a kind of field, does not have."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    hint += f"choose from: {', '.join(names)}; or install the package that provides it"
    hint += "".join(f" ({one.line})" for one in broken())
    return HarnessError(f"no metric {name!r} for a {needs} field", hint=hint)


@cache
def shipped(needs: str) -> Mapping[str, Metric]:
    """This package's metrics of a family, by name, in the order of its tables; empty for a family from outside."""
    if needs not in _SHIPPED:
        return MappingProxyType({})
    metrics: Sequence[Metric] = importlib.import_module(_SHIPPED[needs]).METRICS
    return MappingProxyType({metric.name: metric for metric in metrics})


def brought(needs: str) -> Mapping[str, Metric]:
    """Other packages' metrics of a family, by name."""
    return _brought_of(needs, tuple(sys.path))


@cache
def _brought_of(needs: str, path: tuple[str, ...]) -> Mapping[str, Metric]:
    return MappingProxyType({m.name: m for m in _brought(path)[0] if m.needs == needs})


@cache
def _brought(path: tuple[str, ...]) -> tuple[tuple[Metric, ...], tuple[Listed, ...]]:
    """All that the packages on `path` (which says what is there) bring; and, of those left out, why.

    One broken package leaves the metrics of the others as they are.
    """
    found: dict[tuple[str, str], Metric] = {}
    wrong: list[Listed] = []
    for name in OUTSIDE.names():
        try:
            for metric in _loaded(name):
                key = metric.needs, metric.name
                if key in found or metric.name in shipped(metric.needs):
                    raise HarnessError(
                        f"entry point {name!r} of harness.metrics: a metric of {metric.needs} fields already has "
                        f"the name {metric.name!r}"
                    )
                found[key] = metric
        except HarnessError as error:
            wrong.append(Listed(name, f"broken: {error.message}", broken=True))
    return tuple(found.values()), tuple(wrong)


def _loaded(name: str) -> Sequence[Metric]:
    loaded = OUTSIDE.load(name)
    several = [loaded] if isinstance(loaded, Metric) else loaded
    if all(isinstance(m, Metric) for m in several):
        return tuple(several)
    raise HarnessError(
        f"{OUTSIDE.entry(name)} contains something that is not a harness.metrics.Metric"
    )
