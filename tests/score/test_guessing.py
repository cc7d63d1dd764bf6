"""The score of guessing: closed forms against guesses that are drawn and scored one by one."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core.field import FieldSpec
from harness.core.sample import Value
from harness.metrics import family_for
from harness.run.dictionary_encoding import coded
from harness.score.baselines import fit
from harness.score.guessing import Guesses, guessed

LABELS = FieldSpec(kind="label", labels=("a", "b", "c", "d"))
NUMBERS = FieldSpec(kind="number", low=-1, high=1)
SETS = FieldSpec(kind="set", labels=("x", "y", "z"))
DRAWN = 1500


def expected(
    spec: FieldSpec, truth: list[Value], metrics: list[str]
) -> dict[str, tuple[float, float, float]]:
    """Metric -> value and range of guessing by the frequencies of these truths."""
    every = Guesses((fit(spec.kind, truth),), np.zeros(len(truth), dtype=np.int32))
    found = guessed(spec, coded(truth), every)
    told = found.intervals(metrics, found.mean, spec, level=0.95)
    return {m: (v, i.low, i.high) for m, (v, i) in zip(metrics, told, strict=True)}


def drawn(spec: FieldSpec, truth: list[Value], metrics: list[str]) -> dict[str, np.ndarray]:
    """Metric -> the scores of many guessers."""
    generator, one = np.random.default_rng(3), fit(spec.kind, truth)
    shares = np.array(one.counts) / sum(one.counts)
    found: dict[str, list[float]] = {m: [] for m in metrics}
    for _ in range(DRAWN):
        chosen = generator.choice(len(shares), size=len(truth), p=shares)
        family = family_for(spec, truth, [one.values[c] for c in chosen])
        totals = family.rows().sum(axis=0)
        for metric, values in found.items():
            values.append(float(family.value(metric, totals)))
    return {metric: np.array(values) for metric, values in found.items()}


def labels(n: int) -> list[Value]:
    generator = np.random.default_rng(n)
    return [*"abcd", *generator.choice(list("abcd"), size=n - 4, p=[0.5, 0.25, 0.15, 0.1]).tolist()]


def numbers(n: int) -> list[Value]:
    return [float(x) for x in np.clip(np.random.default_rng(n).normal(0.2, 0.4, n), -1, 1).round(4)]


def sets(n: int) -> list[Value]:
    generator = np.random.default_rng(n)
    return [tuple(s for s in "xyz" if generator.random() < 0.4) for _ in range(n)]


@pytest.mark.parametrize(
    ("spec", "truth", "metrics"),
    [
        (LABELS, labels(24), ["accuracy", "uar", "uf1", "kappa", "mcc", "weighted_f1"]),
        (LABELS, labels(200), ["accuracy", "uar", "uf1", "kappa", "recall[a]", "precision[a]"]),
        (NUMBERS, numbers(40), ["ccc", "rmse", "mae", "pcc", "sagr"]),
        (NUMBERS, numbers(300), ["ccc", "rmse", "mae", "pcc", "sagr"]),
        (SETS, sets(60), ["set_f1", "micro_f1", "macro_f1", "exact_match", "f1[x]"]),
    ],
)
def test_guessing_scores_what_drawn_guesses_score(
    spec: FieldSpec, truth: list[Value], metrics: list[str]
) -> None:
    found, oracle = expected(spec, truth, metrics), drawn(spec, truth, metrics)
    for metric, (value, low, high) in found.items():
        scores = oracle[metric][~np.isnan(oracle[metric])]
        assert value == pytest.approx(scores.mean(), abs=0.004 + 4 * scores.std() / DRAWN**0.5)
        inside = np.mean((scores >= low - 1e-9) & (scores <= high + 1e-9))
        assert 0.92 <= inside <= 0.99, (metric, inside)


def test_shares_are_exact() -> None:
    truth: list[Value] = [*"aaaaaa", *"bbb", "c"]
    found = expected(LABELS, truth, ["accuracy", "uar", "recall[a]", "recall[c]"])
    assert found["accuracy"][0] == pytest.approx(0.36 + 0.09 + 0.01)
    assert found["uar"][0] == pytest.approx(1 / 3)
    assert found["recall[a]"][0] == pytest.approx(0.6)
    spread = (0.6 * 0.4 / 6) ** 0.5
    assert found["recall[a]"][2] == pytest.approx(0.6 + 1.959964 * spread, abs=1e-5)
    assert found["recall[c]"][1] == 0.0


def test_one_answer_leaves_no_luck() -> None:
    assert expected(LABELS, ["b"] * 9, ["accuracy", "uar"])["uar"] == (1.0, 1.0, 1.0)
    assert expected(NUMBERS, [0.5] * 9, ["mae"])["mae"] == (0.0, 0.0, 0.0)


def test_very_many_numbers_are_guessed_by_evenly_spaced_ones() -> None:
    truth = np.random.default_rng(0).uniform(-1, 1, 20_000).tolist()
    found = expected(NUMBERS, truth, ["mae", "rmse", "ccc"])
    assert found["mae"][0] == pytest.approx(2 / 3, abs=0.005)
    assert found["rmse"][0] == pytest.approx((2 / 3) ** 0.5, abs=0.005)
    assert found["ccc"][0] == pytest.approx(0.0, abs=0.005)
    assert found["mae"][1] == pytest.approx(2 / 3 - 1.96 * 0.00277, abs=0.006)
