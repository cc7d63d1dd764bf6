"""Model minus baseline, which "better than the baselines" rests on, and scores in which no spread is seen."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cli.main import main

TASK = """\
source: {family: table, file: nowhere.csv}
fields: FIELD
prompts: [emotion/plain]
"""
LABEL = "emotion: {kind: label, labels: [anger, happiness, fear], metrics: [uar, accuracy]}"
NUMBER = "valence: {kind: number, low: -1, high: 1, metrics: [METRIC, rmse, mae]}"


def scored(
    tmp_path: Path, field: str, pairs: list[tuple[Any, Any]], capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    with (tmp_path / "p.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [("name", "gt", "answer"), *((f"x{i}", *p) for i, p in enumerate(pairs))]
        )
    (tmp_path / "task.yaml").write_text(TASK.replace("FIELD", f"{{{field}}}"))
    command = [
        "score",
        "--predictions",
        str(tmp_path / "p.csv"),
        "--task",
        str(tmp_path / "task.yaml"),
    ]
    assert main([*command, "--out", str(tmp_path / "run"), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def labels(n: int, right: float) -> list[tuple[str, str]]:
    generator, names = np.random.default_rng(4), ["anger", "happiness", "fear"]
    truth = [names[i % 3] for i in range(n)]
    return [(t, t if generator.random() < right else str(generator.choice(names))) for t in truth]


@pytest.mark.parametrize(
    ("n", "right", "better", "reason"),
    [
        (60, 0.8, True, ""), (60, 0.05, False, ""), (9, 0.9, None, "fewer than 10"), (15, 0.9, None, "at worst"),
    ],
)  # fmt: skip
def test_better_is_claimed_where_the_paired_interval_says_so(
    n: int, right: float, better: bool | None, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    body = scored(tmp_path, LABEL, labels(n, right), capsys)
    rows = {row["baseline"]: row for row in body["against_baselines"]}
    values = {r["model"]: r["value"] for r in body["scores"] if r["metric"] == "uar"}
    for baseline in ("majority", "prior"):
        row = rows[baseline]
        expected = values["predictions:p.csv"] - values[baseline]
        assert row["difference"] == pytest.approx(expected, abs=1e-3)
        assert row["better"] is better and reason in row["reason"]
        assert row["low"] < row["difference"] < row["high"] and row["clusters"] == n


@pytest.mark.parametrize(("metric", "best"), [("mae", np.median), ("rmse", np.mean)])
def test_a_number_is_held_against_the_best_constant_of_its_metric(
    metric: str, best: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = np.round(np.random.default_rng(1).beta(1, 4, 41) * 2 - 1, 3)
    field = NUMBER.replace("METRIC", metric).replace(", mae]", "]" if metric == "mae" else ", mae]")
    body = scored(
        tmp_path,
        field.replace("rmse, rmse", "rmse"),
        [(t, round(t + 0.05, 3)) for t in truth],
        capsys,
    )
    errors = np.abs(truth - best(truth))
    expected = errors.mean() if metric == "mae" else np.sqrt((errors**2).mean())
    (row,) = [r for r in body["scores"] if r["model"] == "majority" and r["metric"] == metric]
    assert row["value"] == pytest.approx(expected, abs=1e-5)
    assert ("median" if metric == "mae" else "mean") in row["estimator"]
    assert all(r["better"] for r in body["against_baselines"] if r["metric"] == metric)


def test_a_perfect_score_has_an_interval_and_a_mark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [(t, t) for t, _ in labels(24, 1.0)]
    body = scored(tmp_path, LABEL, pairs, capsys)
    (uar,) = [
        r for r in body["scores"] if r["metric"] == "uar" and r["model"] == "predictions:p.csv"
    ]
    assert (uar["value"], uar["high"], uar["spread"]) == (1.0, 1.0, False)
    assert uar["low"] == pytest.approx(
        min(0.025 ** (1 / 24), 1 - (1 - 0.025 ** (1 / 8)) / 3), abs=1e-6
    )
    assert "Clopper-Pearson" in uar["estimator"] and "no spread was seen" in uar["estimator"]
    assert main(["score", str(tmp_path / "run")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "]*" in told and "* no spread was seen" in told
    assert "in simulations such 95% intervals hold the truth in .91 to .95 of cases" in told


def test_one_wrong_answer_in_thirty_is_within_the_interval_of_a_perfect_score() -> None:
    """A model that errs 1 time in 30 is perfect on 12 clusters of 3 in one of three samples; a point would miss it."""
    from harness.core.field import FieldSpec
    from harness.metrics import family_for
    from harness.run.dictionary_encoding import coded
    from harness.score.unseen import Seen, without_spread
    from harness.stats.bootstraps import bootstrap
    from harness.stats.rows import as_coded

    spec, generator, held, points = FieldSpec(kind="yes-no"), np.random.default_rng(2), 0, 0
    unit = np.repeat(np.arange(12), 3)
    for seed in range(150):
        truth = ["yes", "no"] * 18
        wrong = generator.random(36) < 1 / 30
        said = [
            ("no" if t == "yes" else "yes") if w else t for t, w in zip(truth, wrong, strict=True)
        ]
        family = family_for(spec, truth, said)
        interval = bootstrap(
            family.rows(),
            unit,
            lambda t, f=family: f.value("uar", t),
            draws=300,
            seed=seed,
            method="auto",
        )
        seen = Seen(family, as_coded(family.rows()), ["no", "yes"], coded(truth), unit)
        found = without_spread({"uar": interval}, spec, seen, model="m")["uar"]
        points += interval.low == interval.high
        held += found.low <= 29 / 30 <= found.high
    assert points > 30 and held / 150 >= 0.93


def test_truths_of_one_class_are_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scored(tmp_path, LABEL, [("anger", "anger")] * 12, capsys)
    assert main(["score", str(tmp_path / "run")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "warning: one class: every true emotion is 'anger'" in told
