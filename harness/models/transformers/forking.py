"""The beginnings of prompts, read once: system turn, picture and the words that several prompts have in common.

What a beginning left in the model's cache is kept without padding. For a batch it is repeated for each prompt that goes
on from it, padded on the left; the rest of the prompts follows, padded on the left as well, so that padding stands
between the two. A cache is read only where each of its layers holds plain keys and values: windows that slide, and the
states that Mllama looks at, are told apart.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 1 << 30
"""Keys and values kept, in bytes; a beginning of 1,300 tokens of a model of 3B parameters takes 50 MB in bfloat16."""


class NotForkable(Exception):
    """A cache, or a batch, that cannot be divided among prompts, with the reason in words."""


@dataclass(frozen=True, slots=True)
class Head:
    """One beginning that was read."""

    ids: tuple[int, ...]
    """Its tokens before pictures are expanded."""
    tokens: Any
    """Its tokens as the model read them (width)."""
    layers: tuple[tuple[Any, Any], ...]
    """Keys and values of each layer (1, heads, width, dimension)."""
    delta: Any = None
    """How far positions and places lie apart behind it (1, 1), in models of Qwen2-VL's kind."""
    crossed: Any = None
    """Which parts of the picture each token may look at (1, width, pictures, tiles), in Mllama."""

    @property
    def width(self) -> int:
        """Tokens, those of pictures included."""
        return int(self.tokens.shape[0])

    def size(self) -> int:
        """Bytes of keys and values."""
        return sum(t.numel() * t.element_size() for pair in self.layers for t in pair)


class Forking:
    """Takes a model's cache apart, and puts one together."""

    def __init__(self, model: Any, *, torch: Any, transformers: Any) -> None:
        self._torch, self._transformers = torch, transformers
        self._inner = getattr(model, "model", model)
        text = model.config.get_text_config()
        self._crossing = frozenset(getattr(text, "cross_attention_layers", None) or ())
        self._kinds: list[tuple[type, int]] = []
        """Of each layer its class, and its window, 0 where it has none."""

    @property
    def window(self) -> int:
        """Tokens that the narrowest layer looks back; 0: all. Known once a cache was taken apart."""
        return min((window for _, window in self._kinds if window), default=0)

    def taken(
        self, cache: Any, inputs: Mapping[str, Any], ids: Sequence[tuple[int, ...]]
    ) -> list[Head]:
        """The beginnings in a cache whose batch was `inputs`, padded on the left; `ids` are theirs before expansion.

        Raises NotForkable.
        """
        self._know(cache)
        width = int(inputs["input_ids"].shape[1])
        if self.window and width >= self.window:
            raise NotForkable(f"longer than its window of {self.window} tokens")
        deltas = getattr(self._inner, "rope_deltas", None)
        heads = []
        for row, own in enumerate(ids):
            start = width - int(inputs["attention_mask"][row].sum())
            layers = []
            for nth, layer in enumerate(cache.layers):
                begin = 0 if nth in self._crossing else start
                layers.append(
                    tuple(t[row : row + 1, :, begin:].clone() for t in (layer.keys, layer.values))
                )
            crossed = inputs.get("cross_attention_mask")
            heads.append(
                Head(
                    tuple(own), inputs["input_ids"][row, start:], tuple(layers),
                    delta=None if deltas is None else deltas[row : row + 1].clone(),
                    crossed=None if crossed is None else crossed[row : row + 1, start:],
                )
            )  # fmt: skip
        return heads

    def forked(
        self,
        heads: Sequence[Head],
        keep: Sequence[int],
        tails: Sequence[Sequence[int]],
        *,
        pad: int,
    ) -> dict[str, Any]:
        """Inputs of a batch that goes on from one beginning a row; `keep` are how many of its unexpanded tokens count.

        Raises NotForkable.
        """
        torch = self._torch
        widths = [h.width - (len(h.ids) - kept) for h, kept in zip(heads, keep, strict=True)]
        wide, long = max(widths), max(map(len, tails))
        device = heads[0].tokens.device
        cache = self._transformers.DynamicCache()
        cache.layers = [kind(window) if window else kind() for kind, window in self._kinds]
        for nth, layer in enumerate(cache.layers):
            parts = []
            for side in (0, 1):
                rows = [h.layers[nth][side] for h in heads]
                if nth in self._crossing:
                    if len({row.shape for row in rows}) > 1:
                        raise NotForkable("pictures of unlike shapes in one batch")
                    parts.append(torch.cat(rows))
                    continue
                first = rows[0]
                held = first.new_zeros((len(rows), first.shape[1], wide, first.shape[3]))
                for place, (row, width) in enumerate(zip(rows, widths, strict=True)):
                    held[place, :, wide - width :] = row[0, :, :width]
                parts.append(held)
            layer.update(*parts)
        ids = torch.full((len(heads), wide + long), pad, device=device)
        mask = torch.zeros_like(ids)
        for row, (head, width, tail) in enumerate(zip(heads, widths, tails, strict=True)):
            ids[row, wide - width : wide] = head.tokens[:width]
            ids[row, wide + long - len(tail) :] = torch.tensor(list(tail), device=device)
            mask[row, wide - width : wide] = 1
            mask[row, wide + long - len(tail) :] = 1
        batch = {"input_ids": ids, "attention_mask": mask, "past_key_values": cache}
        if heads[0].crossed is not None:
            batch["cross_attention_mask"] = self._crossed(heads, widths, wide, long)
        if heads[0].delta is not None:
            self._inner.rope_deltas = torch.cat([head.delta for head in heads])
        return batch

    def _crossed(self, heads: Sequence[Head], widths: Sequence[int], wide: int, long: int) -> Any:
        first = heads[0].crossed
        if len({head.crossed.shape[2:] for head in heads}) > 1:
            raise NotForkable("pictures of unlike shapes in one batch")
        held = first.new_zeros((len(heads), wide + long, *first.shape[2:]))
        for row, (head, width) in enumerate(zip(heads, widths, strict=True)):
            held[row, wide - width : wide] = head.crossed[0, :width]
            held[row, wide:] = head.crossed[0, width - 1]
        return held

    def _know(self, cache: Any) -> None:
        """Note of what kinds the layers are. Raises NotForkable where one is not of keys and values alone."""
        from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

        if type(cache) is not self._transformers.DynamicCache:
            raise NotForkable(f"its cache is a {type(cache).__name__}")
        for layer in cache.layers:
            if type(layer) not in (DynamicLayer, DynamicSlidingWindowLayer) or layer.keys is None:
                raise NotForkable(f"its cache has a {type(layer).__name__}")
        self._kinds = [(type(x), int(getattr(x, "sliding_window", 0) or 0)) for x in cache.layers]


class KeptHeads:
    """Beginnings by what they begin, the oldest of which go when there are too many bytes."""

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._bytes = most_bytes, 0
        self._kept: OrderedDict[object, tuple[Head, int]] = OrderedDict()

    def get(self, name: object) -> Head | None:
        """The beginning, which becomes the youngest; None where it is not kept."""
        found = self._kept.get(name)
        if found is None:
            return None
        self._kept.move_to_end(name)
        return found[0]

    def put(self, name: object, head: Head) -> None:
        """Keep a beginning, unless it is too large."""
        self.drop(name)
        size = head.size()
        if size <= self._most:
            self._kept[name] = (head, size)
            self._bytes += size
        while self._bytes > self._most:
            self.drop(next(iter(self._kept)))

    def drop(self, name: object) -> None:
        """Keep it no longer."""
        found = self._kept.pop(name, None)
        self._bytes -= 0 if found is None else found[1]

    def forget(self) -> None:
        """Keep nothing of what is kept."""
        self._kept.clear()
        self._bytes = 0
