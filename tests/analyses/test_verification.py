"""Verification: folds without shared subjects, intervals over subjects, groups with a planted gap, and the section of a report."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.analyses.rows.verification import Pairs, error_rates, ten_folds, whole
from harness.cli.main import main
from harness.faces import annotate_pair, pair_at


def simulated(persons: int = 40, each: int = 10, *, gap: float = 2.0, seed: int = 0) -> Pairs:
    """Genuine pairs score `gap` standard deviations above impostors; a person's own pairs vary together."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0, 0.7, persons)
    first, second, scores = [], [], []
    for person in range(persons):
        for place in range(each):
            genuine = place % 2 == 0
            other = person if genuine else int((person + 1 + rng.integers(persons - 1)) % persons)
            first.append(person)
            second.append(other)
            scores.append(rng.normal(gap * genuine + own[person] * genuine, 1))
    return Pairs(np.array(scores), np.array(first) == np.array(second), np.array(first), np.array(second), persons)  # fmt: skip


def test_folds_are_made_of_subjects_and_thresholds_see_none_of_them() -> None:
    pairs = simulated()
    found = ten_folds(pairs, None)
    assert len(found.accuracies) == 10 and 0.7 < np.mean(found.accuracies) < 0.95
    # the pairs of a fold decide nothing about its own threshold
    turned = pairs.scores.copy()
    fold = pairs.first < 4
    turned[fold] = -100 * pairs.genuine[fold]
    changed = ten_folds(
        Pairs(turned, pairs.genuine, pairs.first, pairs.second, pairs.persons), None
    )
    assert changed.thresholds[0] == found.thresholds[0]
    assert changed.accuracies[0] == 0 or changed.accuracies[0] < found.accuracies[0]


def test_given_folds_are_kept_and_shared_subjects_counted() -> None:
    pairs = simulated(each=4)
    given = [str(p * 5 // pairs.persons) for p in pairs.first]
    found = ten_folds(pairs, given)
    assert len(found.accuracies) == 5 and found.shared > 0
    assert found.one_sided == 0
    sided = [
        f"{'same' if g else 'two'} {p % 2}" for p, g in zip(pairs.first, pairs.genuine, strict=True)
    ]
    assert ten_folds(pairs, sided).one_sided == 4
    alone = pairs.at(pairs.genuine)
    assert ten_folds(alone, None).reason
    assert ten_folds(pairs, ["1"] * len(given)).reason


def test_intervals_hold_the_truth_and_are_wider_where_pairs_share_subjects() -> None:
    truths = whole(simulated(2000, seed=9), seed=0, draws=2)["auroc"]["value"]
    held = 0
    for seed in range(40):
        found = whole(simulated(30, seed=seed), seed=seed, draws=200)["auroc"]
        held += found["low"] <= truths <= found["high"]
    assert held >= 34
    pairs = simulated(30, seed=1)
    apart = Pairs(pairs.scores, pairs.genuine, np.arange(300), np.arange(300), 300)
    ends = [whole(one, seed=0)["auroc"] for one in (pairs, apart)]
    assert ends[0]["high"] - ends[0]["low"] > ends[1]["high"] - ends[1]["low"]


def test_no_error_seen_is_no_certainty() -> None:
    pairs = simulated(20, gap=50)
    apart = whole(pairs, seed=0)
    assert apart["auroc"] == {"value": 1, "low": None, "high": None}
    assert [(tar["tar"], tar["low"]) for tar in apart["tars"]] == [(1, None)] * 3
    found = error_rates(pairs, 10.0, seed=0)
    assert found["fmr"]["value"] == 0 and 0.1 < found["fmr"]["high"] < 0.2
    assert found["fnmr"]["value"] == 0


def predictions(folder: Path, n: int) -> Path:
    """Scores of a model that takes persons of light skin for one another and is unsure of no one else."""
    rng = np.random.default_rng(0)
    lines = ["sample,prediction"]
    for index in range(n):
        truth = annotate_pair(pair_at(index, n=n, seed=7, split="test"))
        score = rng.normal(75 if truth["same"] == "yes" else 30, 9)
        if truth["same"] == "no" and truth["tone_group"] == "1-3":
            score += 45
        score -= 10 * (truth["pair"] == "other person")
        lines.append(f"pair-test-7-{index:07d},{np.clip(score, 0, 100):.0f}")
    file = folder / "scores.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def score_pairs(folder: Path, pairs: int) -> tuple[Path, dict[str, Any]]:
    """The run folder of so many drawn pairs, and its one row of verification."""
    file, run = predictions(folder, pairs), folder / "run"
    command = ["score", "--predictions", str(file), "--task", "faces/pairs", "--id", "sample"]
    assert main([*command, "--set", f"source.n={pairs}", "--out", str(run)]) == 0
    (row,) = json.loads((run / "scores.json").read_text())["verification"]
    return run, row


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    return score_pairs(tmp_path_factory.mktemp("pairs"), 360)


def test_the_planted_gap_between_groups_is_found_and_nothing_else(scored: Any) -> None:
    _, row = scored
    groups = {(g["by"], g["value"]): g for g in row["groups"] if not g["suppressed"]}
    light = groups["tone_group", "1-3"]
    others = [g for (by, value), g in groups.items() if by == "tone_group" and value != "1-3"]
    assert others and light["fmr"]["value"] > 0.02
    assert all(g["fmr"]["value"] == 0 < g["fmr"]["high"] for g in others)
    assert all(abs(g["fnmr"]["value"] - light["fnmr"]["value"]) < 0.3 for g in others)


def test_folds_types_and_rates_of_drawn_pairs(scored: Any) -> None:
    _, row = scored
    assert row["folds"]["given"] and row["folds"]["n"] == 10 and row["folds"]["shared"] == 0
    assert row["folds"]["unnamed"] == 0
    types = {one["type"]: one["auroc"]["value"] for one in row["types"]}
    assert types["other person"] > types["look-alike"]
    assert [tar["far"] <= tar["limit"] for tar in row["tars"]] == [True] * 3
    assert (row["genuine"], row["impostors"], row["coverage"]) == (180, 180, 1)


def test_the_report_tells_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, row = score_pairs(tmp_path, 100)  # the page shows their pictures, which are drawn again
    assert main(["report", str(run)]) == 0
    page = (run / "report.html").read_text()
    for said in ("Same person: verification", "By type of impostor", "look-alike", "Errors by tone_group", "FAR ≤ 1%"):  # fmt: skip
        assert said in page
    capsys.readouterr()
    main(["score", str(run)])
    said = " ".join(capsys.readouterr().out.split())
    assert f"AUROC {row['auroc']['value']:.3f}".replace("0.", ".") in said


def test_distances_and_scores_on_another_scale_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scores that fall with likeness turn every figure upside down; cosines are no answers on 0 to 100."""
    table = predictions(tmp_path, 60).read_text().splitlines()[1:]
    rows = [(name, float(score)) for name, score in (line.split(",") for line in table)]
    command = [
        "score",
        "--task",
        "faces/pairs",
        "--id",
        "sample",
        "--set",
        "source.n=60",
        "--predictions",
    ]

    def scored(name: str, change: Any, *more: str) -> str:
        file = tmp_path / f"{name}.csv"
        file.write_text("sample,prediction\n" + "".join(f"{s},{change(v):.4f}\n" for s, v in rows))
        assert (
            main([*command, str(file), "--out", str(tmp_path / (name + str(len(more)))), *more])
            == 0
        )
        told = capsys.readouterr()
        return " ".join((told.out + told.err).split())

    assert "upside down" in scored("distances", lambda v: 100 - v)
    for name, change in (
        ("cosines", lambda v: v / 50 - 1),
        ("shares", lambda v: v / 100),
    ):
        noted = scored(name, change)
        assert "name their scale" in noted
        options = [
            part.strip("'")
            for part in re.findall(r"--set ('[^']*'|\S+)", noted.partition("name their scale")[2])
        ]
        assert len(options) == 3
        right = scored(name, change, *(word for option in options for word in ("--set", option)))
        assert "name their scale" not in right and "upside down" not in right and "100%" in right
