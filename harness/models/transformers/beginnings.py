"""How far prompts have their tokens in common, without a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

STEM = 256
"""Tokens to be spared by which a beginning is read on behind its last picture, in a pass of its own."""


def common(rows: Sequence[Sequence[int]]) -> int:
    """How many tokens all rows begin with."""
    first, rest = rows[0], rows[1:]
    most = min(map(len, rows))
    for nth in range(most):
        if any(row[nth] != first[nth] for row in rest):
            return nth
    return most


def read_once(rows: Sequence[Sequence[int]], *, mark: int) -> int:
    """How many tokens of prompts that are equal up to `mark`, behind their last picture, are read once for all."""
    stem = min(common(rows), min(map(len, rows)) - 1)
    return stem if (len(rows) - 1) * (stem - mark) >= STEM else mark


def picture_tokens(processor: Any, config: Any = None) -> frozenset[int]:
    """The tokens that stand for a picture in a text."""
    texts = [getattr(processor, name, None) for name in ("image_token", "boi_token")]
    ids = [processor.tokenizer.convert_tokens_to_ids(t) for t in texts if isinstance(t, str)]
    for name in ("image_token_id", "image_token_index", "boi_token_index", "boi_token_id"):
        ids.append(getattr(config, name, None))
    return frozenset(one for one in ids if isinstance(one, int))


def behind_pictures(ids: Sequence[int], marks: frozenset[int], *, count: int) -> int:
    """The place behind the last of `count` pictures; 0 where there are none, or not as many are found."""
    places = [nth for nth, token in enumerate(ids) if token in marks]
    return places[-1] + 1 if places and len(places) == count else 0
