"""Tools as an axis of a run: asked, kept apart, shown and compared."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.cli.main import main
from harness.core.cell_pattern import read_pattern
from harness.core.tool import Finding
from harness.core.tools_asked import read_tools, spelled_tools
from harness.run.columns import read_table
from harness.tools import zoom
from tests.run.agents import TASK, call, script
from tests.run.bench import RuleModel


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "task.yaml"
    path.write_text(TASK % 4)
    return path


def run(task: Path, **options: Any) -> harness.Run:
    model = RuleModel(script(call("zoom", region="mouth"), "happiness"))
    return harness.evaluate(str(task), model=model, out="run", progress=False, **options)


def test_an_axis_is_asked_recorded_shown_and_compared(task: Path) -> None:
    done = run(task, tools=["none", "zoom", "zoom:swap"], report=True)
    scores, records = done.scores(), done.records()
    assert set(scores[scores["model"] != "prior"]["tools"]) >= {"", "zoom", "zoom:swap"}
    assert set(records["tools"]) == {"", "zoom", "zoom:swap"} == set(done.cells()["tools"])
    assert "free, agent, tools zoom:swap" in {
        row["channel"] for row in read_table(Path("run/records.parquet"))
    }
    pair = done.compare(tools=("zoom", "none"))
    assert set(pair["axis"]) == {"tools"}
    assert (pair["a_tools"][0], pair["b_tools"][0]) == ("zoom", "")
    assert set(done.compare()["axis"]) == {"tools"}
    manifest = json.loads(Path("run/manifest.json").read_text())
    assert [cell.get("tools", "") for cell in manifest["cells"]] == ["", "zoom", "zoom:swap"]
    assert manifest["cells"][1]["tool_settings"]["versions"] == {"zoom": "1"}
    page = Path("run/report.html").read_text()
    assert "tools zoom:swap" in page


def test_every_row_names_its_tools_and_its_protocol(
    task: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(task, tools=["none", "zoom"])
    assert main(["score", "run", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["scores"]
    told = {(row["tools"], row["protocol"]) for row in rows}
    assert told == {("none", "-"), ("none", "single"), ("zoom", "agent")}
    assert main(["export", "run", "--out", "shared"]) == 0
    assert {row["tools"] for row in read_table(Path("shared/records.parquet"))} == {"", "zoom"}


def test_another_version_of_a_tool_is_said_before_its_trials_are_done_again(
    task: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(task, tools="zoom", report=False)
    showing = replace(zoom.ZOOM, version="2", use=lambda frames, asked: Finding("nothing"))
    monkeypatch.setattr(zoom, "ZOOM", showing)
    done = run(task, tools="zoom", report=False)
    told = "zoom has version 2, and 1 in the last run of this folder. Its trials are pending again"
    assert any(told in note for note in done.notes)
    kept = [c for c in json.loads(Path("run/manifest.json").read_text())["cells"] if "changed" in c]
    assert [one["changed"] for one in kept] == [["tools"]]
    assert "another version of its tools" in done.report("page.md").read_text()
    monkeypatch.setattr(zoom, "ZOOM", replace(showing, version="2"))
    assert not any("last run" in note for note in run(task, tools="zoom", report=False).notes)


def test_a_run_without_tools_has_no_column_of_them(task: Path) -> None:
    done = run(task, tools="none")
    assert "tools" not in done.records().columns
    assert "tools" not in json.loads(Path("run/manifest.json").read_text())["cells"][0]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"tools": "knife"}, "unknown tool 'knife'"),
        ({"tools": "zoom:upside-down"}, "unknown alteration"),
        ({"tools": "zoom:noise=2"}, "unknown alteration"),
        ({"tools": "zoom+zoom"}, "named twice"),
        ({"tools": "zoom:perfect"}, "no sample of task has the annotation `region`"),
        ({"tools": "measure:perfect"}, "none of these tools takes a box"),
        ({"tools": ""}, "not the name of a tool"),
        ({"protocol": "agent"}, "needs tools"),
        ({"tools": "none", "protocol": "agent"}, "needs tools"),
        ({"tools": ["zoom", "zoom:swap"], "protocol": "single"}, "single uses no tools"),
        ({"tools": "zoom", "protocol": "given:measure,unit=12"}, "--tools zoom\\+measure"),
        ({"tools": "zoom", "channels": "choice"}, "tools of --tools zoom cannot be called"),
    ],
)
def test_what_has_no_effect_is_refused(task: Path, options: dict[str, Any], fault: str) -> None:
    with pytest.raises(harness.HarnessError) as error:
        run(task, **options)
    assert re.search(fault, f"{error.value.message} {error.value.hint}")
    assert not Path("run/trials.jsonl").exists()


@pytest.mark.parametrize("condition", ["blank", "resize:24", "mix:0.5"])
def test_perfect_tools_are_refused_where_the_picture_is_changed(
    task: Path, condition: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [
        "plan",
        "faces/scene",
        "--set",
        "source.n=4",
        "--tools",
        "zoom:perfect",
        "--model",
        "affect-tiny",
    ]
    assert main([*asked, "--condition", condition]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"the condition {condition} changes the picture" in told


def test_spellings() -> None:
    assert spelled_tools("zoom+measure:noise=.30") == "zoom+measure:noise=0.3"
    assert spelled_tools(" none ") == ""
    asked = read_tools("zoom:swap")
    assert asked is not None and asked.needs_donor
    assert read_pattern("tools=none", option="--exclude").named == {"tools": "none"}


def test_a_pattern_leaves_cells_out(task: Path) -> None:
    done = run(task, tools=["none", "zoom"], exclude=[{"tools": "none"}])
    assert set(done.cells()["tools"]) == {"zoom"}


def test_show_prints_the_tools_as_a_model_gets_them(
    task: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(task), "--tools", "zoom"]) == 0
    shown = capsys.readouterr().out
    assert '{"name": "zoom"' in shown
    assert "(agent, 1 request)" in shown
    assert main(["show", str(task), "--protocol", "agent"]) != 0
