"""YAML with line numbers, so that errors can name the place to correct."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from harness.core.errors import HarnessError
from harness.core.text import read_small
from harness.core.yaml_text import YamlFault, parse_yaml

M = TypeVar("M", bound=BaseModel)

LARGEST = 1 << 20
"""Bytes of a YAML file that is read."""

Place = Callable[[Sequence[str | int]], str]
"""Names the place of a key path: `tasks/x.yaml:12`."""


def read_yaml(path: Path) -> tuple[dict[str, Any], Place]:
    """The mapping in a YAML file, and a function that names the line of a key path in it.

    Raises HarnessError for a missing file, broken YAML, a repeated key, or anything but a mapping.
    """
    text = read_small(path, most=LARGEST, what="a YAML file of a task or of columns")
    try:
        data, root = parse_yaml(text)
    except YamlFault as fault:
        raise HarnessError(f"{path}:{fault.line}: {fault.problem}", hint=fault.hint) from None
    if not isinstance(data, dict) or root is None:
        raise HarnessError(f"{path}:1: expected a mapping (key: value lines)")
    lines: dict[tuple[str | int, ...], int] = {}
    _index(root, (), lines)

    def place(keys: Sequence[str | int]) -> str:
        known = tuple(keys)
        while known and known not in lines:
            known = known[:-1]
        return f"{path}:{lines.get(known, 1)}"

    return data, place


def _index(
    node: yaml.Node, keys: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]
) -> None:
    lines.setdefault(keys, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            below = (*keys, str(key_node.value))
            lines[below] = key_node.start_mark.line + 1
            _index(value_node, below, lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _index(item, (*keys, number), lines)


def validated(model: type[M], data: Mapping[str, Any], place: Place, what: str) -> M:
    """`model` filled from `data`; the first fault becomes a HarnessError with file, line, field and hint."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        # A misspelt key shows up as unknown and, where it is needed, as missing: the former explains both.
        fault = min(faults, key=lambda f: f["type"] != "extra_forbidden")
        keys = [key for key in fault["loc"] if not str(key).startswith(("function-", "union["))]
        name = ".".join(map(str, keys)) or what
        more = len(faults) - 1
        hint = _mend(fault["type"], keys, model)
        if more:
            hint += f" (and {more} more error{('s' if more > 1 else '')})"
        raise HarnessError(f"{place(keys)}: {name}: {_words(fault)}", hint=hint) from None


def _words(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "unknown key"
    if fault["type"] == "missing":
        return "missing"
    words = str(fault["msg"]).removeprefix("Value error, ")
    given = fault["input"]
    return words if isinstance(given, (dict, list)) else f"{words} (got {given!r:.80})"


def _mend(kind: str, keys: Sequence[str | int], model: type[BaseModel]) -> str:
    if kind == "extra_forbidden":
        known = _siblings(keys, model)
        near = difflib.get_close_matches(str(keys[-1]), known, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        return f"{meant}remove it or choose one of: {', '.join(known)}" if known else "remove it"
    if kind == "missing":
        return f"add `{keys[-1]}:`"
    return "correct the value"


def _siblings(keys: Sequence[str | int], model: type[BaseModel]) -> list[str]:
    """The keys allowed beside the last of `keys`, found by walking the models."""
    found: type[BaseModel] | None = model
    for key in keys[:-1]:
        if found is None:
            return []
        info = found.model_fields.get(str(key))
        found = _model_in(info.annotation) if info else found
    return [k for k in found.model_fields if k != "name"] if found else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        inner = _model_in(argument)
        if inner is not None:
            return inner
    return None
