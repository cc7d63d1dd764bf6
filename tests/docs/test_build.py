"""The documentation builds without a warning, needs nothing from elsewhere, and its reference is whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.answers.vocabulary import VOCABULARIES
from harness.cli.main import COMMANDS, EXIT_STATUSES
from harness.core.field import FieldSpec
from harness.core.outcome import Outcome
from harness.core.prompt import PromptHead
from harness.core.task import MediaSpec, Task
from harness.metrics import every_metric
from harness.metrics.metric import written
from harness.prompting.variables import PROMPT_VARIABLES
from harness.run.files import RUN_FILES
from harness.score.records import COLUMNS
from harness.score.table import ScoreRow
from harness.sources import SOURCES
from tests.documents import GENERATED, ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    place = tmp_path_factory.mktemp("docs") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(place)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, env={"NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "" and done.stdout.strip() == ""
    return place


LOADED = re.compile(
    r"""<(?:script|img|iframe|source|video)[^>]+src=["']?(?:https?:)?//"""
    r"""|<link(?=[^>]+rel=["']?(?:stylesheet|preconnect|preload|icon))[^>]+href=["']?(?:https?:)?//"""
    r"""|@import\s+(?:url\()?["']?(?:https?:)?//|url\(["']?(?:https?:)?//""",
)


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    """Links may lead elsewhere; scripts, styles, fonts and pictures may not come from there."""
    assert LOADED.search('<script src="https://unpkg.com/x"></script>')
    assert LOADED.search("<link rel=stylesheet href=//fonts.example/css>")
    assert not LOADED.search('<a href="https://example.org">')
    found = {
        (path.name, match.group())
        for path in site.rglob("*")
        if path.suffix in {".html", ".css"}
        for match in LOADED.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == set()
    assert not list(site.rglob("*.py"))


def test_every_page_is_in_the_menu_and_has_one_title(site: Path) -> None:
    pages = [p for p in site.rglob("*.html") if p.name != "404.html"]
    assert len(pages) > 30
    for page in pages:
        assert len(re.findall(r"<h1[ >]", page.read_text(encoding="utf-8"))) == 1, page


@pytest.mark.parametrize(
    ("page", "names"),
    [
        (
            "task-file",
            [
                *(key for key in Task.model_fields if key != "name"),
                *FieldSpec.model_fields,
                *MediaSpec.model_fields,
            ],
        ),
        ("prompt-file", [*PromptHead.model_fields, *PROMPT_VARIABLES]),
        ("metrics", [written(m) for m in every_metric() if not m.name.endswith("_ceiling")]),
        ("vocabularies", VOCABULARIES),
        ("sources", SOURCES.builtin),
        ("outcomes", [one.value for one in Outcome]),
        (
            "run-folder",
            [*(one.name for one in RUN_FILES), *COLUMNS, *ScoreRow.__dataclass_fields__],
        ),
        ("harness-toml", ["prompts", "tasks", "data"]),
    ],
)
def test_the_reference_is_whole(page: str, names: list[str]) -> None:
    text = GENERATED[f"reference/{page}.md"]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_command_and_option_is_in_the_reference() -> None:
    text = GENERATED["reference/commands.md"]
    for name in COMMANDS:
        assert f"## harness {name}\n" in text
    for option in ("--allow-remote HOST", "--balance NAMES", "--kind {image,clip,long,mixture}"):
        assert f"`{option}`\n:" in text
    assert all(f"`{status}`" in text for status in EXIT_STATUSES)
