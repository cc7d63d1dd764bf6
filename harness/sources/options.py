"""Options of a source in a task file: checked, with errors that name the key."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.core.errors import HarnessError


class Options(BaseModel):
    """What all option models share: frozen, no key unknown, and `-2` in YAML is the text `-2`."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


Model = TypeVar("Model", bound=Options)


def read_options(model: type[Model], options: Mapping[str, Any], *, family: str) -> Model:
    """Validate a family's options (without `family`). Raises HarnessError naming `source.KEY`."""
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "source"
        allowed = sorted(model.model_fields)
        if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
            near = difflib.get_close_matches(key, allowed, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise HarnessError(
                f"source.{key}: the source family {family!r} has no such option",
                hint=f"{hint}options: {', '.join(allowed)}",
            ) from None
        if first["type"] == "missing" and len(first["loc"]) == 1:
            raise HarnessError(
                f"source.{key}: required by the source family {family!r}",
                hint=f"add it to the task's source, or use --set source.{key}=...",
            ) from None
        nested = f"check the value of source.{first['loc'][0]}" if len(first["loc"]) > 1 else ""
        raise HarnessError(
            f"source.{key}: {_reason(first['msg'])} (source family {family!r})",
            hint=nested or f"options: {', '.join(allowed)}",
        ) from None


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")
