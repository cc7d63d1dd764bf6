"""The shipped analyses, as a registry and as data."""

from __future__ import annotations

import ast
import json
from pathlib import Path

from harness.analyses.sections import task_sections
from harness.core.blocks import BLOCKS
from harness.report.inputs import RunView
from harness.score.analysis import ANALYSES, BUILTIN, describe_analyses, shipped
from tests.report.conftest import run_folder, runs, view

__all__ = ["run_folder", "runs", "view"]

ROOT = Path(__file__).resolve().parents[2] / "harness"


def test_each_stands_under_its_name_and_says_what_it_is() -> None:
    assert [one.name for one in shipped()] == list(BUILTIN)
    for one in shipped():
        assert one.title and one.about, one.name
    keys = [one.key for one in shipped() if one.key]
    assert len(set(keys)) == len(keys)
    listed = {one.name: one.line for one in describe_analyses()}
    assert set(BUILTIN) <= set(listed) and not any("broken" in line for line in listed.values())
    assert set(ANALYSES.names()) == set(listed)


def test_scoring_and_writers_know_none_by_name() -> None:
    """No string of the modules that ask the registry is the name of an analysis."""
    known = {one.name for one in shipped()}
    asking = [
        ROOT / "score/folder.py", ROOT / "score/outside_analyses.py", ROOT / "analyses/sections.py",
        ROOT / "report/terminal.py", ROOT / "report/scores_json.py", ROOT / "report/page.py", ROOT / "report/document.py", ROOT / "report/placing.py",
        *(ROOT / "report/writers").glob("*.py"),
    ]  # fmt: skip
    for path in asking:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value not in known, f"{path}: {node.value}"


def test_sections_are_blocks_and_rows_come_back_from_the_file(view: RunView) -> None:
    for name, task in view.tasks.items():
        sections = task_sections(view.scores, task, view.manifest)
        assert sections and all(section.task == name for section in sections)
        for section in sections:
            assert section.blocks and all(isinstance(block, BLOCKS) for block in section.blocks)
    body = json.loads(view.folder.scores.read_bytes())
    for one in shipped():
        if one.key and not one.sparse:
            assert one.key in (body["tasks"][0] if one.in_task else body), one.name
    assert "analyses" not in body
