"""The answer to one field, read from a reply."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.outcome import Outcome
from harness.core.sample import Value


@dataclass(frozen=True, slots=True)
class Answer:
    """One per (trial, field): a value, or exactly one reason why there is none."""

    outcome: Outcome
    value: Value | None
    """Set exactly when the outcome is `answered`."""
    rule: str
    """The parser rule that decided, such as `final-anchor/label`."""
    span: tuple[int, int] | None = None
    """Position (start, end) of the value in the reply, if one place decided."""
    shares: tuple[tuple[str, float], ...] = ()
    """If the reply states a distribution: label -> share. Shares add up to 1."""

    votes: tuple[tuple[str, int], ...] = ()
    """For a vote: each answer (or reason why there is none) with its number of replies, most frequent first."""

    def __post_init__(self) -> None:
        if (self.value is not None) != (self.outcome is Outcome.ANSWERED):
            raise ValueError(f"outcome {self.outcome} does not go with value {self.value!r}")
