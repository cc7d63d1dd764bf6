"""`harness dossier`: numbers as in the scores, hosts, gaps named by themselves, a page that loads and prints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from harness.report.dossier_gaps import untested
from harness.report.dossier_hosts import host_rows
from harness.report.inputs import RunView
from harness.run.folder import RunFolder
from tests.report.chromium import AXE, CHROMIUM, DARK, evaluated, violations
from tests.report.conftest import run_folder, view
from tests.report.pages import Page

__all__ = ["run_folder", "view"]


@pytest.fixture(scope="module")
def made(run_folder: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the page and its JSON, of the run and of an export of it."""
    folder = tmp_path_factory.mktemp("dossier")
    assert main(["export", str(run_folder.path), "--out", str(folder / "there.zip")]) == 0
    runs = [str(run_folder.path), str(folder / "there.zip")]
    assert main(["dossier", *runs, "--out", str(folder / "d.html"), "--json"]) == 0
    return folder


def part(body: Any, title: str, run: int = 0) -> list[Any]:
    (found,) = [p for p in body["runs"][run]["parts"] if p["title"] == title]
    blocks: list[Any] = found["blocks"]
    return blocks


def test_numbers_are_those_of_the_scores(made: Path, view: RunView) -> None:
    body = json.loads((made / "d.json").read_text())
    table = next(b for b in part(body, "Scores") if b["title"] == "emotion/drawn: emotion")
    told = {
        (row["cells"][0]["model"], row["cells"][0].get("prompt", ""), row["cells"][0]["condition"]): row["cells"][3]
        for row in table["rows"]
    }  # fmt: skip
    rows = [r for r in view.scores.scores if (r.task, r.field, r.slice, r.metric) == ("emotion/drawn", "emotion", "all", "uar")]  # fmt: skip
    assert len(told) == len(rows) == 6
    for row in rows:
        shown = told[row.model, row.prompt, row.condition]
        assert (shown["value"], shown.get("low")) == (row.value, row.low)
    refusals = part(body, "Refusals")[0]["rows"]
    counts = [e["counts"] for e in view.scores.outcomes if e["condition"] == "none"]
    assert [r["cells"][3].get("count", 0) for r in refusals] == [c.get("refused", 0) for c in counts][: len(refusals)]  # fmt: skip


def test_every_part_is_there_and_an_export_tells_the_same_scores(made: Path) -> None:
    body = json.loads((made / "d.json").read_text())
    titles = [p["title"] for p in body["runs"][0]["parts"]]
    assert titles == [
        "In short", "What was measured", "Scores", "Worst group", "Refusals", "Robustness", "Cue reliance",
        "Risk against coverage", "Where the pictures went", "What was not tested", "The law in the European Union",
    ]  # fmt: skip
    assert part(body, "Scores") == part(body, "Scores", run=1)
    law = " ".join(part(body, "The law in the European Union")[0]["lines"])
    assert all(article in law for article in ("5(1)(f)", "1(c)", "50(3)", "Article 9"))
    page = Page()
    page.feed((made / "d.html").read_text())
    assert not page.unbalanced and not page.scripts
    assert "no legal advice" in page.words and "As of" in page.words
    assert str(made) not in page.words


def test_what_is_missing_is_named_and_what_is_there_is_not(view: RunView) -> None:
    said = " ".join(untested(view, False))
    assert "Blank pictures" not in said and "--label-order" in said and "resize" in said
    assert "2 prompts were asked on the same samples" in said and "glasses" in said
    bare = replace(
        view,
        manifest={
            **view.manifest,
            "limit": 9,
            "select": {"on": {}},
            "cells": [{**c, "condition": "resize:32", "repeats": 3} for c in view.manifest["cells"]],
        },
    )  # fmt: skip
    other = " ".join(untested(bare, True))
    assert "Blank pictures" in other and "--limit" in other
    for there in ("Repeats", "resize:...", "prompts were asked", "Cues ("):
        assert there not in other


@pytest.mark.parametrize(
    ("name", "details", "prompt", "where", "kept"),
    [
        ("affect-tiny", {}, "p", "this machine", "not sent anywhere"),
        ("openai:m@http://127.0.0.1:9/v1", {"url": "http://127.0.0.1:9/v1"}, "p", "this machine", "not sent anywhere"),
        ("big", {"url": "https://api.example.org/v1"}, "p", "api.example.org", "unknown: ask the provider"),
        ("openai:m@https://a.example.org/v1", {}, "p", "a.example.org", "unknown: ask the provider"),
        ("chain", {"remote": "b.example.org"}, "p", "b.example.org", "unknown: ask the provider"),
        ("big", {"url": "https://***/v1"}, "p", "a server whose address this export does not hold", "unknown: ask the provider"),
        ("table", {}, "-", "unknown: its answers were made elsewhere", "unknown: ask the provider"),
    ],
)  # fmt: skip
def test_hosts_are_read_off_the_manifest(
    name: str, details: dict[str, str], prompt: str, where: str, kept: str, view: RunView
) -> None:
    manifest = {"models": {name: {"details": details}}, "cells": [{"model": name, "prompt": prompt}]}  # fmt: skip
    assert list(host_rows(replace(view, manifest=manifest))) == [(name, where, kept)]


@pytest.mark.parametrize("out", ["d.pdf", "d"])
def test_another_kind_of_file_is_refused(
    out: str, run_folder: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dossier", str(run_folder.path), "--out", str(tmp_path / out)]) == 2
    assert "name a .html file" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_it_fits_a_phone_and_is_accessible(made: Path, tmp_path: Path) -> None:
    wide = evaluated(
        made / "d.html",
        "return [document.documentElement.scrollWidth, window.innerWidth];",
        tmp_path,
        "--window-size=500,900",  # the narrowest that a headless window takes
    )
    assert wide[0] <= wide[1]
    if AXE.is_file():
        for flags in ((), DARK):
            assert violations(made / "d.html", tmp_path, *flags) == []
