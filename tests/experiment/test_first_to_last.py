"""One experiment from its file to what is handed in: what was planted is found, what is equal is not."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from harness.compare.overview import overview
from harness.run.folder import RunFolder
from tests.rating.chromium import CHROMIUM, browser
from tests.report.pages import parse

from .conftest import FACES, Experiment
from .imitated import MODELS, PROMPTS

pytestmark = pytest.mark.slow
CELLS = 3 * 4 * 2


def test_a_preview_is_asked_once_and_counts(experiment: Experiment) -> None:
    assert (
        f"{CELLS * FACES:,} trials, {CELLS * FACES:,} requests, 0 already done" in experiment.plan
    )
    assert "2 samples side by side" in experiment.preview
    first, whole = experiment.requests
    # 12 cells show each face, and 12 the same grey picture, which is asked once a cell
    assert (first, whole) == (12 * 2 + 12, 12 * FACES + 12)


def test_what_was_planted_is_found_and_nothing_else(experiment: Experiment) -> None:
    board = overview(RunFolder(experiment.run)).boards[0]
    shares = {(m.name, prompt): m.share(prompt) * (1 - m.refuses) for m in MODELS for prompt in PROMPTS}  # fmt: skip
    assert len(board.cells) == 12 and len(board.blanks) == 12
    for cell in board.cells:
        assert cell.value == pytest.approx(shares[cell.row, cell.column], abs=0.12), cell.name
    found = {(d.cell.row, d.cell.column): d.mood for d in board.differences if d.shown}
    assert found == {("ada-7b", "emotion/defined"): "better", ("bo-11b", "emotion/cot"): "worse"}
    assert len(board.differences) == 9
    assert board.best is not None and board.best.name == "ada-7b · emotion/defined"
    assert {round(blank.value or 0, 3) for blank in board.blanks} == {0.143}
    costs = {cell.row: cell.cost.money or 0 for cell in board.cells if cell.cost is not None}
    assert costs["bo-11b"] > costs["ada-7b"] > costs["cy-1b"] > 0


def test_the_page_says_so(experiment: Experiment) -> None:
    words = parse((experiment.run / "report.html").read_text(encoding="utf-8")).words
    assert "defined beats plain for ada-7b by ." in words
    assert "cot is worse than plain for bo-11b by ." in words
    assert "2 of 9 differences from plain are larger than chance explains" in words
    assert "blank pictures: answered 100%" in words and "USD / 1,000" in words
    brief = experiment.command("compare", experiment.run)
    assert brief.index("ranking by UAR") < brief.index("UAR difference")
    assert len(brief.splitlines()) <= 60


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_at_most_two_screens_stand_before_the_details(
    experiment: Experiment, tmp_path: Path
) -> None:
    measure = (
        "({details: document.querySelector('#details').getBoundingClientRect().top, wide: document.documentElement.scrollWidth,"
        " cut: [...document.querySelectorAll('.board .scroll')].filter((one) => one.scrollWidth > one.clientWidth).length,"
        " pictures: JSON.parse(document.getElementById('data').textContent).tasks[0].samples.length"
        " - Object.keys(JSON.parse(document.getElementById('data').textContent).tasks[0].pictures.none).length})"
    )

    async def measured() -> list[dict[str, Any]]:
        found = []
        async with browser(tmp_path / "profile") as tab:
            for width, height, mobile in ((1280, 800, False), (390, 844, True)):
                await tab.size(width, height, mobile=mobile)
                await tab.go((experiment.run / "report.html").as_uri())
                await tab.until("document.querySelectorAll('#entries th.sample').length === 20")
                found.append(await tab.js(measure))
            assert tab.errors == []
        return found

    desk, phone = asyncio.run(measured())
    assert desk["details"] <= 1600 and phone["details"] <= 1688
    assert desk["wide"] <= 1280 and phone["wide"] <= 390
    assert desk["cut"] == 0, "no column of the first screen is out of sight on a desk"
    assert desk["pictures"] == 0, "each drawn face is on the page"


def test_two_models_are_compared(experiment: Experiment) -> None:
    two = ("--where", "model=ada-7b,prompt=emotion/defined", "--where", "model=cy-1b,prompt=emotion/defined")  # fmt: skip
    body = json.loads(experiment.command("compare", experiment.run, *two, "--condition", "none", "--json"))  # fmt: skip
    (one,) = body["comparisons"]
    uar = next(metric for metric in one["metrics"] if metric["of"] == "uar")
    assert one["axis"] == "model" and uar["difference"] > 0.15 and uar["low"] > 0 and uar["p"] < 0.05  # fmt: skip


def test_one_more_prompt_asks_only_its_own_cells(experiment: Experiment) -> None:
    shutil.copytree(experiment.run, experiment.folder / "more")
    text = (experiment.folder / "experiment.yaml").read_text(encoding="utf-8")
    text = text.replace("emotion/plain, ", "emotion/plain, emotion/role, ") + "out: more\n"
    (experiment.folder / "more.yaml").write_text(text, encoding="utf-8")
    plan = experiment.command("plan", "more.yaml")
    assert f"{6 * FACES:,} requests, {CELLS * FACES:,} already done" in plan
    before = sum(server.count for server in experiment.servers)
    experiment.command("run", "more.yaml", "--no-report")
    assert sum(server.count for server in experiment.servers) - before == 3 * FACES + 3


def test_tables_hold_the_numbers_of_the_page(experiment: Experiment) -> None:
    latex = experiment.command("table", experiment.run, "--format", "latex")
    assert r"\toprule" in latex and r"{\dag}" in latex and "ada-7b" in latex
    rows = list(csv.DictReader(io.StringIO(experiment.command("table", experiment.run, "--format", "csv"))))  # fmt: skip
    board = overview(RunFolder(experiment.run)).boards[0]
    values = {(c.row, c.column): c.value for c in board.cells}
    assert {(r["model"], r["prompt"]): float(r["value"]) for r in rows} == pytest.approx(values)
    out = experiment.folder / "table.xlsx"
    experiment.command("table", experiment.run, "--format", "xlsx", "--out", out)
    cells = [cell for sheet in load_workbook(out) for row in sheet.values for cell in row]
    assert any(isinstance(c, float) and c == pytest.approx(values["ada-7b", "emotion/defined"]) for c in cells)  # fmt: skip


def test_figures_are_drawn(experiment: Experiment) -> None:
    for kind, name, begins in (("heatmap", "heat.png", b"\x89PNG"), ("forest", "forest.pdf", b"%PDF")):  # fmt: skip
        experiment.command("figure", experiment.run, kind, "--out", name)
        assert (experiment.folder / name).read_bytes().startswith(begins)


def test_a_board_is_built_of_its_export(experiment: Experiment) -> None:
    experiment.command("export", experiment.run, "--out", "ours.zip")
    assert "may go onto a board" in experiment.command("board", "check", "ours.zip")
    experiment.command("board", "build", "ours.zip", "--out", "board")
    board = json.loads((experiment.folder / "board/leaderboard.json").read_text(encoding="utf-8"))
    text = json.dumps(board)
    assert text.index("ada-7b") < text.index("cy-1b") and "test-3-" not in text
    page = (experiment.folder / "board/index.html").read_text(encoding="utf-8")
    assert parse(page).words.index("emotion/defined") < parse(page).words.index("emotion/cot")


def test_the_gate_tells_worse_equal_and_undecided(experiment: Experiment) -> None:
    def alone(model: str, prompt: str) -> Path:
        out = experiment.folder / f"{model}-{prompt.partition('/')[2]}"
        experiment.command(
            "run", "faces/emotion", "--set", f"source.n={FACES}", "--set", "source.seed=3", "--model", model,
            "--prompt", prompt, "--reuse", experiment.run, "--out", out, "--no-report",
        )  # fmt: skip
        return out

    plain, cot = alone("bo-11b", "emotion/plain"), alone("bo-11b", "emotion/cot")
    same = experiment.command("gate", plain, "--against", plain, "--margin", ".02")
    assert "gate: not worse" in same
    worse = experiment.command(
        "gate", cot, "--against", plain, "--margin", ".02", "--junit", "gate.xml", status=4
    )
    assert "gate: worse" in worse and "<failure" in (experiment.folder / "gate.xml").read_text()
    equal = alone("bo-11b", "emotion/au-guided")
    undecided = experiment.command("gate", equal, "--against", plain, "--margin", "0", status=5)
    assert "gate: undecided" in undecided
    whole = experiment.command("gate", experiment.run, "--against", experiment.run, "--margin", ".02", "--where", "model=ada*")  # fmt: skip
    assert whole.count("not worse: ") == 4, "cells that were shown a blank picture are left out"
