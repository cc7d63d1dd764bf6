"""The answer to one field, read from a reply."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.outcome import Outcome
from harness.core.sample import Value


@dataclass(frozen=True, slots=True)
class Answer:
    """One per (trial, field): a value, or exactly one reason why not."""

    outcome: Outcome
    value: Value | None
    """Set exactly when the outcome is `answered`."""
    rule: str
    """The parser rule that decided, `final-anchor/label` and the like."""
    span: tuple[int, int] | None = None
    """Where in the reply the value stands (start, end), where one place decided."""
    shares: tuple[tuple[str, float], ...] = ()
    """Of a reply that states a distribution, each label of the field with its share; they add up to 1."""

    votes: tuple[tuple[str, int], ...] = ()
    """Of a vote, each answer, or reason why there is none, with the number of replies that gave it, most first."""

    def __post_init__(self) -> None:
        if (self.value is not None) != (self.outcome is Outcome.ANSWERED):
            raise ValueError(f"outcome {self.outcome} does not go with value {self.value!r}")
