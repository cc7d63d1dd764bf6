"""The alternative annotator test: may a model stand in for human raters?

Calderon, Reichart and Dror 2025, The Alternative Annotator Test for LLM-as-a-Judge (ACL 2025, arXiv 2501.10970). Each
rater j in turn is left out. On each item that j and another rater rated, the model and j are compared by how well each
agrees with the remaining raters: for labels by the share of them that say the same, for numbers by minus the root mean
squared difference. W_model is 1 where the model agrees at least as well as j, W_human is 1 where j agrees at least as
well as the model (a tie gives both 1). With rho the means of the two over j's items, the hypothesis for rater j is

    H0: rho_model <= rho_human - epsilon        H1: rho_model > rho_human - epsilon

tested on d = W_human - W_model, whose mean is below epsilon under H1: a one-sample t test, below 30 items Wilcoxon's
signed-rank test. The p of all raters are adjusted by Benjamini and Yekutieli, since they share items. The winning rate
is the share of raters whose H0 is rejected at q = .05; the model passes at .5 or more. Epsilon is what the human's
higher cost is worth: .2 for experts, .15 for trained raters, .1 for crowd workers. The advantage probability is the
mean of rho_model over raters: how likely the model is at least as good as a rater drawn at random.

Where the model gave no answer it agrees with nobody (the authors' program leaves such items out).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.stats.multiple import benjamini_yekutieli
from harness.stats.student import two_sided_p

Floats = NDArray[np.float64]
Answer: TypeAlias = "Hashable | None"

Q = 0.05
"""The share of false rejections among all that is allowed."""
PASSES = 0.5
"""The winning rate from which the model passes."""
LEAST_ITEMS = 30
"""Items of a rater below which the t test is replaced by Wilcoxon's."""


@dataclass(frozen=True, slots=True)
class Seat:
    """The model against one rater."""

    rater: str
    items: int
    """Items that the rater and another one rated."""
    model: float
    """rho of the model: share of items on which it agrees with the others at least as well as the rater; nan for none."""
    human: float
    """rho of the rater."""
    p: float
    """One-sided, not adjusted; nan below two items."""
    adjusted: float
    """By Benjamini and Yekutieli over all raters."""

    @property
    def won(self) -> bool:
        """Whether the model is no worse than this rater, by less than epsilon."""
        return self.adjusted <= Q


@dataclass(frozen=True, slots=True)
class AlternativeTest:
    """The test over all raters."""

    epsilon: float
    seats: tuple[Seat, ...]
    """In the order given; raters without a shared item have nan."""
    unanswered: int
    """Items compared on which the model gave no answer."""

    @property
    def tested(self) -> tuple[Seat, ...]:
        """The raters with a test."""
        return tuple(seat for seat in self.seats if not math.isnan(seat.p))

    @property
    def winning_rate(self) -> float:
        """Share of tested raters against whom the model won; nan without any."""
        tested = self.tested
        return sum(seat.won for seat in tested) / len(tested) if tested else math.nan

    @property
    def advantage(self) -> float:
        """Mean over tested raters of the model's rho; nan without any."""
        tested = self.tested
        return sum(seat.model for seat in tested) / len(tested) if tested else math.nan


def alternative_test(
    raters: Mapping[str, Sequence[Answer]],
    model: Sequence[Answer],
    *,
    numeric: bool,
    epsilon: float,
) -> AlternativeTest:
    """Run the test.

    Args:
        raters: rater -> one answer for each of n items, None where there is none.
        model: its n answers.
        numeric: whether answers are numbers, compared by root mean squared difference.
        epsilon: 0 up to, not including, 1.

    Raises HarnessError for another epsilon or fewer than two raters.
    """
    if not 0 <= epsilon < 1:
        raise HarnessError(
            f"epsilon {epsilon:g} is not from 0 to below 1",
            hint="use .2 for experts, .15 for trained raters, .1 for crowd workers",
        )
    if len(raters) < 2:
        raise HarnessError(
            "the alternative annotator test needs two raters or more",
            hint="three or more are advised",
        )
    rows, used = [], set()
    for name, own in raters.items():
        others = [answers for other, answers in raters.items() if other != name]
        places = [
            at
            for at, answer in enumerate(own)
            if answer is not None and any(a[at] is not None for a in others)
        ]
        used.update(places)
        pairs = [_compared(own, model, others, at, numeric=numeric) for at in places]
        rows.append((name, np.array(pairs, dtype=float).reshape(-1, 2)))
    p_values = [_p(pairs[:, 1] - pairs[:, 0], epsilon) for _, pairs in rows]
    adjusted = benjamini_yekutieli(p_values)
    seats = [
        Seat(
            name, len(pairs),
            float(pairs[:, 0].mean()) if len(pairs) else math.nan,
            float(pairs[:, 1].mean()) if len(pairs) else math.nan,
            p, float(q),
        )
        for (name, pairs), p, q in zip(rows, p_values, adjusted, strict=True)
    ]  # fmt: skip
    return AlternativeTest(epsilon, tuple(seats), sum(model[at] is None for at in used))


def _compared(
    own: Sequence[Answer],
    model: Sequence[Answer],
    others: Sequence[Sequence[Answer]],
    at: int,
    *,
    numeric: bool,
) -> tuple[bool, bool]:
    """(W_model, W_human) on one item."""
    remaining = [answers[at] for answers in others if answers[at] is not None]
    said = _alignment(model[at], remaining, numeric=numeric)
    human = _alignment(own[at], remaining, numeric=numeric)
    return said >= human, human >= said


def _alignment(answer: Answer, remaining: Sequence[Answer], *, numeric: bool) -> float:
    if answer is None:
        return -math.inf if numeric else 0.0
    if numeric:
        squares = [(float(answer) - float(other)) ** 2 for other in remaining]  # type: ignore[arg-type]
        return -math.sqrt(sum(squares) / len(squares))
    return sum(answer == other for other in remaining) / len(remaining)


def _p(differences: Floats, epsilon: float) -> float:
    """One-sided: how likely so small a mean (or rank sum) is where the true one is epsilon."""
    n = differences.size
    if n < 2:
        return math.nan
    if n < LEAST_ITEMS:
        return signed_rank_p(differences - epsilon)
    mean, spread = float(differences.mean()) - epsilon, float(differences.std(ddof=1))
    if spread == 0:
        return 0.0 if mean < 0 else 1.0
    t = mean / spread * math.sqrt(n)
    half = two_sided_p(t, n - 1) / 2
    return half if t < 0 else 1 - half


def signed_rank_p(values: Floats) -> float:
    """Wilcoxon's (1945) signed-rank test of a median of 0 against one below: exact, over all choices of signs.

    Ties share their mean rank; zeros are left out. 1 where nothing is left.
    """
    values = values[np.abs(values) > 1e-12]
    if not values.size:
        return 1.0
    _, place, counts = np.unique(
        np.round(np.abs(values), 12), return_inverse=True, return_counts=True
    )
    doubled = (2 * np.cumsum(counts) - counts + 1)[place.ravel()]
    positive = int(doubled[values > 0].sum())
    ways = np.zeros(int(doubled.sum()) + 1)
    ways[0] = 1.0
    for rank in doubled:
        moved = np.zeros_like(ways)
        moved[rank:] = ways[: ways.size - rank]
        ways = (ways + moved) / 2
    return float(min(1.0, ways[: positive + 1].sum()))
