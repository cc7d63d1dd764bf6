"""`harness score --predictions`, `harness compare` and `harness plan`, by the commands themselves."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run

TABLE = (
    "table/emotion", "--set", "source.file=labels.csv", "--set", "source.image=image",
    "--set", "source.label=emotion",
)  # fmt: skip


def answers(path: Path, wrong: set[int], count: int = 60, header: str = "name,gt,said") -> None:
    names = ("anger", "happiness")
    rows = (f"s{i},{names[i % 2]},{names[(i + (i in wrong)) % 2]}" for i in range(count))
    path.write_text("\n".join([header, *rows]) + "\n")


def test_predictions_are_scored_by_flags_and_by_map(tmp_path: Path, harness: Run) -> None:
    answers(tmp_path / "p.csv", {0, 2, 4}, header="a,b,c")
    flags = ("--id", "a", "--truth", "b", "--answer", "c")
    score = ("score", "--predictions", "p.csv", "--task", "table/emotion")
    done = harness(*score, *flags, "--out", "run", "--json")
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert body["run"] == "run"
    (row,) = [
        r for r in body["scores"]
        if r["metric"] == "accuracy" and r["slice"] == "all" and r["model"] == "predictions:p.csv"
    ]  # fmt: skip
    assert (row["n"], row["value"]) == (60, 0.95)
    (tmp_path / "map.yaml").write_text("id: a\ntruth: b\nanswer: {emotion: c}\n")
    mapped = harness(*score, "--map", "map.yaml", "--json")
    assert mapped.returncode == 0, mapped.stderr
    assert json.loads(mapped.stdout)["scores"][-1]["value"] is not None
    assert harness("score", "run", "--json").stdout == done.stdout, "a run folder like any other"
    assert harness("report", "run").returncode == 0
    both = harness(*score, "--map", "map.yaml", "--id", "a")
    assert (both.returncode, both.stdout) == (2, "")
    assert "--map cannot be combined with" in both.stderr


def test_score_needs_one_thing_to_score(tmp_path: Path, harness: Run) -> None:
    for arguments in (
        (),
        ("--predictions", "x.csv"),
        ("--predictions", "x.csv", "--task", "table/emotion"),
    ):
        done = harness("score", *arguments)
        assert done.returncode == 2
        assert "hint:" in done.stderr


def test_compare_in_three_forms(tmp_path: Path, harness: Run) -> None:
    answers(tmp_path / "a.csv", {0, 1}, 40)
    answers(tmp_path / "b.csv", set(range(1, 9)), 41)
    done = harness("compare", "a.csv", "b.csv", "--markdown")
    assert done.returncode == 0, done.stderr
    assert "| accuracy | .950 | .800 | +.150 |" in done.stdout
    assert "dropped: 0 samples of A and 1 of B" in done.stdout
    body = json.loads(harness("compare", "a.csv", "b.csv", "--json").stdout)
    assert list(body) == [
        "schema", "difference", "unlike", "comparisons", "ranks", "factors", "notes",
    ]  # fmt: skip
    assert body["comparisons"][0]["dropped_b"] == 1
    plain = harness("compare", "a.csv", "b.csv")
    assert max(map(len, plain.stdout.splitlines())) <= 100
    assert "7 correct with A only, 1 with B only" in plain.stdout


def test_compare_refuses_and_tells(tmp_path: Path, data: Path, harness: Run) -> None:
    answers(tmp_path / "a.csv", {0})
    (tmp_path / "b.csv").write_text(
        (tmp_path / "a.csv").read_text().replace("s1,happiness", "s1,anger")
    )
    done = harness("compare", "a.csv", "b.csv")
    assert done.returncode == 2
    assert "truth of 1 shared samples" in done.stderr
    told = harness("compare", "a.csv", "b.csv", "--unlike")
    assert told.returncode == 0, told.stderr
    assert "Unlike" in told.stdout
    assert "UNLIKE" in told.stdout
    missing = harness("compare", "a.csv", "nowhere")
    assert missing.returncode == 2
    assert "no such run folder or file: nowhere" in missing.stderr


def test_plan_asks_nothing_and_leaves_nothing(data: Path, harness: Run) -> None:
    before = sorted(data.rglob("*"))
    done = harness(
        "plan", *TABLE, "--model", "openai:none@http://127.0.0.1:9/v1", "--prompt", "all",
        "--condition", "none", "--condition", "blank", "--power", "0.1", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert body["plan"]["trials"] == 24 * 5 * 2
    assert {row["metric"] for row in body["power"]} == {"accuracy", "uar"}
    assert {row["clusters"] for row in body["power"]} == {24}
    plain = harness("plan", *TABLE, "--power")
    assert plain.returncode == 0, plain.stderr
    assert "what a paired comparison could show" in plain.stdout
    assert "n for" not in plain.stdout
    assert sorted(data.rglob("*")) == before
    bad = harness("plan", *TABLE, "--power", "7")
    assert bad.returncode == 2
    assert "not a difference" in bad.stderr


def test_help_of_the_new_commands(harness: Run) -> None:
    for command in ("plan", "compare", "score"):
        done = harness(command, "--help")
        assert done.returncode == 0
        assert "usage: harness " + command in done.stdout
