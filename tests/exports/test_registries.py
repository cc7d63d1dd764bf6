"""Results for the Hugging Face Hub and for Every Eval Ever: what is written, how it is checked, what is refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from harness.cli.main import main
from harness.exports.registry_shapes import EveryEval, HubResult
from harness.report.inputs import RunView
from harness.run.folder import RunFolder
from tests.report.conftest import run_folder, view

__all__ = ["run_folder", "view"]

HUB = ("--format", "eval-results", "--benchmark", "emotion/drawn=lab/drawn-faces:emotion")
EVER = ("--format", "every-eval-ever", "--organization", "A lab")


def export(run: Path, out: Path, *more: str) -> int:
    return main(["export", str(run), "--out", str(out), *more])


@pytest.fixture(scope="module")
def ever(run_folder: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file for Every Eval Ever."""
    out = tmp_path_factory.mktemp("ever") / "out"
    assert export(run_folder.path, out, *EVER) == 0
    (file,) = out.rglob("*.json")
    return file


def test_a_file_of_the_hub_has_one_value_a_cell_and_is_read_by_its_library(
    run_folder: RunFolder, view: RunView, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(run_folder.path, tmp_path / "hub", *HUB) == 2
    refused = capsys.readouterr().err
    assert "has 2 values for lab/drawn-faces:emotion" in refused and "--where prompt=" in refused
    prompt = refused.split("takes one: ")[1].split(";")[0]
    assert export(run_folder.path, tmp_path / "hub", *HUB, "--where", f"prompt={prompt}") == 0
    (file,) = (tmp_path / "hub").rglob("*.yaml")
    assert file.relative_to(tmp_path / "hub").as_posix() == "affect-tiny/.eval_results/lab-drawn-faces.yaml"  # fmt: skip
    entries = yaml.safe_load(file.read_text())
    rows = [
        r for r in view.scores.scores
        if (r.task, r.slice, r.metric, r.condition, r.model) == ("emotion/drawn", "all", "uar", "none", "affect-tiny")
        and r.prompt == prompt
    ]  # fmt: skip
    assert [entry["value"] for entry in entries] == [row.value for row in rows]
    assert [row.prompt in entry["notes"] for entry, row in zip(entries, rows, strict=True)] == [True]  # fmt: skip
    assert {entry["dataset"]["task_id"] for entry in entries} == {"emotion"}
    library = pytest.importorskip("huggingface_hub")
    read = library.parse_eval_result_entries(entries)
    assert library.eval_result_entries_to_yaml(read) == entries


def test_every_score_with_its_interval_and_the_same_from_an_export(
    ever: Path, run_folder: RunFolder, view: RunView, tmp_path: Path
) -> None:
    assert main(["export", str(run_folder.path), "--out", str(tmp_path / "there.zip")]) == 0
    assert export(tmp_path / "there.zip", tmp_path / "again", *EVER) == 0
    files = [ever, next((tmp_path / "again").rglob("*.json"))]
    assert files[0].name == files[1].name, "named by what they hold"
    body, again = (json.loads(file.read_text()) for file in files)
    assert body["evaluation_results"] == again["evaluation_results"]
    told = {one["evaluation_result_id"]: one for one in body["evaluation_results"]}
    cells = {(c["task"], c["prompt"], c["condition"]): c["id"] for c in view.manifest["cells"]}
    seen = 0
    for row in view.scores.scores:
        name = f"{cells.get((row.task, row.prompt, row.condition))}/{row.field}/{row.slice}/{row.metric}"  # fmt: skip
        if row.model == "affect-tiny" and name in told:
            seen += 1
            details = told[name]["score_details"]
            assert details["score"] == row.value
            assert details["uncertainty"]["num_samples"] == row.n
            interval = details["uncertainty"].get("confidence_interval")
            assert (interval and interval["lower"]) == row.low
    assert seen == len(told) > 10
    shown = next(one for one in told.values() if "blank" in one["evaluation_name"])
    assert shown["generation_config"]["additional_details"]["condition"] == "blank"
    mae = next(one for one in told.values() if one["metric_config"]["metric_id"] == "rmse")
    assert mae["metric_config"]["lower_is_better"] and mae["metric_config"]["max_score"] == "Infinity"  # fmt: skip
    assert body["model_info"]["additional_details"]["deployment_type"] == "self_deployed"
    words = json.dumps(body)
    assert "row-0" not in words and str(run_folder.path) not in words, "no ids, no paths"


@pytest.mark.parametrize(
    ("change", "value"),
    [
        (("evaluation_results", 0, "score_details", "score"), "0.5"), (("schema_version",), "0.2.1"),
        (("source_metadata", "evaluator_relationship"), "friend"), (("retrieved_timestamp",), "yesterday"),
        (("evaluation_results", 0, "metric_config", "max_score"), "many"), (("evaluation_results",), []),
        (("more",), 1),
    ],
)  # fmt: skip
def test_what_the_schema_does_not_allow_is_refused(
    change: tuple[Any, ...], value: Any, ever: Path
) -> None:
    body = json.loads(ever.read_text())
    EveryEval.model_validate_json(json.dumps(body))
    *before, last = change
    at = body
    for key in before:
        at = at[key]
    at[last] = value
    with pytest.raises(ValidationError):
        EveryEval.model_validate_json(json.dumps(body), strict=True)


@pytest.mark.parametrize("value", [None, float("nan"), "high"])
def test_a_result_of_the_hub_is_a_number(value: object) -> None:
    entry = {"dataset": {"id": "lab/set", "task_id": "t"}, "value": value, "date": "2026-11-28"}
    with pytest.raises(ValidationError):
        HubResult.model_validate(entry, strict=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--format", "eval-results"), "no leaderboard is named"),
        (("--format", "eval-results", "--benchmark", "emotion/drawn=drawn"), "is not TASK=ORG/NAME:TASK_ID"),
        (("--format", "eval-results", "--benchmark", "other=lab/set:t"), "the run has no task 'other'"),
        ((*HUB, "--organization", "x"), "--organization has no effect"), (EVER[:2], "names who evaluated"),
        ((*EVER, "--with-replies"), "--with-replies has no effect"), (HUB[2:], "--benchmark has no effect"),
        ((*HUB[:2], "--benchmark", "vqa/table=lab/set:t"), "no score of vqa/table"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_are_refused(
    options: tuple[str, ...],
    said: str,
    run_folder: RunFolder,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert export(run_folder.path, tmp_path / "out", *options) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_zip_takes_the_place_of_an_export_alone(
    run_folder: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "there.zip"
    assert export(run_folder.path, out) == 0
    assert "replaced" not in capsys.readouterr().out
    assert export(run_folder.path, out) == 0
    assert "(replaced an earlier export)" in capsys.readouterr().out
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("thesis.docx", b"years of work")
    before = out.read_bytes()
    assert export(run_folder.path, out) == 2
    assert "is not an export" in capsys.readouterr().err
    assert out.read_bytes() == before
