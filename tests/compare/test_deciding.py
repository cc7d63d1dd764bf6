"""`harness decide` against thresholds tried one by one, and what it counts, notes and refuses."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from tests.analyses.test_risk_coverage import LABELS, Rows, rows, score

COSTS = "wrong: 1\nabstain: 0.4\nno_answer: 0.6\nmistakes: {fear: {anger: 3}}\n"
PARTS = ("--dev", "split=dev", "--test", "split=test")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("decide")
    score(folder, rows(480))
    (folder / "costs.yaml").write_text(COSTS)
    return folder


def decide(world: Path, *more: str, run: str = "run") -> Any:
    command = ["decide", str(world / run), "--cost", str(world / "costs.yaml"), *more]
    return main(command)


def mean_cost(table: Rows, threshold: float) -> float:
    """By hand."""
    total = 0.0
    for row in table:
        if row["said"] not in LABELS:
            total += 0.6
        elif float(row["conf"]) < threshold:
            total += 0.4
        elif row["said"] != row["gt"]:
            total += 3 if (row["gt"], row["said"]) == ("fear", "anger") else 1
    return total / len(table)


def test_the_threshold_is_the_cheapest_on_dev_and_reported_on_test(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert decide(world, *PARTS, "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["decided"]
    by_split = {s: [r for r in rows(480) if r["split"] == s] for s in ("dev", "test")}
    tried = {t: mean_cost(by_split["dev"], t) for t in (*range(0, 105, 5), math.inf)}
    assert tried[found["threshold"]] == min(tried.values())
    for part, name in (("on_dev", "dev"), ("on_test", "test")):
        told, table = found[part], by_split[name]
        kept = [r for r in table if r["said"] in LABELS and float(r["conf"]) >= found["threshold"]]
        assert told["n"] == len(table) == 240
        assert told["cost"]["value"] == pytest.approx(mean_cost(table, found["threshold"]), abs=1e-6)  # fmt: skip
        assert told["cost_of_all"] == pytest.approx(mean_cost(table, 0), abs=1e-6)
        assert told["cost_of_none"] == pytest.approx(mean_cost(table, math.inf), abs=1e-6)
        assert told["kept"]["value"] == pytest.approx(len(kept) / len(table), abs=1e-6)
        right = sum(r["said"] == r["gt"] for r in kept) / len(kept)
        assert told["accuracy"]["value"] == pytest.approx(right, abs=1e-6)
        assert told["saved"]["value"] == pytest.approx(told["cost_of_all"] - told["cost"]["value"], abs=2e-6)  # fmt: skip
        assert told["cost"]["low"] < told["cost"]["value"] < told["cost"]["high"]
    shown = {g["name"]: g for g in found["groups"]}
    assert shown["other"]["outcome"] is None and shown["other"]["why"]
    assert shown["female"]["outcome"]["kept"]["value"] < shown["male"]["outcome"]["kept"]["value"]
    assert found["clusters_in_both"] == 0


def test_each_use_of_the_test_part_is_counted_and_choosing_alone_is_none(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert decide(world, "--dev", "split=dev") == 0
    assert "--test reports" in capsys.readouterr().out
    counted = (world / "run" / "openings.jsonl").read_text().count("\n")
    assert decide(world, *PARTS) == 0
    assert decide(world, *PARTS) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f"used {counted + 2} times after a choice" in out
    assert "Keep answers of confidence" in out and "Kept least: gender=female" in out


def test_an_export_decides_the_same(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = ("--dev", "gender=male", "--test", "gender=female", "--json")
    assert main(["export", str(world / "run"), "--out", str(world / "there.zip")]) == 0
    capsys.readouterr()
    assert decide(world, *parts) == 0
    mine = json.loads(capsys.readouterr().out)
    assert decide(world, *parts, run="there.zip") == 0
    theirs = json.loads(capsys.readouterr().out)
    assert theirs["openings"] is None and mine["openings"]
    for own, other in zip(mine["decided"], theirs["decided"], strict=True):
        assert own["threshold"] == other["threshold"]
        for part in ("on_dev", "on_test"):
            for name in ("kept", "accuracy", "cost", "saved"):
                assert own[part][name]["value"] == other[part][name]["value"]
                assert own[part][name]["low"] == pytest.approx(other[part][name]["low"], abs=0.05), "other draws"  # fmt: skip


def test_keeping_nothing_may_be_the_cheapest(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (world / "dear.yaml").write_text("wrong: 2\nright: 1\nabstain: 0.1\n")
    command = ["decide", str(world / "run"), "--cost", str(world / "dear.yaml"), *PARTS]
    assert main([*command, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["decided"]
    assert found["threshold"] is None and found["on_test"]["kept"]["value"] == 0
    assert found["on_test"]["accuracy"]["value"] is None
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "No threshold" in out and "Kept least" not in out


def test_keeping_every_answer_is_no_choice_to_tell_apart(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (world / "never.yaml").write_text("wrong: 1\nabstain: 50\nno_answer: 1\n")
    assert main(["decide", str(world / "run"), "--cost", str(world / "never.yaml"), *PARTS]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "On the test part it keeps every answer, so it changes nothing there" in out
    assert "not told apart" not in out


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (("--dev", "split=dev", "--test", "gender=male"), "in both parts"),
        (("--dev", "split=dev", "--test", "split=none"), "has 0 answered or refused"),
        (("--dev", "fold=1", "--test", "split=test"), "no sample has an annotation 'fold'"),
        (("--dev", "split"), "expected NAME=VALUE"), (("--dev", "task=a", "--test", "split=test"), "names a task"),
        ((*PARTS, "--confidence", "votes"), "no answer of the requested cells has a confidence"),
        (("--dev", "gender=other", "--test", "gender=male"), "--dev gender=other has 24"),
        ((*PARTS, "--field", "mouth"), "none of the requested cells"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_is_refused_and_not_counted(
    parts: tuple[str, ...], said: str, world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    openings = world / "run" / "openings.jsonl"
    before = openings.read_text() if openings.exists() else ""
    assert decide(world, *parts) == 2
    assert said in capsys.readouterr().err
    assert (openings.read_text() if openings.exists() else "") == before


def test_two_tasks_of_a_run_are_two_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.core.field import FieldSpec
    from harness.score.folder import score_run
    from tests.report.runs import HEADS, emotion_task, make_run

    monkeypatch.setitem(HEADS, "emotion/shares", {"fields": ["emotion"], "answer": "percentages"})

    spec = FieldSpec(kind="label", labels=emotion_task().fields["emotion"].classes)
    parts = [
        emotion_task(n=60).model_copy(
            update={"name": f"emotion@{name}", "fields": {"emotion": spec}, "prompts": ("emotion/shares",),
                    "source": {"family": "faces", "kind": "image", "n": 60, "seed": seed, "size": 64}}
        )
        for name, seed in (("select", 3), ("report", 4))
    ]  # fmt: skip
    labels = spec.classes

    def reply(cell: Any, sample: Any, number: int) -> str:
        truth = labels.index(str(sample.targets["emotion"]))
        share = 51 + number % 49
        first = labels[truth if number % 100 < share else (truth + 1) % 7]
        rest = {} if share == 100 else {labels[(truth + 2) % 7]: 100 - share}
        return json.dumps({first: share, **rest})

    run = make_run(tmp_path / "run", tasks=parts, conditions=("none",), reply=reply)
    score_run(run)
    (tmp_path / "costs.yaml").write_text("wrong: 1\nabstain: 0.3\n")
    tasks = ("--dev", "task=emotion@select", "--test", "task=emotion@report", "--json")
    assert decide(tmp_path, *tasks) == 0
    (found,) = json.loads(capsys.readouterr().out)["decided"]
    assert (found["signal"], found["on_dev"]["n"], found["on_test"]["n"]) == ("stated", 60, 60)
