"""Tables for papers: what stands where, what is bold, and that nothing in a name is a command."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli.main import main
from harness.publish.latex import escaped, latex
from harness.publish.table import PaperTable
from harness.run.folder import RunFolder


def table(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["table", *map(str, words)]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["table", *map(str, words)]) == 2
    return capsys.readouterr().err


def test_bold_is_what_is_told_apart_from_all_others(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    text = table(capsys, run.path)
    lines = text.splitlines()
    assert lines[2] == "| model | emotion/plain | emotion/cot |"
    assert re.fullmatch(
        r"\| good \| \.\d{3} \[\S+ \S+\] \| \*\*\.9\d\d\*\* \[\S+ \S+\] \|", lines[4]
    )
    assert text.count("**") == 4  # the title and one cell
    assert "n = 140 (20 subjects) in each cell" in text and "Guessing: majority .143" in text
    tied = table(capsys, run.path, "--where", "model==po*")
    assert tied.count("**") == 2 and tied.count("†") == 3
    assert "†: the best, or not significantly different from the best." in tied


def test_any_axis_may_stand_down_or_across(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    text = table(capsys, run.path, "--rows", "prompt,model", "--columns", "metric", "--metric", "uar", "--metric", "accuracy")  # fmt: skip
    assert "| prompt, model | UAR | Accuracy |" in text
    blank = table(capsys, run.path, "--rows", "model,condition")
    assert "good · blank" in blank and "good · none" in blank
    said = refused(capsys, run.path, "--rows", "prompt", "--columns", "metric")
    assert "they differ in model" in said and "--rows prompt,model" in said
    assert "no axis 'colour'" in refused(capsys, run.path, "--rows", "colour")
    said = refused(capsys, run.path, "--where", "model=nobody")
    assert "no cell matches" in said and "the cells have model: =po_or%, good" in said
    two = table(capsys, run.path, "--where", "prompt=emotion/plain", "--where", "model=good")
    assert two.count("\n| ") == 3 and "emotion/cot" in two


def test_csv_has_every_number_unrounded(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(table(capsys, run.path, "--format", "csv"))))
    scores = {
        (row["model"], row["prompt"]): row
        for row in json.loads(run.scores.read_text())["scores"]
        if (row["metric"], row["slice"], row["condition"]) == ("uar", "all", "none")
    }
    assert len(rows) == 4
    for row in rows:
        truth = scores[row["model"].lstrip("'"), row["prompt"]]
        assert [float(row[k]) for k in ("value", "low", "high")] == [truth[k] for k in ("value", "low", "high")]  # fmt: skip
    assert {row["model"] for row in rows} == {"good", "'=po_or%"}  # no formula


def test_a_workbook_holds_numbers_and_no_formula(run: RunFolder, tmp_path: Path) -> None:
    import openpyxl

    out = tmp_path / "t.xlsx"
    assert main(["table", str(run.path), "--format", "xlsx", "--out", str(out), "--published"]) == 0
    book = openpyxl.load_workbook(out)
    shown, every = book["table 1"], book["cells"]
    assert shown["A5"].value == "=po_or%" and shown["A5"].data_type == "s"
    assert shown["D4"].font.bold and shown["D4"].value > 0.9 and not shown["B4"].font.bold
    assert every.max_row > 5  # published ones as well
    assert main(["table", str(run.path), "--format", "xlsx"]) == 2


def test_latex_and_html_show_names_as_they_are(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    text = table(capsys, run.path, "--format", "latex")
    assert r"\toprule" in text and r"\begin{tabular}{lrr}" in text
    assert r"=po\_or\% &" in text and text.count(r"\textbf{") == 1
    assert "<b>.9" in table(capsys, run.path, "--format", "html")


@given(st.text())
def test_no_text_is_a_latex_command(text: str) -> None:
    found = escaped(text)
    known = r"\\char34\{\}|\\text[a-z]+\{2?\}|\\dag\{\}|\\dots\{\}|\$\\[gl]eq\$|\\[{}$&#_%]|\{\[\}|\{\]\}"
    assert not re.search(r"[\\{}$&#_%~^\n]", re.sub(known, "", found))


def paper(*columns: str, rows: tuple[str, ...] = ("a",)) -> PaperTable:
    """A table without numbers."""
    return PaperTable(title="t", corner="model", across="prompt", rows=rows, columns=columns, entries={}, notes=("n = 1",), boards=())  # fmt: skip


def test_a_wide_table_is_made_to_fit_and_says_what_it_needs() -> None:
    narrow, wide = latex([paper("x")]), latex([paper(*(f"a long name of a prompt {n}" for n in range(9)))])  # fmt: skip
    assert "resizebox" not in narrow and "graphicx" not in narrow
    assert wide.startswith(r"% needs \usepackage{booktabs,textcomp,graphicx}")
    assert wide.count(r"\resizebox{\linewidth}{!}{%") == wide.count(r"\end{tabular}}") == 1
    assert "LuaLaTeX" in latex([paper("模型")]) and "模型" in latex([paper("模型")]).splitlines()[1]
    assert "LuaLaTeX" not in latex([paper("Modèle – “x” †")])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_a_table_compiles_with_names_that_break_careless_writers(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = table(capsys, run.path, "--format", "latex", "--published", "--metric", "accuracy")
    name = "\\a{b}$c&d#e_f%g~h^i<j>k|l\"m'n`o[p]q†·–±×²≥≤…é"
    made = measured + latex([paper(*(f"{name} {n}" for n in range(5)), rows=(name, "x"))])
    (tmp_path / "made.tex").write_text(made, encoding="utf-8")
    (tmp_path / "main.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs,textcomp,graphicx}\n\\begin{document}\n\\input{made}\n\\end{document}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout and "Missing character" not in done.stdout


def test_an_export_gives_the_table_of_its_run(
    run: RunFolder, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert table(capsys, exported) == table(capsys, run.path)
    both = table(capsys, exported, run.path)
    assert (
        "| model, run |" in both and "**" not in both.split("|")[8]
    )  # a run is no better than itself
    assert "named twice" in refused(capsys, run.path, run.path)


def test_published_numbers_stand_apart(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    text = table(capsys, run.path, "--published", "--metric", "accuracy")
    measured, _, published = text.partition("**Published elsewhere, not measured here**")
    assert "GPT-4o-mini" not in measured
    line = next(one for one in published.splitlines() if "| GPT-4o-mini |" in one)
    assert "Accuracy .758" in line and "(read)" in line and "n not told" in line
    trained = next(one for one in published.splitlines() if "| MPA-FER ViT-L/14 |" in one)
    assert "protocol trained" in trained and "(secondary)" in trained
    assert published.index("MPA-FER") < published.index("GPT-4o-mini")  # best first
