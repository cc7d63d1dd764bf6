"""Conditions that carry a number in their name: `uniform-8`, `magnified-2.5`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.core.condition import Condition
from harness.core.errors import HarnessError


@dataclass(frozen=True, slots=True)
class Family:
    """Registered under a name that ends in `-N`."""

    name: str
    description: str
    make: Callable[[str, float], Condition]
    """The condition of a whole name and its number."""
    whole: bool = True
    """Whether N is a whole number."""
    least: float = 1
    most: float = 1000

    def of(self, name: str, number: float) -> Condition:
        """The condition called `name`. Raises HarnessError for a number that does not suit."""
        if not self.least <= number <= self.most or (self.whole and not number.is_integer()):
            kind = "a whole number" if self.whole else "a number"
            raise HarnessError(
                f"condition {name}: {number:g} does not suit {self.name}",
                hint=f"N is {kind} from {self.least:g} to {self.most:g}",
            )
        return self.make(name, number)
