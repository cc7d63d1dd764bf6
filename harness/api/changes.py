"""Python values as `--set` changes: `source={"file": ...}` is `source.file=...`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

import yaml

from harness.core.errors import HarnessError


def changes(
    *,
    source: Mapping[str, object] | None = None,
    fields: Mapping[str, Mapping[str, object]] | None = None,
    set: Mapping[str, object] | None = None,
) -> tuple[str, ...]:
    """The changes, those of `set` last.

    `source`: option -> value; `fields`: field -> key -> value; `set`: dotted path -> value. Raises HarnessError for a
    path that cannot be, and for a value that a task file cannot hold.
    """
    found = [_change(("source", key), value) for key, value in _items("source", source)]
    for name, keys in _items("fields", fields):
        found += [
            _change(("fields", name, key), value)
            for key, value in _items(f"fields[{name!r}]", keys)
        ]
    found += [_change(tuple(path.split(".")), value) for path, value in _items("set", set)]
    return tuple(found)


def _items(what: str, given: Any) -> Iterator[tuple[str, Any]]:
    if given is None:
        return
    if not isinstance(given, Mapping):
        raise HarnessError(
            f"{what} must be a mapping, not {type(given).__name__}",
            hint='for example: source={"file": "labels.csv"}, fields={"emotion": {"metrics": '
            '["uar"]}} or set={"slices": ["gender"]}',
        )
    for key, value in given.items():
        if not isinstance(key, str) or not key or "=" in key or (what != "set" and "." in key):
            raise HarnessError(
                f"{what}: {key!r} is not a valid key",
                hint='for nested keys, nest mappings: source={"sidecar": {"file": "teeth.csv"}}',
            )
        yield key, value


def _change(keys: tuple[str, ...], value: object) -> str:
    dotted = ".".join(keys)
    return f"{dotted}={_text(dotted, value)}"


def _text(dotted: str, value: object) -> str:
    if isinstance(value, PurePath):
        value = str(value)
    if isinstance(value, str):
        if value.startswith(("[", "{")):
            raise HarnessError(
                f"{dotted}: {value!r} would be read as a YAML list or mapping",
                hint="pass a Python list or mapping; write a file name that starts with [ as "
                "./[...",
            )
        return value
    if value is None:
        raise HarnessError(f"{dotted} is None", hint="leave it out to keep the value in the task")
    try:
        plain = json.loads(json.dumps(value, default=_plain, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise HarnessError(
            f"{dotted}: {value!r:.80} is not allowed in a task: {error}",
            hint="use strings, numbers, True, False, lists and mappings",
        ) from None
    if not isinstance(plain, (list, dict)):
        return json.dumps(plain)
    written = yaml.safe_dump(
        plain,
        default_flow_style=True,
        allow_unicode=json.dumps(plain, ensure_ascii=False).isprintable(),
        width=math.inf,
        sort_keys=False,
    )
    return str(written).rstrip("\n")


def _plain(value: object) -> object:
    """What JSON has no form for: sets, paths, mappings of other kinds, numbers of numpy."""
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    item = getattr(value, "item", None)
    if callable(item):
        return item()
    raise TypeError(f"values of type {type(value).__name__} are not supported")


def per_model(given: Any) -> tuple[str, ...]:
    """One value for all models, or model -> value, as options write it: `N`, `MODEL=N`; a list is written so already."""
    if given is None:
        return ()
    if isinstance(given, (list, tuple)):
        return tuple(map(str, given))
    pairs = given.items() if isinstance(given, Mapping) else [("", given)]
    return tuple(f"{model}={value}" if model else str(value) for model, value in pairs)
