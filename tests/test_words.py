"""The words that CONTRIBUTING.md rules out do not come back into what users see."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RULED_OUT = re.compile(
    r"\bmends?\b|\bmended\b|tasks to models|against each other|faces to order|worked examples?\b|stands? twice|"
    r"no (?:task|prompt|model|condition|protocol|metric|field kind|source) is called|fetch it again|"
    r"the same command goes on|likeliest word|bears no more|\bhint the (?:cell|row|answer)\b",
    re.IGNORECASE,
)
ALLOWED = ("(mended: all of harness.metrics.spotting.MENDED)",)
"""An `estimator`, which `scores.json` holds."""
OLD_NAMES = (
    "film", "patience", "pace", "warden", "fault", "spelling", "remembered", "limits", "shown", "asking", "gallery",
    "partners", "coded", "readiness", "contenders", "foresight", "sweep", "crew", "speaker", "heads",
    "exam", "lessons", "pool", "stand", "bare", "child",
)  # fmt: skip


def _literals(tree: ast.AST) -> Iterator[ast.Constant]:
    """Texts of a module that are no docstrings."""
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node


def test_no_message_uses_a_word_that_is_ruled_out() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value.strip()}"
        for path in sorted((ROOT / "harness").rglob("*.py"))
        for node in _literals(ast.parse(path.read_text(encoding="utf-8")))
        if RULED_OUT.search(node.value) and node.value.strip() not in ALLOWED
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "path",
    sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "tasks").rglob("*.yaml")]),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_page_or_task_uses_one(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if RULED_OUT.search(line)]


def test_no_file_has_an_old_name() -> None:
    named = {path.stem for path in (ROOT / "harness").rglob("*.py")}
    assert not named & set(OLD_NAMES)


def test_the_rule_finds_what_it_should() -> None:
    assert RULED_OUT.search("no prompt is called 'x'")
    assert not RULED_OUT.search("unknown prompt 'x'; amended hints, few-shot examples")
