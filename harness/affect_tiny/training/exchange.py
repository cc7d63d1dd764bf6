"""Exchanges about a picture, and rows of them with a common prefix."""

from __future__ import annotations

from dataclasses import dataclass

PICTURE = "\x00picture\x00"
"""Stands for a picture in a trunk."""
CUT = "\x01"
"""Stands inside a word that is to be encoded as two pieces; the model never sees it."""

Pieces = tuple[tuple[str, bool], ...]
"""A branch in order: text, and whether it is the model's own words (trained on)."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One conversation about one picture or clip, with the answers it should get."""

    kind: str
    """What is asked, such as "emotion" or "vqa/coarse"."""
    system: str
    """System turn; empty for none."""
    lead: str
    """The user's first words up to the last picture, `PICTURE` where pictures stand."""
    question: str
    """The user's words after the last picture."""
    answer: str
    then: tuple[str, str] | None = None
    """A second question and its answer."""


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """Exchanges that share a trunk, as chat text."""

    trunk: str
    branches: tuple[Pieces, ...]
    grid: tuple[int, int] | None = None
    """Rows and columns of a picture's tokens, where pictures are not square."""


def trunk_of(exchange: Exchange) -> str:
    """The chat text up to the last picture."""
    opening = turn("system", exchange.system) if exchange.system else ""
    return f"{opening}<|im_start|>user\n{exchange.lead}"


def branch_of(exchange: Exchange) -> Pieces:
    """What follows the trunk."""
    pieces = [(exchange.question + ENDED, False), (exchange.answer + "<|im_end|>", True)]
    if exchange.then is not None:
        question, answer = exchange.then
        pieces += [
            (f"\n<|im_start|>user\n{question}{ENDED}", False),
            (answer + "<|im_end|>", True),
        ]
    return tuple(pieces)


def turn(role: str, text: str) -> str:
    """One whole turn as chat text."""
    return f"<|im_start|>{role}\n{text}<|im_end|>\n"


ENDED = "<|im_end|>\n<|im_start|>assistant\n"
"""Ends the user's turn and opens the model's."""
