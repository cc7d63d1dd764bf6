"""Metrics of label fields whose truth is a distribution: the votes of several annotators, or a mixture.

An answer is a distribution over the field's K classes (probabilities of the labels, percentages that a model
wrote), or one label, which counts as a point mass and says so. Zeros are what logarithms cannot take: for KL and
cross-entropy truth and answer are mixed alike with `SMOOTHING` of the uniform distribution, so that of all answers
the truth itself still scores best; a point mass has no such number at all, since the smoothing alone would decide
it. The Jensen-Shannon divergence needs no smoothing and takes point masses as they are.

A missing answer is to these metrics the worst answer for its truth: it agrees with no annotator, and its
divergences are the greatest of all K point masses (all are convex in the answer, so none is greater).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.core.errors import HarnessError
from harness.metrics.family import Bools, Floats, measure, plain_names, ratio
from harness.metrics.metric import Metric, shipped, unknown_metric

SMOOTHING = 0.01
"""Weight of the uniform distribution that truth and answer are mixed with before a logarithm is taken: one percent,
the step of the percentages that models write."""

TOP_K = (2, 3)
TOP = "expected_accuracy@"
"""Before the k in a metric's name."""

POINT_METRICS = ("expected_accuracy", "js")
"""Those that an answer of one label has."""

NEEDS = "soft"
"""The family's name."""

_SUM_SLACK = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class SoftFamily:
    """True and answered distributions of n samples over K classes; see :func:`soft_family`."""

    truth: Floats
    """(n, K) rows that add up to 1."""
    within: Floats
    """(n,) 0..1: share of a sample's votes that are for one of the K classes."""
    predicted: Floats
    """(n, K) rows that add up to 1, nan where there was no answer."""
    point: bool
    """Whether answers are single labels, so that KL, cross-entropy and further places are refused."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metric names, without those that point masses or few classes do not have."""
        if self.point:
            return POINT_METRICS
        few = {f"{TOP}{k}" for k in TOP_K if k >= self.truth.shape[1]}
        return tuple(name for name in plain_names(NEEDS) if name not in few)

    @property
    def answered(self) -> Bools:
        """(n,) False where there was no answer."""
        return np.asarray(~np.isnan(self.predicted).any(axis=1))

    def rows(self) -> Floats:
        """(n, m + 1): each sample's terms of the m metrics in their order, then 1."""
        there = self.answered
        given = np.where(there[:, None], self.predicted, 1 / max(self.truth.shape[1], 1))
        terms = [
            np.where(there, self._term(name, given), self._worst(name)) for name in self.metrics
        ]
        return np.column_stack([*terms, np.ones(len(self.truth))])

    def value(self, metric: str, totals: Floats) -> Floats:
        """The metric's mean at totals (..., m + 1); shape (...), nan without samples."""
        names = self.metrics
        if self.point and metric not in names and metric in shipped(NEEDS):
            raise HarnessError(
                f"{metric} is refused for answers of one label: smoothing alone would decide it",
                hint="ask for probabilities (--channel logprob, or a prompt of percentages), or take js",
            )
        if metric in shipped(NEEDS) and metric not in names:
            raise unknown_metric(metric, names, "soft label")
        return measure(self, NEEDS, metric, totals, width=len(names) + 1)

    def _term(self, metric: str, given: Floats) -> Floats:
        if metric == "js":
            return jensen_shannon(self.truth, given)
        if metric == "kl":
            return kullback_leibler(self.truth, given)
        if metric == "cross_entropy":
            return cross_entropy(self.truth, given)
        places = 1 if metric == "expected_accuracy" else int(metric.removeprefix(TOP))
        return np.asarray(self.within * (self.truth * likeliest(given, places)).sum(axis=1))

    def _worst(self, metric: str) -> Floats:
        """(n,) what a missing answer gets."""
        if metric.startswith("expected"):
            return np.zeros(len(self.truth))
        masses = np.eye(self.truth.shape[1])
        every = [self._term(metric, np.broadcast_to(mass, self.truth.shape)) for mass in masses]
        return np.asarray(np.max(every, axis=0)) if every else np.zeros(len(self.truth))


def soft_family(
    truth: Sequence[Sequence[float]] | Floats,
    predicted: Sequence[Sequence[float] | None] | Floats,
    *,
    within: Sequence[float] | Floats | None = None,
    point: bool = False,
) -> SoftFamily:
    """Distributions of n samples over K classes; None (or a row of nan) is "not an answer".

    `within`: the share of each sample's votes that are for one of the classes, all of them where it is left out.
    `point`: the answers are single labels (`point_masses`). Raises HarnessError for unequal shapes, a negative share
    or a row that does not add up to 1.
    """
    true = np.asarray(truth, dtype=np.float64)
    if isinstance(predicted, np.ndarray):
        given = np.array(predicted, dtype=np.float64)
    else:
        blank = [np.nan] * (true.shape[1] if true.ndim == 2 else 0)
        given = np.array([blank if row is None else row for row in predicted], dtype=np.float64)
        given = given.reshape(len(predicted), len(blank))
    share = np.ones(len(true)) if within is None else np.asarray(within, dtype=np.float64)
    if true.ndim != 2 or given.shape != true.shape or share.shape != true.shape[:1]:
        raise HarnessError(
            f"truths of shape {true.shape}, answers of {given.shape}, shares of votes of {share.shape}",
            hint="give one row per sample and one column per class",
        )
    there = ~np.isnan(given).any(axis=1)
    _check(true, "truth")
    _check(given[there], "answer")
    given[~there] = np.nan
    return SoftFamily(truth=true, within=share, predicted=given, point=point)


def point_masses(labels: Sequence[str | None], classes: Sequence[str]) -> Floats:
    """(n, K) all on the answered label; rows of nan for None and for a label that is no class."""
    rows = np.full((len(labels), len(classes)), np.nan)
    places = {label: place for place, label in enumerate(classes)}
    for at, label in enumerate(labels):
        if label in places:
            rows[at] = 0.0
            rows[at, places[label]] = 1.0
    return rows


def likeliest(given: Floats, places: int) -> Floats:
    """(n, K) 1 for each row's `places` likeliest labels; labels equal at the last place share what is left of it.

    Labels of probability 0 are never among them.
    """
    last = np.sort(given, axis=1)[:, ::-1][:, places - 1 : places]
    above = (given > last) & (given > 0)
    equal = (given == last) & (given > 0)
    left = places - above.sum(axis=1, keepdims=True)
    return np.asarray(above + equal * left / np.maximum(equal.sum(axis=1, keepdims=True), 1))


def jensen_shannon(truth: Floats, given: Floats) -> Floats:
    """(n,) half KL(p, m) + half KL(q, m) with m = (p + q)/2, logarithm to base 2: 0..1 (Lin 1991)."""
    middle = (truth + given) / 2
    parts = _relative(truth, middle) + _relative(given, middle)
    return np.asarray(np.clip(parts / (2 * np.log(2)), 0.0, 1.0))


def kullback_leibler(truth: Floats, given: Floats, *, smoothing: float = SMOOTHING) -> Floats:
    """(n,) sum of p ln(p/q) of the smoothed distributions, nats, 0 and up (Kullback and Leibler 1951)."""
    return np.maximum(_relative(smoothed(truth, smoothing), smoothed(given, smoothing)), 0.0)


def cross_entropy(truth: Floats, given: Floats, *, smoothing: float = SMOOTHING) -> Floats:
    """(n,) sum of -p ln q of the smoothed distributions, nats: KL plus the truth's own entropy."""
    return np.asarray(
        -(smoothed(truth, smoothing) * np.log(smoothed(given, smoothing))).sum(axis=1)
    )


def smoothed(shares: Floats, smoothing: float) -> Floats:
    """Rows mixed with the uniform distribution: (1 - smoothing) p + smoothing/K."""
    return np.asarray((1 - smoothing) * shares + smoothing / max(shares.shape[-1], 1))


def _relative(p: Floats, q: Floats) -> Floats:
    """(n,) sum of p ln(p/q), where 0 ln 0 is 0."""
    terms = np.zeros(np.broadcast_shapes(p.shape, q.shape))
    ratios = np.divide(p, q, out=np.ones_like(terms), where=p > 0)
    return np.asarray((p * np.log(ratios)).sum(axis=1))


def _check(rows: Floats, what: str) -> None:
    bad = (rows < 0).any(axis=1) | ~(np.abs(rows.sum(axis=1) - 1) <= _SUM_SLACK)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise HarnessError(
            f"{what} {first} is not a distribution: {np.round(rows[first], 4).tolist()}",
            hint="shares are 0 or more and add up to 1",
        )


def _mean_of(name: str) -> Callable[[SoftFamily, Floats], Floats]:
    return lambda family, totals: ratio(totals[..., family.metrics.index(name)], totals[..., -1])


_SMOOTHED = f"both mixed with {SMOOTHING:.0%} of the uniform distribution, mean over samples"
METRICS: tuple[Metric, ...] = (
    Metric(
        name="expected_accuracy", title="Exp. acc.", needs=NEEDS, compute=_mean_of("expected_accuracy"),
        formula="(1/n) Σ_i w_i t_i(argmax_k y_i(k))",
        source="defined by this project",
        estimator="mean share of the votes for the likeliest label of the answer (of equals their mean): the "
        "chance that it is the label of one annotator drawn from the votes; votes for no class of the field count",
    ),
    *(
        Metric(
            name=f"{TOP}{k}", title=f"Exp. acc. @{k}", needs=NEEDS, compute=_mean_of(f"{TOP}{k}"),
            formula=f"(1/n) Σ_i w_i Σ of t_i(k) over the {k} likeliest labels k", source="defined by this project",
            estimator=f"the same for the {('two', 'three')[k - 2]} likeliest labels together; labels of probability 0 "
            "are not among them",
        )
        for k in TOP_K
    ),
    Metric(
        name="js", title="JS", needs=NEEDS, missing="counts as the worst answer for its truth", compute=_mean_of("js"), better="lower",
        formula="(1/n) Σ_i ½ KL(t_i, m_i) + ½ KL(y_i, m_i), m_i = (t_i + y_i) / 2, log to base 2",
        source="Lin 1991, IEEE Transactions on Information Theory 37(1)",
        estimator="Jensen-Shannon divergence (Lin 1991), logarithm to base 2, 0..1, mean over samples; 0 is the same "
        "distribution (its square root is the distance of some libraries)",
    ),
    Metric(
        name="kl", title="KL", needs=NEEDS, missing="counts as the worst answer for its truth", compute=_mean_of("kl"), better="lower", range=(0.0, math.inf),
        formula="(1/n) Σ_i Σ_k t_i(k) ln(t_i(k) / y_i(k))",
        source="Kullback & Leibler 1951, Annals of Mathematical Statistics 22(1)",
        estimator=f"Kullback-Leibler divergence of the answer from the truth in nats, {_SMOOTHED}; "
        "0 is the same distribution",
    ),
    Metric(
        name="cross_entropy", title="Cross-entropy", needs=NEEDS, missing="counts as the worst answer for its truth", compute=_mean_of("cross_entropy"),
        better="lower", range=(0.0, math.inf),
        formula="-(1/n) Σ_i Σ_k t_i(k) ln y_i(k)",
        source="standard definition",
        estimator=f"cross-entropy of the answer under the truth in nats, {_SMOOTHED}; "
        "least where the answer is the truth",
    ),
)  # fmt: skip
