"""A sample to judge, with its annotations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from harness.core.medium import Medium

Value: TypeAlias = "str | float | int | bool | tuple[str, ...]"
"""A target or an answer: a label, a number, yes/no, or a set of names (sorted tuple)."""

Scalar: TypeAlias = "str | float | int | bool | None"
"""An annotation as tables hold it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture or clip, its question, its targets and its annotations. Holds no pixels."""

    id: str
    """Unique in its task."""
    medium: Medium
    targets: Mapping[str, Value]
    """Field name -> true value; a field without a known truth is absent."""
    question: str | None = None
    """The question put with the medium, where each sample has its own."""
    asks: tuple[str, ...] = ()
    """The fields this sample asks for; empty means every field of the task."""
    annotations: Mapping[str, Scalar] = field(default_factory=dict)
    """Everything else known: slices come from here, prompts never see it."""
    second: Medium | None = None
    """The other picture or clip of a pair, where the question is about two; conditions change both alike, and prompts
    print it as `{{ paired.image }}`."""
    cluster: str | None = None
    """The unit of resampling: the subject where the set has one; None means the medium itself."""

    def asked_of(self, fields: Collection[str]) -> tuple[str, ...]:
        """Those of a task's fields that this sample asks for, in the order it asks."""
        return tuple(name for name in (self.asks or fields) if name in fields)
