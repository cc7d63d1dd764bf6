"""One file that describes an experiment: what `harness run EXPERIMENT.yaml` reads and `--write` saves.

Its keys are the options of a run (`harness.api.options.RunOptions`), but for these: `models` may hold settings in full,
`set` changes the tasks, and `stop` says when the run ends.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat

from harness.api.changes import changes, per_model
from harness.api.options import RunOptions
from harness.core.errors import HarnessError
from harness.models import ModelSettings
from harness.run.folder import write_atomically
from harness.run.task_files import change_value, split_change
from harness.run.yaml_file import Place, read_yaml, validated


class Stop(BaseModel):
    """When an experiment ends before everything is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cost: float | str | None = None
    """Money, in the currency of the prices: `20`, or `20EUR`."""
    hours: PositiveFloat | None = None
    error_rate: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of the last 100 requests that may fail, 0 to 1."""


_STOP = {"max_cost": "cost", "stop_after": "hours", "max_error_rate": "error_rate"}
"""Options of a run -> keys under `stop:`."""
_OTHERWISE = {*_STOP, "changes", "preview", "again"}
"""Options of a run that are no keys of the file."""
KEYS = ("name", "models", "tasks", *(n for n in RunOptions.model_fields if n not in _OTHERWISE))
KEYS = tuple(dict.fromkeys((*KEYS, "set", "stop")))
"""The keys of the file."""
_PER_MODEL = ("max_images", "prices")
_LISTS = frozenset(
    name for name, one in RunOptions.model_fields.items() if str(one.annotation).startswith("tuple")
)


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment file, read and checked."""

    path: Path
    options: RunOptions
    settings: Mapping[str, ModelSettings]
    """Name -> settings of the models that the file describes itself."""
    without_models: bool = False
    """Whether it says `models:` and names none."""


def is_experiment(path: Path) -> bool:
    """Whether a YAML file describes an experiment (it has `tasks:`) or a task (`source:`).

    Raises HarnessError for a file that has both or neither.
    """
    data, _ = read_yaml(path)
    both, neither = "tasks" in data and "source" in data, not {"tasks", "source"} & set(data)
    if both or neither:
        raise HarnessError(
            f"{path} has {'both' if both else 'neither'} tasks: {'and' if both else 'nor'} source:",
            hint="a file with tasks: describes an experiment, one with source: a task",
        )
    return "tasks" in data


def read_experiment(path: Path) -> Experiment:
    """An experiment file. Raises HarnessError naming the line of an unknown key or a wrong value."""
    data, place = read_yaml(path)
    if isinstance(data.get("select"), Mapping):  # YAML reads the key `on` as true
        data["select"] = {"on" if key is True else key: v for key, v in data["select"].items()}
    for key in data:
        if key not in KEYS:
            near = difflib.get_close_matches(str(key), KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(KEYS)}"
            if key in _STOP:
                hint = f"write stop: {{{_STOP[key]}: ...}}"
            raise HarnessError(f"{place([key])}: {key}: unknown key", hint=hint)
    names, settings = _models(data.get("models", ()), place)
    body = {
        name: _plain(name, value) for name, value in data.items() if name not in {"set", "stop"}
    }
    body |= {"name": data.get("name") or path.stem, "models": names}
    body |= {name: per_model(data[name]) for name in _PER_MODEL if name in data}
    body |= _stopping(data.get("stop"), place)
    try:
        body["changes"] = changes(set=_dotted(data.get("set") or {}))
    except HarnessError as error:
        raise HarnessError(f"{place(['set'])}: {error.message}", hint=error.hint) from None
    none = "models" in data and not names
    return Experiment(path, validated(RunOptions, body, place, "experiment"), settings, none)


def experiment_file(tasks: Sequence[str]) -> Path | None:
    """The experiment file among the tasks of a command; None where there is none. Raises HarnessError for one among
    others."""
    files = [Path(name) for name in tasks if Path(name).suffix in {".yaml", ".yml"}]
    found = [path for path in files if path.is_file() and is_experiment(path)]
    if found and len(tasks) > 1:
        raise HarnessError(
            f"{found[0]} is an experiment, which is run alone", hint="name its tasks in the file"
        )
    return found[0] if found else None


def with_experiment(
    path: Path, asked: RunOptions, *, spelled: Callable[[str], str]
) -> tuple[RunOptions, Mapping[str, ModelSettings]]:
    """An experiment file with the options given beside it, and the settings of models that it describes.

    Changes of tasks add up. Raises HarnessError for any other option that both say; `spelled` writes its name.
    """
    found = read_experiment(path)
    said = {name for name in found.options.model_fields_set if name not in {"tasks", "changes"}}
    if not found.options.models:
        said -= {"models"}
    given = {
        name: getattr(asked, name)
        for name in asked.model_fields_set - {"tasks", "changes"}
        if getattr(asked, name) not in (None, (), "")
    }
    twice = sorted(set(given) & (said - {"name"}))
    if twice:
        raise HarnessError(
            f"{', '.join(map(spelled, twice))}: {path} sets the same",
            hint="change the file, or leave the option out",
        )
    if found.without_models and not asked.models:
        raise HarnessError(
            f"{path}: models: is empty, so nothing would be asked",
            hint="name a model in the file or with --model; without the key, only the baselines are scored",
        )
    body = {name: getattr(found.options, name) for name in (*said, "tasks")}
    changes = (*found.options.changes, *asked.changes)
    return RunOptions(**{**body, **given, "changes": changes}), found.settings


def write_experiment(path: Path, options: RunOptions) -> None:
    """Save options as a file that `read_experiment` reads as the same ones. Raises HarnessError for a file that is
    there, and for a task that was made in Python."""
    if path.exists():
        raise HarnessError(f"{path} exists", hint="name another file, or remove it")
    if not all(isinstance(task, str) for task in options.tasks):
        raise HarnessError(
            "a task that was made in Python is in no file, so no experiment can name it"
        )
    said = options.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    body: dict[str, Any] = {name: said[name] for name in KEYS if name in said}
    body["exclude"] = [dict(one.named) for one in options.exclude]
    if options.changes:
        body["set"] = {
            ".".join(keys): change_value(text, ".".join(keys))
            for keys, text in map(split_change, options.changes)
        }
    stop = {key: said[name] for name, key in _STOP.items() if name in said}
    if "hours" in stop:
        stop["hours"] = stop["hours"] / 3600
    body = {name: value for name, value in {**body, "stop": stop}.items() if value not in ([], {})}
    text = yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=100)
    write_atomically(path, text.encode())


def _models(given: Any, place: Place) -> tuple[tuple[str, ...], dict[str, ModelSettings]]:
    """The names, and the settings of those described in the file."""
    names: list[str] = []
    settings: dict[str, ModelSettings] = {}
    for number, one in enumerate(given if isinstance(given, (list, tuple)) else [given]):
        if not isinstance(one, Mapping):
            names.append(str(one))
            continue

        def where(keys: Any, number: int = number) -> str:
            return place(["models", number, *keys])

        found = validated(ModelSettings, dict(one), where, "settings")
        if found.called in names:
            raise HarnessError(
                f"{where([])}: two models are called {found.called!r}",
                hint="give each a name of its own",
            )
        names.append(found.called)
        settings[found.called] = found
    return tuple(names), settings


def _plain(name: str, value: Any) -> Any:
    """A value of the file as the option has it: one of several may stand without brackets, off and on are words."""
    if name not in _LISTS:
        return value
    several = value if isinstance(value, list) else [value]
    return tuple(("on" if one else "off") if isinstance(one, bool) else one for one in several)


def _stopping(given: Any, place: Place) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise HarnessError(f"{place(['stop'])}: stop: expected a mapping", hint="stop: {hours: 6}")
    stop = validated(Stop, given, lambda keys: place(["stop", *keys]), "stop")
    found: dict[str, Any] = {}
    if stop.cost is not None:
        found["max_cost"] = stop.cost if isinstance(stop.cost, str) else f"{stop.cost:.15g}"
    if stop.hours is not None:
        found["stop_after"] = stop.hours * 3600
    if stop.error_rate is not None:
        found["max_error_rate"] = stop.error_rate
    return found


def _dotted(given: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested mappings as dotted paths, two levels deep: deeper values are those of a key."""
    found: dict[str, Any] = {}
    for key, value in given.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping) and name.count(".") < 1:
            found |= _dotted(value, f"{name}.")
        else:
            found[name] = value
    return found


def schema() -> dict[str, Any]:
    """The JSON schema of the file, for editors."""
    whole = RunOptions.model_json_schema()
    own, definitions = whole["properties"], whole.get("$defs", {})
    for described in (ModelSettings, Stop):
        one = described.model_json_schema()
        definitions |= one.pop("$defs", {})
        definitions[described.__name__] = one
    words = {"type": ["string", "number", "boolean"]}
    for axis in definitions["CellPattern"]["properties"]:
        definitions["CellPattern"]["properties"][axis] = words
    properties: dict[str, Any] = {name: own[name] for name in KEYS if name in own}
    one_or_more = {name: _or_one(properties[name]) for name in properties if name in _LISTS}
    properties |= one_or_more
    model = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/ModelSettings"}]}
    properties["models"] = _or_one({"type": "array", "items": model})
    properties["tasks"] = _or_one({"type": "array", "items": {"type": "string"}, "minItems": 1})
    for name in _PER_MODEL:
        properties[name] = {"type": ["string", "number", "object"]}
    properties["set"] = {"type": "object", "description": "Changes of every task, by dotted path."}
    properties["stop"] = {"$ref": "#/$defs/Stop"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "affect-harness experiment",
        "type": "object",
        "required": ["tasks"],
        "additionalProperties": False,
        "properties": properties,
        "$defs": definitions,
    }


def _or_one(several: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [dict(several), several["items"]]}
