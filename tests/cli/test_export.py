"""`harness export`, by the command itself, and its way through `harness compare`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.test_compare import answers


def test_exports_are_compared_as_their_runs_are(tmp_path: Path, harness: Run) -> None:
    (tmp_path / "key").write_text("a secret that two labs share\n")
    for name, wrong in (("a", {0, 1}), ("b", {1, 2, 3, 4, 5})):
        answers(tmp_path / f"{name}.csv", wrong)
        score = ("score", "--predictions", f"{name}.csv", "--task", "table/emotion", "--out", name)
        assert harness(*score).returncode == 0
    runs = json.loads(harness("compare", "a", "b", "--json").stdout)
    done = harness("export", "a", "--id-key", "key")
    assert done.returncode == 0, done.stderr
    assert "a-export" in done.stdout
    assert harness("export", "b", "--id-key", "key", "--out", "b.zip").returncode == 0
    exports = json.loads(harness("compare", "a-export", "b.zip", "--json").stdout)
    assert exports["comparisons"][0]["metrics"] == runs["comparisons"][0]["metrics"]
    mixed = harness("compare", "a-export", "b", "--id-key", "key", "--json")
    assert (
        json.loads(mixed.stdout)["comparisons"][0]["classes"] == runs["comparisons"][0]["classes"]
    )
    without = harness("compare", "a-export", "b")
    assert (without.returncode, without.stdout) == (2, "")
    assert "--id-key" in without.stderr


def test_export_refuses_the_run_itself_and_what_is_no_export(tmp_path: Path, harness: Run) -> None:
    answers(tmp_path / "a.csv", {0})
    score = ("score", "--predictions", "a.csv", "--task", "table/emotion", "--out", "a")
    assert harness(*score).returncode == 0
    assert "is the run folder itself" in harness("export", "a", "--out", "a").stderr
    assert "is not an export" in harness("export", "a", "--out", ".").stderr
    assert harness("export", "a", "--no-samples").returncode == 0
    assert "without --no-samples" in harness("compare", "a-export", "a-export").stderr
    for command in ("score", "export"):
        told = harness(command, "a-export")
        assert told.returncode == 2
        assert "is an export" in told.stderr


def test_an_export_has_a_page_of_its_own(tmp_path: Path, harness: Run) -> None:
    answers(tmp_path / "a.csv", {0})
    score = ("score", "--predictions", "a.csv", "--task", "table/emotion", "--out", "a")
    assert harness(*score).returncode == 0
    assert harness("export", "a", "--no-samples").returncode == 0
    page = (tmp_path / "a-export" / "report.html").read_text()
    assert "This page is of an export" in page and 'id="filters"' not in page
    assert str(tmp_path) not in page
    assert harness("report", "a-export").returncode == 0
    assert (tmp_path / "a-export" / "report.html").read_text() == page
    assert harness("export", "a", "--out", "a.zip").returncode == 0
    assert "is a zip" in harness("report", "a.zip").stderr
    told = harness("report", "a.zip", "--format", "markdown", "--out", "there")
    assert told.returncode == 0, told.stderr
    assert "UAR" in (tmp_path / "there" / "report.md").read_text()
    assert harness("export", "a", "--no-samples").returncode == 0  # over an earlier one with pages
