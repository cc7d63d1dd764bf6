"""Simulated raters of known accuracy: how often the intervals of `harness score --ratings` hold the truth, and where a
model that is one more rater ranks.

    python results/benchmarks/raters.py [STUDIES]
    python results/benchmarks/raters.py overall [STUDIES]

The second writes the section on accuracy overall alone, over more studies.

P(right) is a logistic function of condition, emotion, rater and item (tests/raters/simulate.py); raters and items have a
standard deviation of .7 in log odds. Writes raters.md beside this file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness.raters.accuracy import accuracy_of
from harness.raters.among import Among, among
from harness.raters.model_run import ModelRater
from harness.raters.table import RatingTable, read_ratings
from tests.raters.simulate import EMOTIONS, World, drawn, write

LEVEL = {
    ("AV", "anger"): 1.0, ("AV", "joy"): 2.0, ("AV", "sadness"): 0.5,
    ("V", "anger"): -0.3, ("V", "joy"): 2.0, ("V", "sadness"): 0.5,
}  # fmt: skip
"""Anger is read worse without sound; the other two are as easy."""
SIZES = ((10, 3), (20, 5), (20, 10), (35, 6))
"""(raters in each group, items of each emotion)."""
HUMANS = 8
DRAWS = 500
OVERALL = "## Accuracy overall, more closely"
CLOSER = ((10, 3, False), (35, 6, True))
FIRST, FEWER_DRAWS = 1000, 200
"""Seed of the first study of that section, and its bootstrap draws."""


def coverage(raters: int, items: int, within: bool, studies: int, folder: Path) -> list[str]:
    """One line: coverage of accuracies, of differences, and how often no difference is called one."""
    world = World(LEVEL)
    held = {"share": 0, "difference": 0, "whole": 0}
    asked = {"share": 0, "difference": 0, "whole": 0}
    false, found_anger = 0, 0
    for seed in range(studies):
        rows = drawn(world, raters=raters, items=items, within=within, seed=seed)
        table = read_ratings(write(folder / "r.csv", rows), known={}, truth="true")
        found = accuracy_of(
            table, table.fields[0], table.truths, against="V", draws=DRAWS, seed=seed
        )
        assert found is not None
        for score in found.scores:
            truth = _truth(world, score.condition, score.name)
            interval = score.estimate.interval
            kind = "share" if score.name in EMOTIONS else "whole"
            asked[kind] += 1
            held[kind] += interval.low <= truth <= interval.high
        for one in found.differences:
            truth = _truth(world, "AV", one.name) - _truth(world, "V", one.name)
            interval = one.estimate.interval
            asked["difference"] += 1
            held["difference"] += interval.low <= truth <= interval.high
            if one.name in ("joy", "sadness"):
                false += one.p < 0.05
            found_anger += one.name == "anger" and one.p < 0.05
    return [
        str(raters), str(items), "within" if within else "between",
        *(f"{held[kind] / asked[kind]:.3f}" for kind in held),
        f"{false / (2 * studies):.3f}", f"{found_anger / studies:.2f}",
    ]  # fmt: skip


def _truth(world: World, condition: str, name: str) -> float:
    names = EMOTIONS if name not in EMOTIONS else (name,)
    return float(np.mean([world.right(condition, emotion) for emotion in names]))


def placed(table: RatingTable, answers: dict[str, str], seed: int, epsilon: float = 0.1) -> Among:
    """A model that gives these answers, among the raters."""
    model = ModelRater("model", "none", "V", {(item, "emotion"): a for item, a in answers.items()})
    found = among(table, table.fields[0], model, table.truths, epsilon=epsilon, seed=seed)
    assert found is not None
    return found


def true_difference(world: World, folder: Path) -> float:
    """Agreement of a typical rater minus that of raters, over so many raters and items that it stands for all."""
    rows = drawn(world, raters=81, items=150, within=True, seed=1, typical=True)
    last = {row[1]: row[4] for row in rows if row[0] == rows[-1][0]}
    others = [row for row in rows if row[0] != rows[-1][0]]
    table = read_ratings(write(folder / "r.csv", others), known={}, truth="true")
    return float(placed(table, last, 0).difference.value)


def ranks(items: int, studies: int, folder: Path) -> list[str]:
    """One line: a typical rater of the same world as the model, and a copy of the rater of median agreement."""
    world = World({k: v for k, v in LEVEL.items() if k[0] == "V"})
    true = true_difference(world, folder)
    rank, right, covered, passes, copies = [], [], 0, {0.1: 0, 0.2: 0}, []
    for seed in range(studies):
        rows = drawn(world, raters=HUMANS + 1, items=items, within=True, seed=seed, typical=True)
        people = list(dict.fromkeys(row[0] for row in rows))
        last = {row[1]: row[4] for row in rows if row[0] == people[-1]}
        others = [row for row in rows if row[0] != people[-1]]
        table = read_ratings(write(folder / "r.csv", others), known={}, truth="true")
        found = placed(table, last, seed)
        rank.append(found.rank.value)
        right.append(found.right_rank)
        difference = found.difference
        covered += difference.low <= true <= difference.high
        for epsilon in passes:
            test = found.test if epsilon == 0.1 else placed(table, last, seed, epsilon).test
            passes[epsilon] += test.winning_rate >= 0.5
        odd = [row for row in others if row[0] != people[0]]  # seven raters have a median one
        table = read_ratings(write(folder / "r.csv", odd), known={}, truth="true")
        order = sorted(placed(table, last, seed).raters, key=lambda one: one.own)
        median = order[len(order) // 2].name
        copy = placed(table, {row[1]: row[4] for row in odd if row[0] == median}, seed)
        copies.append(copy.rank.value)
    return [
        str(3 * items), f"{np.mean(rank):.0f}", f"{np.mean(right):.0f}", f"{covered / studies:.3f}",
        f"{np.mean(copies):.1f} ({min(copies):.0f} to {max(copies):.0f})",
        f"{passes[0.1] / studies:.2f}", f"{passes[0.2] / studies:.2f}",
    ]  # fmt: skip


def overall(raters: int, items: int, within: bool, studies: int, folder: Path) -> str:
    """One line: coverage of the accuracy over all emotions, over studies that the first table does not hold."""
    world = World(LEVEL)
    held = []
    for seed in range(FIRST, FIRST + studies):
        rows = drawn(world, raters=raters, items=items, within=within, seed=seed)
        table = read_ratings(write(folder / "r.csv", rows), known={}, truth="true")
        found = accuracy_of(
            table, table.fields[0], table.truths, against="V", draws=FEWER_DRAWS, seed=seed
        )
        assert found is not None
        inside = [
            s.estimate.interval.low
            <= _truth(world, s.condition, s.name)
            <= s.estimate.interval.high
            for s in found.scores
            if s.name not in EMOTIONS
        ]
        held.append(float(np.mean(inside)))
    error = np.std(held) / np.sqrt(studies)
    design = "within" if within else "between"
    return f"| {raters} | {items} | {design} | {np.mean(held):.3f} ± {error:.3f} |"


def write_overall(studies: int) -> None:
    """Put the section behind the rest of the page."""
    with tempfile.TemporaryDirectory() as scratch:
        rows = [overall(*row, studies, Path(scratch)) for row in CLOSER]
    head = (
        f"Made by `python results/benchmarks/raters.py overall {studies}`: {studies} other studies for each row, with the standard "
        "error of the share. In the first table, over fewer studies, these rows lie at the edge or below .93."
    )
    table = "| raters (of each group) | items of each emotion | design | accuracy overall |"
    page = Path(__file__).with_suffix(".md")
    before = page.read_text(encoding="utf-8").partition(OVERALL)[0].rstrip()
    lines = [before, "", OVERALL, "", head, "", table, "|---|---|---|---|", *rows, ""]
    page.write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    """Simulate and write."""
    if sys.argv[1:2] == ["overall"]:
        write_overall(int(sys.argv[2]) if len(sys.argv) > 2 else 800)
        return
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        covers = [
            coverage(raters, items, within, studies, folder)
            for raters, items in SIZES
            for within in (True, False)
        ]
        placings = [ranks(items, studies // 2, folder) for items in (4, 10, 30)]
    lines = [
        "# Ratings by people: coverage, and a model among raters",
        "",
        f"Made by `python results/benchmarks/raters.py {studies}`: {studies} simulated studies for each row, two conditions, "
        "three emotions; raters and items differ with a standard deviation of .7 in log odds. Asked: intervals of 95% hold "
        "the truth in .93 or more of studies.",
        "",
        "| raters (of each group) | items of each emotion | design | accuracy by emotion | differences between conditions | "
        "accuracy overall | no difference called one, p < .05 (Holm) | planted difference found |",
        "|---|---|---|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in covers),
        "",
        f"A model that is one more rater, of median skill, among {HUMANS} raters ({studies // 2} studies for each row). On "
        "average it should rank near 50, and the interval of its agreement minus the raters' should hold the true difference "
        "(from 80 raters and 450 items). A copy of the median of seven raters should rank at 50.",
        "",
        "| items | mean rank by agreement | mean rank by accuracy | intervals of the difference that hold the true one | rank of a copy of "
        "the median rater | passes the alternative annotator test, epsilon .1 | epsilon .2 |",
        "|---|---|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in placings),
        "",
    ]
    Path(__file__).with_suffix(".md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
