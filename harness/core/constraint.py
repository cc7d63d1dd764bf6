"""Constraints on a reply during generation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

ConstraintKind: TypeAlias = Literal["choice", "json", "regex", "calls"]

Need: TypeAlias = str
"""What a cell needs of a model: a kind of constraint or `logprob` (scores of candidates) for its channel, `video` or `audio` for its
condition, `tools` for a protocol that has the server told of its tools, `loop` for one that lends them to the model, `thinking:LEVEL` for how much it is to think, and `thinking-held:LEVEL` where it is to think before a reply that
is held to something (`harness.core.thinking`)."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One of several texts, a JSON object with a schema, or a text that matches a regular expression. `calls` is one of
    several JSON objects, each with a schema (`anyOf`), which not every server that is held to `json` takes."""

    kind: ConstraintKind
    choices: tuple[str, ...] = ()
    """For choice: the whole replies that are allowed."""
    text: str = ""
    """For json and calls: the schema, written as JSON. For regex: the pattern, which the whole reply matches."""
