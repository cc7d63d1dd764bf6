"""Choose which waiting requests share a batch."""

from __future__ import annotations

from collections.abc import Sequence


def batch_of_first(lengths: Sequence[int], *, rows: int, tokens: int) -> list[int]:
    """Places of the requests that are computed with the first one, in their order.

    `lengths` are tokens of the prompts. They are sorted by length and cut, from the longest, into batches of at most
    `rows` and at most `tokens` with padding (rows times the longest); the batch of the first is given, so that nobody
    waits for ever. A prompt that is over `tokens` alone is a batch of its own.
    """
    order = sorted(range(len(lengths)), key=lambda place: (-lengths[place], place))
    batch: list[int] = []
    for place in order:
        longest = lengths[batch[0]] if batch else 0
        if len(batch) == rows or (len(batch) + 1) * longest > tokens:
            if 0 in batch:
                break
            batch = []
        batch.append(place)
    return sorted(batch)
