"""A model among raters whose accuracy is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.raters.among import Among, among
from harness.raters.model_run import ModelRater, unseen
from harness.raters.table import RatingTable, read_ratings
from harness.run.columns import read_table
from tests.raters.simulate import COLUMNS, write

LABELS = ("anger", "fear", "joy", "sadness")


def said(truth: list[str], right: float, draw: np.random.Generator) -> list[str]:
    return [
        t if draw.random() < right else str(draw.choice([x for x in LABELS if x != t]))
        for t in truth
    ]


def study(
    tmp_path: Path, accuracy: list[float], *, items: int, seed: int
) -> tuple[RatingTable, dict[str, list[str]], list[str]]:
    draw = np.random.default_rng(seed)
    truth = [str(t) for t in draw.choice(LABELS, items)]
    answers = {f"r{k}": said(truth, a, draw) for k, a in enumerate(accuracy)}
    rows = [
        (who, f"i{j:03d}", "V", "emotion", value, truth[j])
        for who, own in answers.items()
        for j, value in enumerate(own)
    ]
    path = write(tmp_path / "ratings.csv", rows)
    return read_ratings(path, known={}, truth="true"), answers, truth


def placed(table: RatingTable, answers: list[str | None]) -> Among:
    model = ModelRater(
        "model", "none", "V", {(f"i{j:03d}", "emotion"): a for j, a in enumerate(answers)}
    )
    found = among(table, table.fields[0], model, table.truths, epsilon=0.1)
    assert found is not None
    return found


def test_a_copy_of_a_rater_ranks_where_that_rater_does(tmp_path: Path) -> None:
    accuracy = [0.5, 0.6, 0.7, 0.8, 0.9]
    table, answers, _ = study(tmp_path, accuracy, items=100, seed=1)
    ranks = {}
    for who, own in answers.items():
        found = placed(table, list(own))
        ranks[who] = (found.rank.value, found.right_rank)
        assert found.copied == (who,)
    assert ranks["r2"] == (50.0, 50.0)  # the median rater
    assert [rank for _, rank in ranks.values()] == [10, 30, 50, 70, 90]


def test_one_more_rater_like_the_others_ranks_at_the_median_on_average(tmp_path: Path) -> None:
    ranks, differences = [], []
    for seed in range(16):
        draw = np.random.default_rng(900 + seed)
        table, _, truth = study(tmp_path, list(draw.uniform(0.5, 0.9, 7)), items=60, seed=seed)
        found = placed(table, said(truth, draw.uniform(0.5, 0.9), draw))
        ranks.append(found.rank.value)
        differences.append(found.difference.value)
    assert abs(np.mean(ranks) - 50) < 20  # its standard error is about 7
    assert abs(np.mean(differences)) < 0.06


def test_better_and_worse_models(tmp_path: Path) -> None:
    table, _, truth = study(tmp_path, [0.6, 0.65, 0.7, 0.7, 0.75], items=120, seed=3)
    best = placed(table, list(truth))
    assert best.rank.value == 100 and best.right_rank == 100 and best.test.winning_rate == 1
    assert best.right_difference is not None and best.right_difference.interval.low > 0.2
    assert best.difference.low > 0
    worst = placed(table, [LABELS[(LABELS.index(t) + 1) % 4] for t in truth])
    assert worst.rank.value == 0 and worst.test.winning_rate == 0
    silent = placed(table, [None] * 60 + list(truth[60:]))
    assert silent.unanswered == 60 and silent.right == pytest.approx(0.5)


def test_agreement_is_cohens_kappa_and_the_concordance_correlation(tmp_path: Path) -> None:
    from sklearn.metrics import cohen_kappa_score

    table, answers, truth = study(tmp_path, [0.6, 0.7, 0.8], items=50, seed=4)
    found = placed(table, list(truth))
    assert found.raters[0].model == pytest.approx(cohen_kappa_score(answers["r0"], truth))
    pairs = [cohen_kappa_score(answers["r0"], answers[r]) for r in ("r1", "r2")]
    assert found.raters[0].own == pytest.approx(np.mean(pairs))
    draw = np.random.default_rng(0)
    numbers = np.clip(np.round(draw.normal(3, 1, (4, 40))), 1, 5)
    rows = [
        (f"r{k}", f"i{j:03d}", "V", "realism", f"{numbers[k, j]:g}", "3")
        for k in range(3)
        for j in range(40)
    ]
    table = read_ratings(
        write(tmp_path / "n.csv", rows), known={}, asked=["realism=number:1,5"], truth="true"
    )
    model = ModelRater(
        "m", "none", "V", {(f"i{j:03d}", "realism"): f"{numbers[3, j]:g}" for j in range(40)}
    )
    one = among(table, table.fields[0], model, table.truths, epsilon=0.1)
    assert one is not None
    cov = np.cov(numbers[1], numbers[3], bias=True)
    apart = (numbers[1].mean() - numbers[3].mean()) ** 2
    assert one.raters[1].model == pytest.approx(2 * cov[0, 1] / (cov[0, 0] + cov[1, 1] + apart))
    assert -one.right == pytest.approx(np.abs(numbers[3] - 3).mean())


def test_too_few_raters_and_no_shared_item(tmp_path: Path) -> None:
    table, _, truth = study(tmp_path, [0.6, 0.7], items=20, seed=5)
    with pytest.raises(HarnessError, match="three or more"):
        placed(table, list(truth))
    model = ModelRater("model", "none", "V", {("elsewhere", "emotion"): "joy"})
    assert among(table, table.fields[0], model, {}, epsilon=0.1) is None


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scored run of answers made elsewhere, whose samples are those of faces/emotion."""
    from harness import load_task
    from harness.sources import open_source

    folder = tmp_path_factory.mktemp("run")
    task = load_task("faces/emotion")
    source = open_source({**task.source, "n": 28}, fields=task.fields, base=folder)
    lines = [f"{s.id},{s.targets['emotion']}" for s in source]
    (folder / "answers.csv").write_text("name,answer\n" + "\n".join(lines) + "\n")
    out = folder / "out"
    assert main(["score", "--predictions", str(folder / "answers.csv"), "--task", "faces/emotion",
                 "--set", "source.n=28", "--out", str(out)]) == 0  # fmt: skip
    return out


def test_the_command_compares_with_the_condition_that_the_model_saw(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = np.random.default_rng(1)
    targets = {r["sample"]: json.loads(r["target"]) for r in read_table(run / "records.parquet")}
    labels = sorted(set(targets.values()))
    rows = []
    for k in range(8):
        condition, right = ("V", 0.9) if k % 2 else ("AV", 0.6)
        for sample, true in targets.items():
            value = true if draw.random() < right else str(draw.choice(labels))
            rows.append((f"p{k}", sample, condition, "emotion", value))
    path = write(tmp_path / "r.csv", rows, COLUMNS[:5])
    asked = [
        "score",
        "--ratings",
        str(path),
        "--task",
        "faces/emotion",
        "--set",
        "source.n=28",
        "--model-run",
        str(run),
    ]
    capsys.readouterr()
    assert main(asked) != 0  # the model's `none` is neither condition
    assert "--model-saw" in capsys.readouterr().err
    assert main([*asked, "--model-saw", "V", "--epsilon", ".15"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert (
        "among 4 raters, who saw V" in told and "epsilon .15, suggested for trained raters" in told
    )
    assert "p1 " in told and "beside each rater" in told and "p0 .9" not in told
    assert main([*asked, "--model-saw", "X"]) != 0
    assert "no rating is under this condition" in capsys.readouterr().err


def test_answers_to_a_blank_picture_are_no_rater(run: Path, tmp_path: Path) -> None:
    samples = [r["sample"] for r in read_table(run / "records.parquet")]
    rows = [
        (f"p{k}", s, "blank" if k else "V", "emotion", "anger") for s in samples for k in (0, 1)
    ]
    both = read_ratings(write(tmp_path / "r.csv", rows, COLUMNS[:5]), known={})
    alone = read_ratings(write(tmp_path / "s.csv", rows[::2], COLUMNS[:5]), known={})
    assert not unseen("blank", both.conditions)
    assert unseen("blank", alone.conditions) and unseen("label-order:given/blank", alone.conditions)
    assert not unseen("none", alone.conditions) and not unseen("blank-ish", alone.conditions)


def test_an_unknown_item_and_an_unscored_run_are_named(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "r.csv", [("a", "nowhere", "V", "emotion", "anger")], COLUMNS[:5])
    assert main(["score", "--ratings", str(path), "--task", "faces/emotion"]) != 0
    assert "row 1 (line 2): 'nowhere' is no sample of faces/emotion" in " ".join(
        capsys.readouterr().err.split()
    )
    assert main(["score", "--ratings", str(path), "--model-run", str(tmp_path)]) != 0
    assert "run" in capsys.readouterr().err
