"""Locations of prompts, tasks and data: `harness.toml`, and the built-in files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import HarnessError
from harness.core.folders import Folders, shipped_folder

if TYPE_CHECKING:
    from harness.enhancers.settings import EnhancerSettings
    from harness.models import ModelSettings
    from harness.run.config_file import ConfigFile

CONFIG_NAME = "harness.toml"
_REFERENCE = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Workspace:
    """Folders in the order they are searched, and the roots of data sets by name."""

    here: Path
    """Relative paths on the command line and in task files start here."""
    prompts: Folders
    tasks: Folders
    data: Mapping[str, str]
    models: Mapping[str, ModelSettings] = field(default_factory=dict)
    """Name -> settings of the models that `harness.toml` describes."""
    enhancers: Mapping[str, EnhancerSettings] = field(default_factory=dict)
    """Name -> settings of the endpoints that enhance pictures, as `harness.toml` describes them."""


def open_workspace(
    here: Path, *, prompts: Iterable[Path] = (), tasks: Iterable[Path] = ()
) -> Workspace:
    """The workspace of folder `here`: given folders first, then harness.toml's, then the shipped ones, then those of
    other packages (entry points `harness.prompts` and `harness.tasks`).

    Raises HarnessError for a malformed harness.toml or a folder that is not there.
    """
    config = _config(here / CONFIG_NAME)
    shipped = shipped_folder()
    mine = [*prompts, *(here / p for p in (config.prompts if config else ()))]
    my_tasks = [*tasks, *(here / t for t in (config.tasks if config else ()))]
    for folder in (*mine, *my_tasks):
        if not folder.is_dir():
            raise HarnessError(
                f"no such folder: {folder}", hint="check --prompts, --tasks, harness.toml"
            )
    return Workspace(
        here=here,
        prompts=Folders.shipped(shipped, "harness.prompts", own=mine),
        tasks=Folders.shipped(shipped.parent / "tasks", "harness.tasks", own=my_tasks),
        data=config.data if config else {},
        models=config.models if config else {},
        enhancers=config.enhancers if config else {},
    )


def _config(path: Path) -> ConfigFile | None:
    if not path.exists():
        return None
    from harness.run.config_file import read_config  # brings the settings of models and endpoints

    return read_config(path)


def undefined_references(value: Any, data: Mapping[str, str]) -> list[str]:
    """The names behind `${...}` in the strings of `value` that are no data root of the workspace, each once."""
    if isinstance(value, Mapping):
        parts: Sequence[Any] = list(value.values())
    elif isinstance(value, (list, tuple)):
        parts = value
    else:
        names = _REFERENCE.findall(value) if isinstance(value, str) else []
        return [n for n in dict.fromkeys(names) if not n.startswith("data.") or n.removeprefix("data.") not in data]  # fmt: skip
    return list(dict.fromkeys(name for part in parts for name in undefined_references(part, data)))


def fill_references(value: Any, data: Mapping[str, str], *, where: str) -> Any:
    """`value` with every `${data.NAME}` in its strings replaced. Raises HarnessError for an unknown one."""
    if isinstance(value, Mapping):
        return {k: fill_references(v, data, where=f"{where}.{k}") for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [fill_references(item, data, where=where) for item in value]
    if not isinstance(value, str):
        return value

    def replacement(match: re.Match[str]) -> str:
        name = match.group(1)
        root = data.get(name.removeprefix("data."))
        if root is None or not name.startswith("data."):
            raise HarnessError(
                f"{where}: ${{{name}}} is not defined",
                hint=f"define it in {CONFIG_NAME}: [data] {name.removeprefix('data.')} = "
                '"FOLDER"; or on the command line: --set '
                f"{where.partition(': ')[2] or where}=FOLDER",
            )
        return root

    return _REFERENCE.sub(replacement, value)
