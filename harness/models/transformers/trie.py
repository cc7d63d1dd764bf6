"""Constrain generated text to one of several replies, token by token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Trie:
    """Token sequences by their beginnings."""

    below: dict[int, Trie] = field(default_factory=dict)
    whole: bool = False
    """A sequence ends here."""

    @classmethod
    def of(cls, sequences: Iterable[Sequence[int]]) -> Trie:
        """The trie of some sequences."""
        root = cls()
        for sequence in sequences:
            node = root
            for token in sequence:
                node = node.below.setdefault(token, cls())
            node.whole = True
        return root

    def after(self, tokens: Iterable[int]) -> Trie | None:
        """The node that the tokens lead to, or None."""
        node: Trie | None = self
        for token in tokens:
            node = None if node is None else node.below.get(token)
        return node


class Held:
    """A logits processor that lets each row of a batch say one of its own sequences, and then end.

    `width`: tokens of the prompt in every row; `ends`: tokens that end a turn.
    """

    def __init__(
        self, tries: Sequence[Trie], *, width: int, ends: Iterable[int], torch: Any
    ) -> None:
        self._tries, self._width, self._ends, self._torch = tries, width, sorted(ends), torch

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores (rows, vocabulary) to scores of the same shape, minus infinity for what is not allowed."""
        held = self._torch.full_like(scores, -self._torch.inf)
        for row, (trie, said) in enumerate(
            zip(self._tries, input_ids[:, self._width :].tolist(), strict=True)
        ):
            node = trie.after(said)
            if node is None:  # the row has ended; what is padded behind it is not read
                held[row] = scores[row]
                continue
            allowed = [*node.below, *(self._ends if node.whole else ())]
            held[row, allowed] = scores[row, allowed]
        return held
