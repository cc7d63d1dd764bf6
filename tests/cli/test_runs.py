"""`harness runs`: what is found, in which state, and what is deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import harness
from harness.cli.main import main
from harness.run.folder import RunFolder
from tests.run.bench import RuleModel, rows, write_pictures

SOURCE = {"file": "labels.csv", "image": "image", "label": "emotion", "subject": "person"}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs beneath `results`, the second older than a year, and a folder that is none."""
    write_pictures(tmp_path, rows(4))
    monkeypatch.chdir(tmp_path)
    for name in ("new", "old"):
        harness.evaluate(
            "table/emotion", model=RuleModel(), source=SOURCE, out=f"results/deep/{name}", progress=False, report=False
        )  # fmt: skip
    manifest = Path("results/deep/old/manifest.json")
    body = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**body, "started": "2024-01-01T00:00:00+00:00"}))
    Path("results/notes").mkdir()
    Path("results/notes/a.txt").write_text("mine")
    return tmp_path / "results"


def listed(capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, object]]:
    capsys.readouterr()
    assert main(["runs", "list", "--json", *more]) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_runs_are_listed_newest_first_with_state_and_size(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = listed(capsys)
    assert [one["path"] for one in found] == ["results/deep/new", "results/deep/old"]
    sizes = sum(f.stat().st_size for f in (runs / "deep" / "new").rglob("*") if f.is_file())
    assert (found[0]["size"], found[0]["state"], found[0]["trials"]) == (sizes, "scored", 4)
    assert [one["path"] for one in listed(capsys, "--search", "OLD rule")] == ["results/deep/old"]
    with RunFolder(runs / "deep" / "new").locked():
        assert listed(capsys)[0]["state"] == "running"
        assert main(["runs", "delete", "results/deep/new", "--yes"]) == 2
    (runs / "deep" / "new" / "manifest.json").write_text("{")
    assert {one["state"] for one in listed(capsys)} == {"broken", "scored"}
    assert main(["runs", "list"]) == 0
    assert "2 runs" in capsys.readouterr().out


def test_a_path_stays_whole_where_the_list_goes_on_to_another_command(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "a-run-with-a-name-" + "of-many-words-" * 9
    (runs / "deep" / "new").rename(runs / "deep" / name)
    assert main(["runs", "list"]) == 0
    assert f"results/deep/{name} " in capsys.readouterr().out


def test_a_run_counts_the_trials_of_earlier_commands(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    harness.evaluate(
        "table/emotion", model=RuleModel(), source=SOURCE, prompts=["emotion/defined"],
        out="results/deep/new", progress=False, report=False,
    )  # fmt: skip
    assert [one["trials"] for one in listed(capsys, "--search", "new")] == [8]


def test_only_what_is_meant_is_deleted(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "delete", "--older", "30d"]) == 2, "nobody confirms"
    assert (runs / "deep" / "old").exists()
    assert main(["runs", "delete", "--older", "30d", "--yes"]) == 0
    assert [path.name for path in (runs / "deep").iterdir()] == ["new"]
    assert main(["runs", "delete", "results/notes", "--yes"]) == 2, "no run"
    assert main(["runs", "delete", "--yes"]) == 2, "nothing is named"
    assert main(["runs", "delete", "--older", "a month", "--yes"]) == 2
    assert main(["runs", "delete", "results/deep/new", "--in", "results", "--yes"]) == 2
    assert (runs / "notes" / "a.txt").exists() and (runs / "deep" / "new").exists()
    assert main(["runs", "delete", "results/deep/new", "--yes"]) == 0
    assert "deleted 1 run," in capsys.readouterr().out
