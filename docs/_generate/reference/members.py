"""What types say of their members: name, type in words, default, docstring."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .markdown import code, entry, prose

_PLAIN = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`", Path: "path", type(None): "nothing"}  # fmt: skip


@dataclass(frozen=True)
class Member:
    """One member of a class."""

    name: str
    type: str
    """In words."""
    default: str
    """As code; empty where the member is needed."""
    text: str
    """Its docstring as Markdown."""


def docstrings(found: type) -> dict[str, str]:
    """Member -> the docstring that stands behind it, of a class and of those that it extends."""
    told: dict[str, str] = {}
    for one in reversed(found.__mro__):
        if one.__module__.partition(".")[0] not in {"harness", "affect_example"}:
            continue
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
        assert isinstance(node, ast.ClassDef)
        for place, following in zip(node.body, node.body[1:], strict=False):
            targets = getattr(place, "targets", [getattr(place, "target", None)])
            if (
                isinstance(targets[0], ast.Name)
                and isinstance(following, ast.Expr)
                and isinstance(following.value, ast.Constant)
            ):
                told[targets[0].id] = inspect.cleandoc(str(following.value.value))
    return told


def members(model: type[BaseModel]) -> Iterator[Member]:
    """The keys of a pydantic model, in their order."""
    told = docstrings(model)
    for name, info in model.model_fields.items():
        yield Member(name, _type(info), _default(info), prose(told.get(name, "")))


def key_entries(model: type[BaseModel], *, prefix: str = "") -> str:
    """Every key of a model as entries. Raises ValueError for a key that says nothing of itself."""
    blocks = []
    for one in members(model):
        if one.name == "name":
            continue  # from the file's place
        if not one.text:
            raise ValueError(f"{model.__name__}.{one.name} has no docstring")
        facts = f"{one.type}; " + (f"default {code(one.default)}" if one.default else "needed")
        blocks.append(
            entry(one.name, facts, one.text, anchor=f"{prefix}{one.name}".replace("_", "-"))
        )
    return "\n\n".join(blocks)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return ""
    value = info.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, BaseModel):
        return "{}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(str, value))}]"
    if isinstance(value, float):
        return f"{value:g}"
    return '""' if value == "" else str(value)


def _type(info: FieldInfo) -> str:
    words = in_words(info.annotation)
    for mark in info.metadata:
        words += _limit(mark)
    return words


def _limit(mark: Any) -> str:
    if getattr(mark, "gt", None) is not None:
        return f" above {mark.gt:g}"
    if getattr(mark, "ge", None) is not None:
        return f" from {mark.ge:g}"
    if getattr(mark, "le", None) is not None:
        return f" to {mark.le:g}"
    return ""


def in_words(annotation: Any) -> str:
    """A type as a person who writes YAML reads it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if origin is typing.Annotated:
        return in_words(arguments[0]) + "".join(_limit(mark) for mark in arguments[1:])
    if origin is Literal:
        return " or ".join(code(str(one)) for one in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(in_words(one) for one in arguments if one is not type(None))
    if origin is tuple:
        return f"list of {in_words(arguments[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"mapping of {in_words(arguments[0])} to {in_words(arguments[1])}"
    if annotation is Any:
        return "any value"
    if isinstance(annotation, type):
        return "mapping, see below" if issubclass(annotation, BaseModel) else annotation.__name__
    return str(annotation)
