"""Many exchanges about one picture in one sequence, under a tree mask.

A row is a trunk (system turn, the user's first words, the pictures) with branches, in which there may
be further pictures. Each branch sees the trunk and itself, never its neighbours, and its positions start where the trunk ends: so
it is what a conversation of its own would be, while the trunk is read once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from harness.affect_tiny.training.exchange import CUT, PICTURE, ExchangeRow

HIDDEN = -1e4
"""Added to the score of what may not be seen; well within bfloat16 and far beyond any score."""
NO_LABEL = -100
TOGETHER = 6
"""Rows in one forward pass of the language model."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A batch of rows as tensors."""

    ids: Tensor
    """(n, length) token numbers."""
    positions: Tensor
    """(3, n, length) rotary positions."""
    mask: Tensor
    """(n, 1, length, length), added to attention scores."""
    labels: Tensor
    """(n, length): the next token where it belongs to an answer, else `NO_LABEL`."""
    answers: int
    """How many answers the batch holds."""


@dataclass(slots=True)
class Packer:
    """Turns rows into tensors; remembers how strings are encoded."""

    tokenizer: Any
    tokens: int
    """Picture tokens of one picture, a square number."""
    cache: dict[str, list[int]] = field(default_factory=dict)

    def encode(self, text: str) -> list[int]:
        """Token numbers of a text."""
        known = self.cache.get(text)
        if known is None:
            if len(self.cache) > 200_000:
                self.cache.clear()
            known = []
            for part in text.split(CUT):
                known += self.tokenizer(part, add_special_tokens=False)["input_ids"]
            self.cache[text] = known
        return known

    def lay(
        self, text: str, at: int = 0, grid: tuple[int, int] | None = None
    ) -> tuple[list[int], list[tuple[int, int, int]], int]:
        """Ids and positions of a text with pictures, and the position after it.

        Args:
            at: position of its first token.
            grid: rows and columns of a picture's tokens, where it is not square.
        """
        picture = self.tokenizer.convert_tokens_to_ids("<|image_pad|>")
        rows, columns = grid or (round(self.tokens**0.5),) * 2
        ids: list[int] = []
        places: list[tuple[int, int, int]] = []
        for number, piece in enumerate(text.split(PICTURE)):
            if number:
                ids += [picture] * (rows * columns)
                places += [(at, at + r, at + c) for r in range(rows) for c in range(columns)]
                at += max(rows, columns)
            # The tokens around a picture are special ones, so cutting there changes no encoding.
            head = "<|vision_end|>" if number else ""
            tail = "<|vision_start|>" if number < text.count(PICTURE) else ""
            known = self.encode(head + piece + tail)
            ids += known
            places += [(at + i,) * 3 for i in range(len(known))]
            at += len(known)
        return ids, places, at

    def size(self, text: str) -> int:
        """How many tokens a text takes."""
        return len(self.encode(text))

    def batches(self, rows: Sequence[ExchangeRow]) -> Iterator[tuple[list[int], Packed]]:
        """The rows, `TOGETHER` at a time, each batch with its rows' places. Rows of like length go
        together, which saves padding."""
        sizes = [sum(self.size(text) for b in row.branches for text, _ in b) for row in rows]
        order = sorted(range(len(rows)), key=lambda i: sizes[i])
        for start in range(0, len(order), TOGETHER):
            some = order[start : start + TOGETHER]
            yield some, self.pack([rows[i] for i in some])

    def pack(self, rows: Sequence[ExchangeRow]) -> Packed:
        """The rows as one batch, padded on the right."""
        laid = [self._lay(row) for row in rows]
        n, length = len(laid), max(len(one[0]) for one in laid)
        ids = torch.zeros(n, length, dtype=torch.long)
        positions = torch.zeros(3, n, length, dtype=torch.long)
        branch = torch.full((n, length), -1)
        labels = torch.full((n, length), NO_LABEL)
        for i, (row_ids, places, owner, wanted) in enumerate(laid):
            size = len(row_ids)
            ids[i, :size] = torch.tensor(row_ids)
            positions[:, i, :size] = torch.tensor(places).T
            branch[i, :size] = torch.tensor(owner)
            labels[i, :size] = torch.tensor(wanted)
        causal = torch.ones(length, length).tril().bool()
        allowed = causal & ((branch[:, None] == 0) | (branch[:, None] == branch[:, :, None]))
        mask = torch.zeros(n, 1, length, length, dtype=torch.bfloat16)
        mask.masked_fill_(~allowed[:, None], HIDDEN)
        answers = sum(said for row in rows for b in row.branches for _, said in b)
        return Packed(ids, positions, mask, labels, answers)

    def _lay(
        self, row: ExchangeRow
    ) -> tuple[list[int], list[tuple[int, int, int]], list[int], list[int]]:
        """Ids, positions, branch numbers (0 is the trunk) and labels of one row."""
        ids, places, at = self.lay(row.trunk, grid=row.grid)
        owner, wanted = [0] * len(ids), [NO_LABEL] * len(ids)
        for number, pieces in enumerate(row.branches, start=1):
            here = at
            for text, said in pieces:
                known, positions, here = self.lay(text, here, row.grid)
                if said:  # the token before an answer foretells its first token, and so on
                    wanted[-1] = known[0]
                    wanted += [*known[1:], NO_LABEL]
                else:
                    wanted += [NO_LABEL] * len(known)
                ids = ids + known
                places += positions
                owner += [number] * len(known)
        return ids, places, owner, wanted
