"""Protocols with a number in their name: `vote-5`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.core.errors import HarnessError
from harness.core.protocol import AnswerProtocol


@dataclass(frozen=True, slots=True)
class ProtocolFamily:
    """Registered under a name that ends in `-N`."""

    name: str
    description: str
    make: Callable[[str, int], AnswerProtocol]
    """The protocol of a whole name and its number."""
    least: int = 2
    most: int = 100

    def check(self, name: str, number: int) -> None:
        """Raises HarnessError for a number that does not suit the protocol called `name`."""
        if not self.least <= number <= self.most:
            raise HarnessError(
                f"protocol {name}: {number} does not suit {self.name}",
                hint=f"N is a whole number from {self.least} to {self.most}",
            )
