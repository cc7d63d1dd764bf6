"""The sweeps that are measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """16 prompts of each picture."""

    title: str
    pictures: int
    """In a round."""
    reply: int = 8
    """Most tokens of a reply."""
    tokens: int = 0
    """Of each picture; 0: as affect-tiny ships."""
    turns: int = 1
    """System turns before the picture."""
    asked: float | None = None
    """Least ratio of CPU that is asked; None: it is shown alone."""


CASES = {
    "shipped": Case("affect-tiny as it ships", 8, asked=2),
    "shipped-long": Case("affect-tiny as it ships, replies of up to 48 tokens", 4, reply=48),
    "large": Case("pictures of 256 tokens", 4, tokens=256, asked=6),
    "turns": Case("pictures of 256 tokens behind 4 system turns", 4, tokens=256, turns=4, asked=6),
}
