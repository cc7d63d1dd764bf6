"""A named, deterministic change to what the model is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from harness.core.medium import Medium


@runtime_checkable
class Condition(Protocol):
    """An axis of a run, like prompts and models. Pictures are opened when they are read, and where the
    condition cannot choose frames without seeing them."""

    @property
    def name(self) -> str: ...

    def apply(self, medium: Medium) -> Medium:
        """Raises MediaError if the medium cannot be shown in this way."""
        ...


@runtime_checkable
class Choosing(Protocol):
    """A condition that may choose frames itself."""

    @property
    def whole_clip(self) -> bool:
        """True: it is given every frame of a clip, and the task's frame policy does not apply."""
        ...


@runtime_checkable
class Telling(Protocol):
    """A condition that provides variables to prompts."""

    @property
    def variables(self) -> Mapping[str, str]:
        """Prompt variables: `shown`, `flow_legend`."""
        ...


@runtime_checkable
class Disturbing(Protocol):
    """A condition that changes a sample to measure the effect."""

    @property
    def sample_alone(self) -> bool:
        """True: few-shot examples shown before the sample keep their pictures."""
        ...


@runtime_checkable
class Placing(Protocol):
    """A condition that says whether faces stay where they are, which marks depend on."""

    @property
    def in_place(self) -> bool:
        """True: every pixel of a face stays at its place in the picture."""
        ...


def takes_whole_clip(condition: Condition) -> bool:
    """Whether the condition is given every frame of a clip."""
    return isinstance(condition, Choosing) and condition.whole_clip


def variables_of(condition: Condition) -> Mapping[str, str]:
    """Variables that the condition provides to prompts; empty for most."""
    return condition.variables if isinstance(condition, Telling) else {}
