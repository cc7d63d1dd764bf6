"""The reference of the documentation, made from the types: one function a page, each gives Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .commands import commands_page
from .conditions import conditions_page
from .files import analyses_page, harness_toml_page, run_folder_page
from .metrics import metrics_page
from .prompt_file import prompt_file_page
from .python import python_page
from .sources import sources_page
from .task_file import task_file_page
from .vocabularies import outcomes_page, vocabularies_page

PAGES: Mapping[str, Callable[[], str]] = {
    "task-file": task_file_page,
    "sources": sources_page,
    "prompt-file": prompt_file_page,
    "metrics": metrics_page,
    "vocabularies": vocabularies_page,
    "conditions": conditions_page,
    "outcomes": outcomes_page,
    "analyses": analyses_page,
    "run-folder": run_folder_page,
    "commands": commands_page,
    "harness-toml": harness_toml_page,
    "python": python_page,
}
"""Name of a page -> the function that writes it."""


def pages() -> dict[str, str]:
    """Name of a page -> its Markdown."""
    return {name: page() for name, page in PAGES.items()}
