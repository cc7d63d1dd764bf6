"""Locations of prompts, tasks and data: `harness.toml`, and the built-in files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from harness.core.enhancer import ENDPOINT_NAME, METHODS, PREFIX
from harness.core.errors import HarnessError
from harness.core.folders import Folders
from harness.enhancers.settings import EnhancerSettings
from harness.models import BASELINES, MODELS, ModelSettings
from harness.prompting.library import shipped_folder
from harness.run.toml_file import read_toml
from harness.run.yaml_file import validated

CONFIG_NAME = "harness.toml"
_REFERENCE = re.compile(r"\$\{([^}]*)\}")


class ConfigFile(BaseModel):
    """What harness.toml may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompts: tuple[str, ...] = ()
    """Folders of your own prompts, or one as a text. Relative paths start at the folder of the file."""
    tasks: tuple[str, ...] = ()
    """Folders of your own tasks, in the same way."""
    data: Mapping[str, str] = {}
    """Name -> folder of a data set; task files write `${data.NAME}`."""
    models: Mapping[str, ModelSettings] = {}
    """Name -> settings of a model; `--model NAME` asks it."""
    enhancers: Mapping[str, EnhancerSettings] = {}
    """Name -> an endpoint that enhances pictures; `--condition enhance:NAME` asks it."""


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
    config = _read_config(here / CONFIG_NAME)
    shipped = shipped_folder()
    mine = [*prompts, *(here / p for p in config.prompts)]
    my_tasks = [*tasks, *(here / t for t in config.tasks)]
    for folder in (*mine, *my_tasks):
        if not folder.is_dir():
            raise HarnessError(
                f"no such folder: {folder}", hint="check --prompts, --tasks, harness.toml"
            )
    return Workspace(
        here=here,
        prompts=Folders.shipped(shipped, "harness.prompts", own=mine),
        tasks=Folders.shipped(shipped.parent / "tasks", "harness.tasks", own=my_tasks),
        data=config.data,
        models={name: _named(name, one, here) for name, one in config.models.items()},
        enhancers=config.enhancers,
    )


def _named(name: str, settings: ModelSettings, here: Path) -> ModelSettings:
    """A model of `harness.toml` under its name, its key's file beside that file."""
    update: dict[str, Any] = {"name": name}
    if settings.key_file is not None:
        update["key_file"] = here / settings.key_file.expanduser()
    return settings.model_copy(update=update)


def _read_config(path: Path) -> ConfigFile:
    try:
        raw, place = read_toml(path)
    except FileNotFoundError:
        return ConfigFile()
    for key in ("prompts", "tasks"):
        if isinstance(raw.get(key), str):
            raw[key] = [raw[key]]
    config = validated(ConfigFile, raw, place, "harness.toml")
    for name, settings in config.models.items():
        where = place(("models", name))
        if not name.strip() or name in BASELINES or name.partition(":")[0] in MODELS.names():
            raise HarnessError(
                f"{where}: {name!r} already means a model of its own", hint="give it another name"
            )
        if settings.name:
            raise HarnessError(
                f"{place(('models', name, 'name'))}: models.{name}.name: unknown key",
                hint="the name is that of the table; display_name is what tables show",
            )
    for name in config.enhancers:
        where = place(("enhancers", name))
        if name in METHODS:
            raise HarnessError(
                f"{where}: {PREFIX}{name} already means a method of this package",
                hint="give the endpoint another name",
            )
        if not ENDPOINT_NAME.fullmatch(name):
            raise HarnessError(
                f"{where}: {name!r} cannot be the name of an endpoint",
                hint="use small letters, digits, dots, dashes and underscores, such as gfpgan-1.4",
            )
    return config


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
