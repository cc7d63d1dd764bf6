"""Simulated coverage of the 95% intervals, and type-I error and power of the paired tests.

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
from harness.stats.bootstraps import bootstrap
from harness.stats.paired import difference_test
from harness.stats.paired import paired as pair_up
from tests.stats.simulate import (
    METHODS,
    POPULATIONS,
    UNEQUAL,
    leaning_models,
    members,
    simulated_coverage,
    simulated_numbers,
    two_models,
)

DRAWS = 1000
FEW = (5, 8, 12, 17, 24, 29)
MANY = (("even", 50, 1), ("skewed", 50, 1), ("coarse", 70, 1), ("four", 100, 1))
CLUSTERED = (("even", 50, 8), ("skewed", 50, 8), ("coarse", 50, 8), ("four", 50, 8))
LEANING = (
    # clusters, samples in each, shares of the classes, gap of the second column of shares
    (60, (1,), (0.35, 0.3, 0.35), 0.25),
    (60, (1,), (0.7, 0.2, 0.1), 0.25),
    (60, (5,), (0.35, 0.3, 0.35), 0.15),
    (60, UNEQUAL, (0.35, 0.3, 0.35), 0.15),
    (300, (1,), (0.35, 0.3, 0.35), 0.12),
)
PAIRED = (
    (300, 1, "accuracy"),
    (100, 1, "uar"),
    (60, 5, "uar"),
    (60, 5, "uf1"),
    (60, 5, "accuracy"),
    (20, 6, "uar"),
)


def few(title: str, within: int | tuple[int, ...], repetitions: int) -> None:
    """Below 30 clusters: lowest and highest over the populations and both metrics."""
    print(f"## {title}\n")
    print(f"| clusters | {' | '.join(METHODS)} |\n|---|{'---|' * len(METHODS)}")
    for clusters in FEW:
        found = [
            simulated_coverage(
                name,
                clusters=clusters,
                within=within,
                methods=METHODS,
                repetitions=repetitions,
                draws=DRAWS,
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


def unequal(repetitions: int) -> None:
    """50 and 100 clusters of 2, 4, 8 and 30 samples, as often each."""
    print("\n## Clusters of unequal sizes: 2, 4, 8 and 30 samples\n")
    print(f"| population | clusters | metric | {' | '.join(METHODS)} |")
    print(f"|---|---|---|{'---|' * len(METHODS)}")
    for clusters in (50, 100):
        for name in (*POPULATIONS, "numbers"):
            found = (
                simulated_numbers(
                    clusters=clusters, within=UNEQUAL, methods=METHODS, repetitions=repetitions, draws=DRAWS
                )
                if name == "numbers"
                else simulated_coverage(
                    name, clusters=clusters, within=UNEQUAL, methods=METHODS, metrics=("uar", "uf1", "accuracy"),
                    repetitions=repetitions, draws=DRAWS,
                )
            )  # fmt: skip
            for metric in dict.fromkeys(metric for _, metric in found):
                shares = " | ".join(f"{found[method, metric]:.3f}" for method in METHODS)
                print(f"| {name} | {clusters} | {metric} | {shares} |", flush=True)


def leaning(repetitions: int) -> None:
    """How often the t test and the swap tell two models apart that lean to different classes."""
    print("\n## Two models that prefer different classes\n")
    print(
        "Type-I error at .05 where both have one UAR (and, with classes equally common, one UF1), and power where one\n"
        "finds more of every class. `auto` is what is printed: the t test where each class stands in 10 clusters,\n"
        "else the swap.\n"
    )
    print(
        "| clusters | samples in each | classes | metric | gap | auto | t | swap |\n|---|---|---|---|---|---|---|---|"
    )
    for clusters, within, shares, more in LEANING:
        unit = members(clusters, within)
        for metric in ("uar", "uf1") if shares[0] == shares[2] else ("uar",):
            for gap in (0.0, more):
                generator, found = np.random.default_rng(1), {"auto": 0, "t": 0, "sign-flip": 0}
                for seed in range(repetitions):
                    truth, *answers = leaning_models(
                        generator, unit, lean=0.25, gap=gap, shares=shares
                    )
                    a, b = (label_family(truth, answer, classes=list("012")) for answer in answers)
                    rows, value = (a.rows(), b.rows()), partial(a.value, metric)
                    for test in ("t", "sign-flip"):
                        alarm = (
                            difference_test(*rows, unit, value, test=test, flips=999, seed=seed).p
                            <= 0.05
                        )
                        found[test] += alarm
                    found["auto"] += pair_up(a, b, metric, unit, flips=999, seed=seed).p <= 0.05
                told = " | ".join(f"{count / repetitions:.3f}" for count in found.values())
                sizes, mix = ", ".join(map(str, within)), ", ".join(f"{s:.2f}" for s in shares)
                print(f"| {clusters} | {sizes} | {mix} | {metric} | {gap} | {told} |", flush=True)


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
        mcnemar = within == 1 and metric == "accuracy"
        test = "exact McNemar" if mcnemar else "t" if clusters >= 50 else "sign-flip"
        shares = " | ".join(f"{share:.3f}" for share in found.values())
        print(f"| {clusters} | {within} | {metric} | {test} | {shares} |", flush=True)


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print("# Simulated coverage of 95% intervals, and the level of the paired tests\n")
    print(
        f"{repetitions:,} repetitions of {DRAWS:,} draws each: a standard error of at most "
        f"{0.5 / repetitions**0.5 * 0.8:.3f} near .80 and {(0.0475 / repetitions) ** 0.5:.3f} near "
        ".95. Populations: tests/stats/simulate.py. Samples of one cluster repeat the cluster's "
        "own truth and answer half of the time.\n"
    )
    few("Few clusters, one sample each", 1, repetitions)
    print()
    few("Few clusters of unequal sizes: 2, 4, 8 and 30 samples", UNEQUAL, repetitions)
    many("Fifty clusters and more, one sample each", MANY, repetitions)
    many("Fifty clusters of similar samples", CLUSTERED, repetitions)
    unequal(repetitions)
    paired(repetitions)
    leaning(repetitions)


if __name__ == "__main__":
    main()
