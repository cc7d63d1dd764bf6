"""Simulated coverage of the 95% intervals and type-I error of the paired tests.

    python -m results.benchmarks.coverage [REPETITIONS] > results/benchmarks/coverage.md

From the root of a checkout; about a quarter of an hour of one processor at 2,000 repetitions. Seeded. The
populations and the simulation are those of tests/stats/simulate.py; the first table is what
harness/stats/coverage.py prints beside an interval.
"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np

from harness.metrics import label_family
from harness.stats import bootstrap, difference_test
from tests.stats.simulate import METHODS, POPULATIONS, simulated_coverage, two_models

DRAWS = 1000
FEW = (5, 8, 12, 17, 24, 29)
MANY = (("even", 50, 1), ("skewed", 50, 1), ("coarse", 70, 1), ("four", 100, 1))
CLUSTERED = (("even", 50, 8), ("skewed", 50, 8), ("coarse", 50, 8), ("four", 50, 8))
PAIRED = (
    (300, 1, "accuracy"),
    (100, 1, "uar"),
    (60, 5, "uar"),
    (60, 5, "uf1"),
    (60, 5, "accuracy"),
    (20, 6, "uar"),
)


def few(repetitions: int) -> None:
    """Below 30 clusters of one sample: lowest and highest over the populations and both metrics."""
    print("## Few clusters, one sample each\n")
    print(f"| clusters | {' | '.join(METHODS)} |\n|---|{'---|' * len(METHODS)}")
    for clusters in FEW:
        found = [
            simulated_coverage(
                name, clusters=clusters, methods=METHODS, repetitions=repetitions, draws=DRAWS
            )
            for name in POPULATIONS
        ]
        cells = []
        for method in METHODS:
            shares = [
                share for one in found for (which, _), share in one.items() if which == method
            ]
            cells.append(f"{min(shares):.2f} to {max(shares):.2f}")
        print(f"| {clusters} | {' | '.join(cells)} |", flush=True)


def many(title: str, cases: tuple[tuple[str, int, int], ...], repetitions: int) -> None:
    """From 50 clusters, with ten samples or more expected of the rarest class."""
    print(f"\n## {title}\n")
    print(f"| population | clusters | samples in each | metric | {' | '.join(METHODS)} |")
    print(f"|---|---|---|---|{'---|' * len(METHODS)}")
    for name, clusters, within in cases:
        found = simulated_coverage(
            name,
            clusters=clusters,
            within=within,
            methods=METHODS,
            repetitions=repetitions,
            draws=DRAWS,
        )
        for metric in ("uar", "uf1"):
            shares = " | ".join(f"{found[method, metric]:.3f}" for method in METHODS)
            print(f"| {name} | {clusters} | {within} | {metric} | {shares} |", flush=True)


def false_alarms(clusters: int, within: int, metric: str, repetitions: int) -> dict[str, float]:
    """How often two equal models are told apart at .05: by the test, by an interval without 0."""
    generator, unit = np.random.default_rng(1), np.repeat(np.arange(clusters), within)
    alarms = dict.fromkeys(("test", *METHODS), 0)
    for seed in range(repetitions):
        truth, *answers = two_models(generator, clusters=clusters, within=within)
        a, b = (label_family(truth, answer) for answer in answers)
        rows, value = (a.rows(), b.rows()), partial(a.value, metric)
        width = rows[0].shape[1]
        alarms["test"] += difference_test(*rows, unit, value, flips=999, seed=seed).p <= 0.05
        for method in METHODS:
            found = bootstrap(
                np.hstack(rows),
                unit,
                lambda t, f=value, k=width: f(t[..., :k]) - f(t[..., k:]),
                draws=DRAWS,
                seed=seed,
                method=method,
            )
            alarms[method] += not found.low <= 0 <= found.high
    return {name: count / repetitions for name, count in alarms.items()}


def paired(repetitions: int) -> None:
    """Two models of the same quality, on clusters that are harder or easier for both and each."""
    print("\n## Type-I error at .05: two equal models on the same samples\n")
    print(f"{repetitions:,} repetitions; by p of the test, and by an interval without 0.\n")
    print(f"| clusters | samples in each | metric | test | p of the test | {' | '.join(METHODS)} |")
    print(f"|---|---|---|---|---|{'---|' * len(METHODS)}")
    for clusters, within, metric in PAIRED:
        found = false_alarms(clusters, within, metric, repetitions)
        test = "exact McNemar" if within == 1 and metric == "accuracy" else "sign-flip"
        shares = " | ".join(f"{share:.3f}" for share in found.values())
        print(f"| {clusters} | {within} | {metric} | {test} | {shares} |", flush=True)


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print("# Simulated coverage of 95% intervals of UAR and UF1\n")
    print(
        f"{repetitions:,} repetitions of {DRAWS:,} draws each: a standard error of at most "
        f"{0.5 / repetitions**0.5 * 0.8:.3f} near .80 and {(0.0475 / repetitions) ** 0.5:.3f} near "
        ".95. Populations: tests/stats/simulate.py. Samples of one cluster repeat the cluster's "
        "own truth and answer half of the time.\n"
    )
    few(repetitions)
    many("Fifty clusters and more, one sample each", MANY, repetitions)
    many("Fifty clusters of alike samples", CLUSTERED, repetitions)
    paired(repetitions)


if __name__ == "__main__":
    main()
