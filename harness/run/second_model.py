"""The second model of a run, whose answer the tool `second_opinion` gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness.core.errors import HarnessError
from harness.core.model import Model
from harness.core.protocol import SECOND, Ask
from harness.core.tool import SECOND_OPINION
from harness.core.tools_asked import read_tools, spelled_tools
from harness.run.axes import Axes
from harness.run.budget import Budget, Purse
from harness.run.fallback import Fitter

NAME_ONE = "name it: --second-model MODEL"


@dataclass(frozen=True, slots=True)
class SecondModel:
    """A model that is open, under the name that it was given."""

    name: str
    model: Model

    def identified(self, axes: Axes) -> Axes:
        """Axes with its identity."""
        return replace(axes, second_identity=self.model.card.identity)


@dataclass(frozen=True, slots=True)
class Side:
    """A model that is asked."""

    name: str
    model: Model
    fitter: Fitter
    purse: Purse
    kept_as: str = ""
    """The name under which its replies are kept, where it is not the model of the cell."""


def second_side(second: SecondModel, axes: Axes) -> Side:
    """The second model, which has no price."""
    model, settings = second.model, axes.settings_of(second.name)
    most = axes.max_images.get(second.name)
    fitter = Fitter(lambda: model.card, most=most, video=None, system=settings.system)
    return Side(second.name, model, fitter, Purse(second.name, None, Budget()), second.name)


def side_for(step: Ask, own: Side, second: Side | None) -> Side:
    """Whom a step is put to. Raises HarnessError where that is a second model and there is none."""
    if step.model != SECOND:
        return own
    if second is None:
        raise HarnessError("a second model is asked, but none is named", hint=NAME_ONE)
    return second


def asks_second(tools: str) -> bool:
    """Whether the tools of a cell ask a second model."""
    asked = read_tools(tools) if tools else None
    return asked is not None and SECOND_OPINION in asked.names


def asked_second(second: str | None, tools: Iterable[str]) -> str:
    """The second model of a run, empty for none. Raises HarnessError where the tools, as they are written, need one and none
    is named, and where one is named for nothing."""
    needed = any(asks_second(spelled_tools(one)) for one in tools)
    if needed and not second:
        raise HarnessError(f"--tools {SECOND_OPINION} needs a second model", hint=NAME_ONE)
    if second and not needed:
        raise HarnessError(
            f"--second-model {second} has no effect: no tools ask it",
            hint=f"offer the tool that does: --tools zoom+{SECOND_OPINION}",
        )
    return second or ""
