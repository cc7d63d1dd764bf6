"""The README's commands are run, or where they need more than this machine, at least understood."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.main import build_parser
from harness.prompting import Library, shipped_folder
from harness.run.task_files import find_task

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands(language: str) -> list[list[str]]:
    lines = [line for block in blocks(language) for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line, comments=True) for line in lines]


@pytest.mark.slow
def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    """In order, in an empty folder; `make` itself is left out, since this is one of its tests."""
    ran = 0
    for words in commands("sh"):
        if words and words[0] == "harness":
            command = [str(Path(sys.executable).parent / "harness"), *words[1:]]
            done = subprocess.run(
                command, cwd=tmp_path, capture_output=True, text=True, timeout=280
            )
            assert done.returncode == 0, (words, done.stderr)
            ran += 1
    assert ran >= 5
    assert (tmp_path / "results" / "runs" / "mine" / "report.html").is_file()


@pytest.mark.slow
def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    (block,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    assert "UAR" in (tmp_path / "scores.md").read_text()


def test_commands_that_need_more_are_understood() -> None:
    harness = [words for words in commands("bash") if words and words[0] == "harness"]
    assert len(harness) >= 2
    library = Library([shipped_folder()])
    for words in harness:
        parsed = build_parser(words[1]).parse_args(words[1:])
        if words[1] == "run":
            for task in parsed.task:
                find_task(task, [ROOT / "tasks"])
            for prompt in parsed.prompt:
                library.prompt(prompt)


def test_make_targets_exist() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for words in commands("sh"):
        if words and words[0] == "make":
            assert words[1] in targets


def test_the_prompt_in_the_readme_renders(tmp_path: Path) -> None:
    (block,) = blocks("jinja")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.j2").write_text(block)
    library = Library([tmp_path])
    assert library.variables(library.prompt("own/mine")) <= {"image", "labels"}


def test_files_named_in_the_documents_exist() -> None:
    for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / target).exists(), (name, target)


def test_rooms_named_in_the_architecture_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    planned = {"cues", "submit"}
    for room in re.findall(r"`harness/([a-z]+)/`", text):
        assert (ROOT / "harness" / room).is_dir() or room in planned, room
    for folder in (ROOT / "harness").iterdir():
        if (folder / "__init__.py").is_file():
            assert f"`harness/{folder.name}/`" in text, folder.name
