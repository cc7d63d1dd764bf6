"""Every command and every block of code in README and docs/ is run, or where it needs more than this machine, checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli.main import COMMANDS, build_parser, main
from harness.conditions import degrade, region
from harness.conditions.presentation import read_presentation
from harness.core.folders import shipped_folder
from harness.core.task import Task
from harness.models import describe_models
from harness.prompting.library import Library
from harness.prompting.variables import PROMPT_VARIABLES
from harness.run.task_files import find_task
from harness.run.workspace import open_workspace
from tests.documents import PAGES, ROOT, WRITTEN, Block, blocks
from tests.example import Installed, install_example

LANGUAGES = {"sh", "bash", "python", "jinja", "yaml", "toml", "text", "csv", "json"}
SHOWN = {"text", "csv", "json"}
"""Languages of what is shown and not run."""
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
TASK: dict[str, Any] = {
    "source": {"family": "table"}, "fields": {"emotion": {"kind": "label"}}, "prompts": ["emotion/plain"],
}  # fmt: skip


def runs(page: str) -> bool:
    """Whether a page has something that is run."""
    return any(b.language in {"sh", "python"} and not b.snippet for b in blocks(page))


@pytest.mark.slow
@pytest.mark.timeout(900)  # the README holds a dozen commands
@pytest.mark.parametrize("page", [page for page in PAGES if runs(page)])
def test_what_a_page_says_runs(
    page: str,
    example_here: Installed,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In order, in one folder; the example package is installed. What a page shows as output was printed."""
    work = example_here.work / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    ran = 0
    for block in blocks(page):
        where = f"{page}:{block.line}"
        if block.title:
            (work / block.title).parent.mkdir(parents=True, exist_ok=True)
            (work / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "bash":
            for words in block.commands:
                if words[:2] == ["pip", "install"] and (work / words[2]).is_dir():
                    install_example(place := work.parent / f"site-{ran}", work / words[2])
                    monkeypatch.syspath_prepend(str(place))
        elif block.language == "python" and not block.snippet:
            exec(compile(block.text, where, "exec"), {"__name__": "__main__"})
            ran += 1
        elif block.language == "sh":
            for words in block.commands:
                if words[0] == "make":
                    continue  # this is one of its tests
                assert words[0] == "harness", (where, words)
                assert main(words[1:]) == 0, (where, words)
                ran += 1
    assert ran
    printed = {line.rstrip() for line in capsys.readouterr().out.splitlines()}
    shown = {
        line.rstrip() for b in blocks(page) if b.language == "text" for line in b.text.splitlines()
    }
    if page in WRITTEN and page != "README.md":  # whose output is that of `make demo`
        assert shown <= printed


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_is_understood(page: str, tmp_path: Path) -> None:
    for block in blocks(page):
        where = f"{page}:{block.line}"
        assert block.language in LANGUAGES, where
        if block.snippet:
            assert (ROOT / block.snippet).is_file(), where
        elif block.language in {"sh", "bash"}:
            for words in block.commands:
                check_command(words, where, described=described(page))
        elif block.language == "jinja":
            check_prompt(block, tmp_path / "prompts")
        elif block.language == "yaml" and not block.title:
            Task.model_validate({**TASK, **yaml.safe_load(block.text)})
        elif block.language == "toml" and not block.title:
            check_settings(block, tmp_path)
        else:
            assert block.language in SHOWN or block.title or block.language == "python", where


@pytest.mark.parametrize("page", [page for page in WRITTEN if page.startswith("extend/")])
def test_what_another_package_writes_is_a_file_that_is_tested(page: str) -> None:
    included = [block.snippet for block in blocks(page) if block.snippet]
    assert included and all(name.startswith("tests/example_package/") for name in included)


def described(page: str) -> set[str]:
    """Models that a harness.toml of the page describes."""
    files = [b for b in blocks(page) if b.language == "toml" and b.title == "harness.toml"]
    return {name for b in files for name in tomllib.loads(b.text).get("models", {})}


def check_command(words: list[str], where: str, *, described: Collection[str] = ()) -> None:
    """A command whose options the parser takes, and whose task, prompts, conditions and models are there, or
    `described` on the page."""
    if words[0] == "make":
        assert words[1] in TARGETS, (where, words)
        return
    if Path(words[0]).name in {"pip", "python", "source", "git", "podman", "mkdir", "hf"}:
        return
    assert words[0] == "harness" and words[1] in {*COMMANDS, "--version"}, (where, words)
    named = vars(build_parser(words[1]).parse_args(words[1:]))
    place = open_workspace(ROOT)
    for task in listed(named.get("task")):
        find_task(task, place.tasks)
    for condition in listed(named.get("condition")):
        for one in [one for part in region.expanded(condition) for one in degrade.expanded(part)]:
            read_presentation(one)
    for model in listed(named.get("model")):
        forms = {one.name.partition(":")[0] for one in describe_models()}
        assert model in described or model.partition(":")[0] in forms, (where, model)
    for prompt in listed(named.get("prompt")):
        Library([shipped_folder()]).prompt(prompt)


def listed(named: Any) -> list[str]:
    """Names given to an option that can be looked up here; those of the family `my` are a page's own."""
    names = [named] if isinstance(named, str) else named or []
    return [
        name for name in names if name != "all" and not name.startswith("my/") and "*" not in name
    ]


def check_prompt(block: Block, folder: Path) -> None:
    """A prompt that loads, and uses only variables that there are."""
    path = folder / (block.title.removeprefix("prompts/") or "my/block.j2")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")
    library = Library([folder, shipped_folder()])
    prompt = library.prompt(path.relative_to(folder).with_suffix("").as_posix())
    assert library.variables(prompt) <= PROMPT_VARIABLES.keys()


def check_settings(block: Block, folder: Path) -> None:
    """A harness.toml whose keys are known."""
    (folder / "harness.toml").write_text(block.text, encoding="utf-8")
    for made in ("my-prompts", "my-tasks", "prompts"):
        (folder / made).mkdir(exist_ok=True)
    assert open_workspace(folder).data is not None


def test_every_page_is_written() -> None:
    for page, text in WRITTEN.items():
        assert len(text) > 500, page
