"""Analyses of other packages: shown everywhere, and unable to harm anything else."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli.main import main
from tests.example import Installed, write_package

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = [
    ("a", "anger", "I see anger."),
    ("b", "fear", "anger"),
    ("c", "fear", "I cannot judge people."),
]


def bring(folder: Path) -> list[str]:
    """Arguments that score a table of answers into the run folder `folder/run`."""
    lines = ["name,gt,answer", *(",".join(row) for row in ANSWERS)]
    (folder / "p.csv").write_text("\n".join(lines) + "\n")
    return ["score", "--predictions", str(folder / "p.csv"), "--task", "table/emotion", "--out", str(folder / "run")]  # fmt: skip


def test_the_example_is_shown_everywhere(example: Installed, tmp_path: Path) -> None:
    made = example.harness(*bring(tmp_path))
    assert made.returncode == 0, made.stderr
    assert "table/emotion: Length of replies" in made.stdout
    assert re.search(r"predictions:p\.csv +answered +2 +8\.5 +12", made.stdout)
    assert "longest replies: predictions:p.csv" in " ".join(made.stdout.split())
    told = json.loads(example.harness("score", "run", "--json").stdout)
    (entry,) = told["analyses"]["reply-length"]
    assert (entry["task"], entry["package"]) == ("table/emotion", "affect-example 0.1")
    assert [(row["outcome"], row["n"], row["mean"]) for row in entry["rows"]] == [
        ("answered", 2, 8.5), ("refused", 1, 22.0),
    ]  # fmt: skip
    assert json.loads((tmp_path / "run/scores.json").read_text())["analyses"] == told["analyses"]
    for form, said in (
        ("html", "<bdi>Length of replies</bdi> <span"), ("markdown", "### Length of replies (affect-example 0.1)"),
        ("json", '"name": "reply-length"'),
    ):  # fmt: skip
        done = example.harness("report", "run", "--format", form)
        assert done.returncode == 0, done.stderr
        assert said in Path(tmp_path / done.stdout.strip()).read_text()
    listed = example.harness("list", "analyses")
    assert listed.returncode == 0
    assert re.search(r"reply-length +Length of replies\. Tasks asked.*\(package affect-example\)", listed.stdout)  # fmt: skip


def test_no_line_here_knows_it() -> None:
    for path in (ROOT / "harness").rglob("*.py"):
        assert "reply-length" not in path.read_text(encoding="utf-8"), path


def test_where_the_package_is_gone_its_rows_are_named(
    example: Installed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert example.harness(*bring(tmp_path)).returncode == 0
    assert main(["report", str(tmp_path / "run"), "--format", "markdown"]) == 0
    said = "analysis reply\\-length of affect\\-example 0.1 is not installed"
    page = (tmp_path / "run" / "report.md").read_text()
    assert said.replace("\\-", "-") in page.replace("\\-", "-")
    capsys.readouterr()
    assert main(["score", str(tmp_path / "run")]) == 0
    assert (
        "reply-length" not in capsys.readouterr().out + (tmp_path / "run/scores.json").read_text()
    )


def test_an_export_holds_no_rows_of_other_packages(example: Installed, tmp_path: Path) -> None:
    assert example.harness(*bring(tmp_path)).returncode == 0
    done = example.harness("export", "run", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert "analyses" not in json.loads((tmp_path / "out" / "scores.json").read_text())


GOOD = """
from harness.core.blocks import Lines, Note, Number, Table
class One:
    name, title, about, row = "one", "One", "everything", dict
    def applies(self, task): return True
    def compute(self, answers): return [{"n": len(answers.records.samples)}]
    def blocks(self, rows, beside): return [Lines(lines=(f"{rows[0]['n']} samples",))]
"""
BAD = {
    "raises at import": ("raise RuntimeError('boom')", "cannot be imported: RuntimeError: boom"),
    "is a class": (f"{GOOD}\nONE = One", "the class One, not an instance of it"),
    "lacks a part": (f"{GOOD}\ndel One.blocks\nONE = One()", "without blocks"),
    "another name": (f"{GOOD}\nOne.name = 'two'\nONE = One()", "with the name 'two'"),
    "applies raises": (f"{GOOD}\nOne.applies = lambda s, t: 1 / 0\nONE = One()", "ZeroDivisionError"),
    "compute raises": (f"{GOOD}\nOne.compute = lambda s, a: a.nothing\nONE = One()", "AttributeError"),
    "NaN": (f"{GOOD}\nOne.compute = lambda s, a: [{{'n': float('nan')}}]\nONE = One()", "ValueError"),
    "no JSON": (f"{GOOD}\nOne.compute = lambda s, a: [{{'n': object()}}]\nONE = One()", "failed"),
    "no rows": (f"{GOOD}\nOne.compute = lambda s, a: 7\nONE = One()", "TypeError"),
    "wrong rows": (f"{GOOD}\nOne.compute = lambda s, a: ['x']\nONE = One()", "ValidationError"),
    "no blocks": (f"{GOOD}\nOne.blocks = lambda s, r, b: ['text']\nONE = One()", "a str, which is not a block"),
    "wrong block": (
        f"{GOOD}\nOne.blocks = lambda s, r, b: [Table(columns=('a',), rows=((float('nan'),),))]\nONE = One()",
        "not a finite number",
    ),
    "a score row": (
        f"{GOOD}\nfrom harness.score.table import ScoreRow\n"
        "One.compute = lambda s, a: [ScoreRow('t', 'm', 'p', 'none', 'all', 'f', 'uar', 1.0, None, None, 1, 1.0, 'e')]\n"
        "ONE = One()",
        "return it from a metric",
    ),
}  # fmt: skip


class Place:
    """A folder of packages that this process reaches once one is written."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._patch = folder, monkeypatch

    def write(self, code: str, name: str = "one") -> None:
        points = {"harness.analyses": {name: "extra_analyses:ONE"}}
        files = {"extra_analyses.py": code}
        write_package(self._folder, "extra-analyses", entry_points=points, files=files)
        self._patch.syspath_prepend(str(self._folder))


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Where a package may be written."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    yield Place(folder, monkeypatch)
    sys.modules.pop("extra_analyses", None)


@pytest.mark.parametrize("fault", list(BAD))
def test_one_that_fails_is_named_and_harms_nothing(
    fault: str, packaged: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(bring(tmp_path)) == 0
    scores = tmp_path / "run" / "scores.json"
    before = json.loads(scores.read_bytes())
    capsys.readouterr()
    code, said = BAD[fault]
    packaged.write(code)
    assert main(["score", str(tmp_path / "run")]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "warning: analysis: analysis one of extra-analyses 0.1 failed: " in printed
    assert said in printed
    after = json.loads(scores.read_bytes())
    after.pop("analyses")
    assert after == before
    assert main(["report", str(tmp_path / "run")]) == 0
    assert "analysis one of extra-analyses 0.1 failed" in (tmp_path / "run/report.html").read_text()


def test_the_sound_one_that_the_faults_are_made_from_works(
    packaged: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packaged.write(f"{GOOD}\nONE = One()")
    assert main(bring(tmp_path)) == 0
    assert "\n  3 samples\n" in capsys.readouterr().out


def test_a_report_has_what_was_installed_after_scoring(packaged: Place, tmp_path: Path) -> None:
    assert main(bring(tmp_path)) == 0
    packaged.write(f"{GOOD}\nONE = One()")
    assert main(["report", str(tmp_path / "run"), "--format", "markdown"]) == 0
    assert "- 3 samples\n" in (tmp_path / "run" / "report.md").read_text()
    scores = (tmp_path / "run" / "scores.json").stat().st_mtime_ns
    assert main(["report", str(tmp_path / "run")]) == 0
    assert (tmp_path / "run" / "scores.json").stat().st_mtime_ns == scores


def test_it_reads_samples_and_replies(packaged: Place, tmp_path: Path) -> None:
    code = (
        f"{GOOD}\n"
        "One.compute = lambda s, a: [{'n': len([r['text'] for r in a.trials()]), 'ids': [x.sample for x in a.samples()]}]\n"
        "ONE = One()"
    )
    packaged.write(code)
    assert main(bring(tmp_path)) == 0
    (entry,) = json.loads((tmp_path / "run" / "scores.json").read_text())["analyses"]["one"]
    assert entry["rows"] == [{"n": 3, "ids": ["a", "b", "c"]}]


def test_where_it_does_not_apply_nothing_is_told(
    packaged: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packaged.write(f"{GOOD}\nOne.applies = lambda s, t: False\nONE = One()")
    assert main(bring(tmp_path)) == 0
    assert "3 samples\n" not in capsys.readouterr().out
    assert main(["report", str(tmp_path / "run")]) == 0
    assert "<bdi>One</bdi>" not in (tmp_path / "run" / "report.html").read_text()


def test_one_that_is_called_like_a_shipped_one_is_named_and_replaces_nothing(
    packaged: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(bring(tmp_path)) == 0
    before = json.loads((tmp_path / "run" / "scores.json").read_bytes())
    capsys.readouterr()
    packaged.write(f"{GOOD}\nOne.name = 'folds'\nONE = One()", name="folds")
    assert main(["score", str(tmp_path / "run")]) == 0
    assert "more than one analysis has the name 'folds'" in " ".join(
        capsys.readouterr().out.split()
    )
    after = json.loads((tmp_path / "run" / "scores.json").read_bytes())
    assert {key: value for key, value in after.items() if key != "analyses"} == before


def test_its_words_cannot_write_on_the_page(packaged: Place, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\\x1b[31m|"
    packaged.write(
        f"{GOOD}\nOne.title = '{evil}'\n"
        f"One.blocks = lambda s, r, b: [Table(columns=('{evil}',), rows=(('{evil}',),), title='{evil}'), Note(text='{evil}')]\n"
        "ONE = One()",
    )
    assert main(bring(tmp_path)) == 0
    assert main(["report", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page
    assert "\x1b" not in page
