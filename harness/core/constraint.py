"""Constraints on a reply during generation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

ConstraintKind: TypeAlias = Literal["choice", "json", "regex"]

Need: TypeAlias = str
"""What a cell needs of a model: a kind of constraint or `logprob` (scores of candidates) for its channel, `video` for its
condition, `thinking:LEVEL` for how much it is to think, and `thinking-held:LEVEL` where it is to think before a reply that
is held to something (`harness.core.thinking`)."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One of several texts, a JSON object with a schema, or a text that matches a regular expression."""

    kind: ConstraintKind
    choices: tuple[str, ...] = ()
    """For choice: the whole replies that are allowed."""
    text: str = ""
    """For json: the schema, written as JSON. For regex: the pattern, which the whole reply matches."""
