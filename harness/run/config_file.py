"""`harness.toml`: what it may hold, and reading it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from harness.core.enhancer import ENDPOINT_NAME, METHODS, PREFIX
from harness.core.errors import HarnessError
from harness.enhancers.settings import EnhancerSettings
from harness.models import BASELINES, MODELS, ModelSettings
from harness.run.toml_file import read_toml
from harness.run.yaml_file import validated


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


def read_config(path: Path) -> ConfigFile:
    """The settings in this file, each model under its name.

    Raises FileNotFoundError where there is no file, and HarnessError for a malformed one.
    """
    raw, place = read_toml(path)
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
    models = {name: _named(name, one, path.parent) for name, one in config.models.items()}
    return config.model_copy(update={"models": models})


def _named(name: str, settings: ModelSettings, here: Path) -> ModelSettings:
    """A model of `harness.toml` under its name, its key's file beside that file."""
    update: dict[str, Any] = {"name": name}
    if settings.key_file is not None:
        update["key_file"] = here / settings.key_file.expanduser()
    return settings.model_copy(update=update)
