"""Conditions with a parameter in their name: a number (`uniform-8`) or words (`resize:224`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.core.condition import Condition
from harness.core.errors import HarnessError


@dataclass(frozen=True, slots=True)
class ConditionFamily:
    """Registered under a name that ends in `-N`."""

    name: str
    description: str
    make: Callable[[str, float], Condition]
    """The condition of a whole name and its number."""
    whole: bool = True
    """Whether N is a whole number."""
    least: float = 1
    most: float = 1000

    def check(self, name: str, number: float) -> None:
        """Raises HarnessError for a number that does not suit the condition called `name`."""
        if not self.least <= number <= self.most or (self.whole and not number.is_integer()):
            kind = "a whole number" if self.whole else "a number"
            raise HarnessError(
                f"condition {name}: {number:g} is not allowed for {self.name}",
                hint=f"N is {kind} from {self.least:g} to {self.most:g}",
            )


@dataclass(frozen=True, slots=True)
class Worded:
    """Registered under `NAME`, for all conditions called `NAME:WORDS`.

    `make` reads the words, which may hold anything but `+` and `/`, and raises HarnessError for those that do not suit.
    """

    name: str
    form: str
    """How it is written, for lists and errors: `resize:SIDE`."""
    description: str
    make: Callable[[str, str], Condition]
    """The condition of a whole name and its words, which are what stands behind the colon."""
    bare: Condition | None = None
    """The condition that `NAME` alone names; None where words are needed."""
