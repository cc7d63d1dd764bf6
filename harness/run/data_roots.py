"""Errors about the folder of a data set name the entry of `[data]` that it comes from, not an option nobody set."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.run.workspace import CONFIG_NAME

_OPTION = re.compile(r"(?<!--set )\bsource\.root\b(?!=)")


@contextlib.contextmanager
def naming_roots(task: Task, data: Mapping[str, str]) -> Iterator[None]:
    """A block that opens or reads the data of a task; `data` are the folders of the workspace by name.

    An error that speaks of `source.root` speaks of the entry of `[data]`, where the root of the task is that entry's folder or
    lies in it.
    """
    try:
        yield
    except HarnessError as error:
        names = [name for name, folder in data.items() if _uses(task.source, folder)]
        if names:
            entry = f"[data] {' or '.join(names)} in {CONFIG_NAME}"
            error.message = _OPTION.sub(lambda _: entry, error.message)
            error.hint = _OPTION.sub(lambda _: entry, error.hint)
        raise


def _uses(source: Any, folder: str) -> bool:
    """Whether a `root` in a source section, or in one that it is made of, is the folder or lies in it."""
    if isinstance(source, Mapping):
        root = source.get("root")
        if isinstance(root, str) and PurePath(root).is_relative_to(folder):
            return True
        return any(_uses(part, folder) for part in source.values())
    return isinstance(source, list | tuple) and any(_uses(part, folder) for part in source)
