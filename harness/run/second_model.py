"""The second model of a run, whose answer the tool `second_opinion` gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.core.errors import HarnessError
from harness.core.model import Model
from harness.core.tool import SECOND_OPINION
from harness.core.tools_asked import read_tools

NAME_ONE = "name it: --second-model MODEL"


@dataclass(frozen=True, slots=True)
class SecondModel:
    """A model that is open, under the name that it was given."""

    name: str
    model: Model


def asks_second(tools: str) -> bool:
    """Whether the tools of a cell ask a second model."""
    asked = read_tools(tools) if tools else None
    return asked is not None and SECOND_OPINION in asked.names


def check_second(tools: Iterable[str], second: str) -> None:
    """Raise HarnessError where a second model is needed and none is named, and where one is named for nothing."""
    needed = any(map(asks_second, tools))
    if needed and not second:
        raise HarnessError(f"--tools {SECOND_OPINION} needs a second model", hint=NAME_ONE)
    if second and not needed:
        raise HarnessError(
            f"--second-model {second} has no effect: no tools ask it",
            hint=f"offer the tool that does: --tools zoom+{SECOND_OPINION}",
        )
