"""A named, deterministic change of what the model is shown."""

from __future__ import annotations

from typing import Protocol

from harness.core.medium import Medium


class Condition(Protocol):
    """An axis of a run, like prompts and models. Lazy: pictures are opened when they are read."""

    @property
    def name(self) -> str: ...

    def apply(self, medium: Medium) -> Medium: ...
