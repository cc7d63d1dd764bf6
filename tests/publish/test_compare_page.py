"""`harness compare --html`: what the terminal shows, as a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.main import main
from harness.run.folder import RunFolder
from tests.report.pages import parse

TWO = ["--where", "model=good,prompt=emotion/plain", "--where", "model=good,prompt=emotion/cot", "--condition", "none"]  # fmt: skip


def written(out: Path, *arguments: object) -> str:
    assert main(["compare", *map(str, arguments), "--html", str(out), "--overwrite"]) == 0
    text = out.read_text(encoding="utf-8")
    assert "default-src 'none'" in text and "<img" not in text and "http://" not in text
    return parse(text).words


def test_three_cells_or_more_are_ranked(run: RunFolder, exported: Path, tmp_path: Path) -> None:
    words = written(tmp_path / "a.html", run.path, "--condition", "none")
    assert words.index("cot beats plain for good by") < words.index("Against plain, paired")
    assert "Best: good · cot" in words and "=po_or%" in words and "p (Holm)" in words
    of_export = written(tmp_path / "b.html", exported, "--condition", "none")
    assert "Best: good · cot" in of_export and "export.zip" in of_export
    first = (tmp_path / "a.html").read_bytes()
    written(tmp_path / "a.html", run.path, "--condition", "none")
    assert (tmp_path / "a.html").read_bytes() == first


def test_two_cells_have_their_tables_and_all_the_samples_that_differ(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = written(tmp_path / "two.html", run.path, *TWO, "--samples")
    assert "compared: prompt" in words and "right under B alone (" in words
    assert " more; --json" not in words
    capsys.readouterr()
    assert main(["compare", str(run.path), *TWO]) == 0
    terminal = " ".join(capsys.readouterr().out.split())
    for said in ("recall of", "samples matched by id", "discordant: ", "sign-flip permutation"):
        assert said in words and said in terminal


def test_what_a_page_cannot_be_is_refused(run: RunFolder, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    with pytest.raises(SystemExit):
        main(["compare", str(run.path), "--html", str(out), "--json"])
    assert main(["compare", str(run.path), "--html", str(tmp_path / "no" / "page.html")]) == 1
    assert main(["compare", str(run.path), "--samples", "--html", str(out)]) == 2
    assert not out.exists()
    out.write_text("mine")
    assert main(["compare", str(run.path), "--html", str(out)]) == 2
    assert out.read_text() == "mine"
