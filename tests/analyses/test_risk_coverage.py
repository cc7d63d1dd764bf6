"""Risk against coverage from a task's confidence field, from votes and from repeats; groups and non-answers."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.answers.majority import majority, recorded_share, vote_share
from harness.cli.main import main
from harness.core.answer import Answer
from harness.core.outcome import Outcome
from harness.metrics.selective import aurc, levels
from harness.score.folder import score_run
from tests.run.bench import RuleModel, make_world

LABELS = ("anger", "disgust", "fear")
TASK = """\
source: {family: table, file: nowhere.csv}
fields:
  emotion: {kind: label, labels: [anger, disgust, fear]}
  sure: {kind: number, low: 0, high: 100, scored: false}
prompts: [emotion/plain]
confidence: sure
slices: [gender]
"""
MAP = "{truth: {emotion: gt}, answer: {emotion: said, sure: conf}, cluster: person, annotations: [gender, split]}\n"
Rows = list[dict[str, str]]


def rows(n: int = 240) -> Rows:
    """Answers that are right as often as they say; women get less sure ones; one gender is four people only."""
    rng = np.random.default_rng(7)
    found: Rows = []
    for i in range(n):
        person = i // 6
        gender = "other" if person < 4 else ("female", "male")[person % 2]
        sure = int(rng.integers(5, 21)) * 5 if gender != "female" else int(rng.integers(2, 15)) * 5
        truth = LABELS[i % 3]
        said = truth if rng.uniform() < sure / 100 else LABELS[(i + 1) % 3]
        said = "I can't judge that, sorry." if i % 40 == 9 else said
        split = "dev" if person % 4 < 2 else "test"
        found.append({"name": f"s{i}", "gt": truth, "said": said, "conf": str(sure), "person": f"p{person}", "gender": gender, "split": split})  # fmt: skip
    return found


def score(folder: Path, table: Rows, *, task: str = TASK, at: str = MAP) -> Path:
    """The run folder of these answers."""
    with (folder / "p.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    (folder / "map.yaml").write_text(at)
    (folder / "task.yaml").write_text(task)
    run = folder / "run"
    command = ["score", "--predictions", str(folder / "p.csv"), "--task", str(folder / "task.yaml")]
    assert main([*command, "--map", str(folder / "map.yaml"), "--out", str(run), "--json"]) == 0
    return run


def test_a_confidence_field_sorts_the_samples_and_non_answers_come_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = rows()
    score(tmp_path, table)
    (entry,) = json.loads(capsys.readouterr().out)["risk_coverage"]
    answered = np.array([row["said"] in LABELS for row in table])
    sure = np.where(answered, [float(row["conf"]) for row in table], -np.inf)
    wrong = np.array([row["said"] != row["gt"] for row in table])
    assert (entry["signal"], entry["n"], entry["answered"]) == ("field", 240, int(answered.sum()))
    assert entry["aurc"]["value"] == pytest.approx(float(aurc(levels(sure, wrong).counts)), abs=1e-6)  # fmt: skip
    assert entry["aurc"]["low"] < entry["aurc"]["value"] < entry["aurc"]["high"] < entry["error"]
    assert [one["answered"] for one in entry["at"]] == [True, True, True, False]
    assert entry["at"][-1]["accuracy"] == pytest.approx(1 - wrong.mean(), abs=1e-6)
    assert "by subject" in entry["estimator"]
    _groups(entry, table, sure, wrong)


def _groups(entry: dict[str, Any], table: Rows, sure: Any, wrong: Any) -> None:
    assert entry["suppressed"] == [{"column": "gender", "name": "other", "why": "fewer than 5 subjects"}]  # fmt: skip
    threshold = next(one["threshold"] for one in entry["at"] if one["coverage"] == 0.8)
    by_name = {group["name"]: group for group in entry["groups"]}
    assert set(by_name) == {"female", "male"}
    for name, group in by_name.items():
        mine = np.array([row["gender"] == name for row in table])
        kept = mine & (sure >= threshold)
        assert group["kept"] == pytest.approx(kept.sum() / mine.sum(), abs=1e-6)
        assert group["accuracy"] == pytest.approx(1 - wrong[kept].mean(), abs=1e-6)
    assert by_name["female"]["kept"] < by_name["male"]["kept"]


def test_all_right_is_not_certain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = [row | {"said": row["gt"]} for row in rows(120)]
    run = score(tmp_path, table)
    (entry,) = json.loads(capsys.readouterr().out)["risk_coverage"]
    hidden = 1 - 0.025 ** (1 / 20)  # Clopper and Pearson's bound for none of 20 subjects
    assert entry["aurc"] == {"value": 0.0, "low": 0.0, "high": pytest.approx(hidden, abs=1e-6), "spread": False}  # fmt: skip
    whole = entry["at"][-1]
    assert (whole["accuracy"], whole["high"], whole["spread"]) == (1.0, 1.0, False)
    assert whole["low"] == pytest.approx(1 - hidden, abs=1e-6)
    assert entry["at"][0]["low"] <= whole["low"], "half of the samples says less"
    assert main(["report", str(run), "--format", "markdown"]) == 0
    told = (run / "report.md").read_text()
    assert "Clopper-Pearson" in told and "1.000 \\[.83, 1.00\\]\\*" in told


def test_without_a_confidence_nothing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score(tmp_path, rows(30), task=TASK.replace("confidence: sure\n", ""))
    assert "risk_coverage" not in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", ["emotion", "doubt"])
def test_a_confidence_is_a_number_field_of_the_task(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = tmp_path / "task.yaml"
    task.write_text(TASK.replace("confidence: sure", f"confidence: {name}"))
    assert main(["plan", str(task), "--model", "affect-tiny"]) == 2
    assert f"'{name}'" in capsys.readouterr().err


def answered(*said: str | bool) -> list[Answer]:
    return [Answer(Outcome.ANSWERED if s else Outcome.REFUSED, s or None, "rule") for s in said]


@pytest.mark.parametrize(
    ("said", "share"),
    [
        (("happy, very 3", "happy, very 3", "happy", ""), 0.5), (("a", "a", "a"), 1.0), (("a", "b"), None), (("",), None),
        ((True, True, ""), 2 / 3),
    ],
)  # fmt: skip
def test_votes_say_how_many_agree_and_so_do_their_records(
    said: tuple[str | bool, ...], share: float | None
) -> None:
    found = majority(answered(*said))
    assert vote_share(found) == share
    if found.value is not None:
        tally = ", ".join(f"{told} {times}" for told, times in found.votes)
        told = recorded_share(f"{found.rule} ({tally})", found.value)
        assert told == share or "," in str(found.value), "a comma within a label may hide a vote"


def test_repeats_and_votes_are_judged_by_their_commonest_answer(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=12)
    model = RuleModel(rule=lambda request: ("anger", "happiness")[request.sampling.seed % 2])
    world.run(model, prompts=("emotion/plain",), repeats=3, temperature=0.5)
    (entry,) = score_run(world.folder).found["risk_coverage"]
    assert (entry["signal"], entry["n"], entry["levels"], entry["error"]) == ("repeats", 12, 1, 0.5)
    assert entry["at"][0]["threshold"] == pytest.approx(2 / 3, abs=1e-6)
    assert entry["aurc"]["value"] == 0.5, "all are equally sure, so it says nothing"
    voting = make_world(tmp_path / "votes", count=12)
    voting.run(model, prompts=("emotion/plain",), protocol="vote-3", temperature=0.5)
    (entry,) = score_run(voting.folder).found["risk_coverage"]
    assert (entry["signal"], entry["n"]) == ("votes", 12)
    assert entry["at"][0]["threshold"] == pytest.approx(2 / 3, abs=1e-6)
