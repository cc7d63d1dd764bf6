"""Exports in the form of other tools are read back with the numbers of the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.run.folder import RunFolder
from harness.score.folder import score_run
from tests.report.runs import emotion_task, make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = make_run(tmp_path_factory.mktemp("formats") / "run", tasks=[emotion_task(n=28)])
    score_run(folder)
    return folder


def test_datasets_loads_the_folder(run: RunFolder, tmp_path: Path) -> None:
    import datasets

    out = tmp_path / "out"
    assert main(["export", str(run.path), "--format", "datasets", "--out", str(out)]) == 0

    def load(name: str) -> datasets.Dataset:
        return datasets.load_dataset(str(out), name, split="train", cache_dir=str(tmp_path / "c"))

    answers, scores, samples = (load(name) for name in ("answers", "scores", "samples"))
    assert len(answers) == 4 * 28 and len(samples) == 28
    assert "text" not in answers.column_names and "target" not in answers.column_names
    held = json.loads(run.scores.read_text())["scores"]
    assert [(r["metric"], r["value"]) for r in scores] == [(r["metric"], r["value"]) for r in held]
    for path in out.iterdir():
        assert str(run.path).encode() not in path.read_bytes()
    bare = tmp_path / "bare"
    assert main(["export", str(run.path), "--format", "datasets", "--no-samples", "--out", str(bare)]) == 0  # fmt: skip
    assert not (bare / "samples.parquet").exists()
    assert {"value", "text", "reasoning"}.isdisjoint(load_columns(bare / "answers.parquet"))
    assert "value" in answers.column_names and "reasoning" not in answers.column_names


def load_columns(path: Path) -> list[str]:
    import pyarrow.parquet as pq

    return list(pq.read_schema(path).names)


def test_a_log_of_inspect_ai_is_read_back_with_the_same_score(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "logs"
    words = ["export", str(run.path), "--format", "inspect", "--out", str(out)]
    assert main(words) == 2
    assert "--with-replies" in capsys.readouterr().err
    assert not out.exists()
    assert main([*words, "--with-replies"]) == 0
    logs = sorted(out.iterdir())
    assert len(logs) == 4
    body = json.loads(next(p for p in logs if "emotion-plain" in p.name).read_text())
    assert body["eval"]["model"] == "affect-tiny" and body["status"] == "success"
    assert {s["input"] for s in body["samples"]} == {"(not exported)"}
    held = json.loads(run.scores.read_text())["scores"]
    expected = {
        (row["prompt"], row["condition"]): row["value"]
        for row in held
        if (row["metric"], row["slice"], row["model"]) == ("accuracy", "all", "affect-tiny")
    }
    for path in logs:
        about = json.loads(path.read_text())["eval"]["metadata"]
        capsys.readouterr()
        again = ["score", "--predictions", str(path), "--task", "table/emotion", "--truth", "target", "--set", "fields.emotion.labels=basic-7"]  # fmt: skip
        assert main([*again, "--out", str(tmp_path / path.stem), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)["scores"]
        value = next(r["value"] for r in found if (r["metric"], r["slice"]) == ("accuracy", "all") and r["model"].startswith("pred"))  # fmt: skip
        assert value == expected[about["prompt"], about["condition"]]
        right = [s["scores"]["emotion"]["value"] == "C" for s in json.loads(path.read_text())["samples"]]  # fmt: skip
        assert sum(right) / len(right) == pytest.approx(value, abs=1e-6)


def test_only_a_new_folder_is_written(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").write_text("x")
    for out in ("mine", "x.zip"):
        words = ["export", str(run.path), "--format", "datasets", "--out", str(tmp_path / out)]
        assert main(words) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
