"""What a processor makes of a picture or a sound, kept for the other prompts of the same one.

To prepare one picture of a megapixel takes some 50 ms on the processor, a sound 250 ms where it is filled up to five
minutes, and a grid of 16 prompts asks for it 16 times. A batch's features are put together from those of its pictures or
sounds, and the checkpoint's own processor does all the rest (places of the picture in the text, masks, padding). Whether
that gives exactly what the checkpoint's part for them makes of a whole batch is tried once on pictures of unlike sizes, or
sounds of unlike lengths; where it does not, nothing is kept.

Preparing pictures in a thread beside generation is not done: on two cores no gain was shown, and beside a GPU it was not
measured (`results/benchmarks/unequal_pictures.md`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

MOST_BYTES = 1 << 30
"""Features kept, in bytes; a picture of a megapixel takes 26 MB in float32."""

_TRIED = ((56, 48), (300, 100), (90, 210), (800, 640))
"""Sizes (width, height in pixels) of the pictures on which putting together is tried."""

_LENGTHS = (4_000, 16_000, 9_001)
"""Samples of the sounds on which it is."""


def drawn_pictures() -> list[Any]:
    """Pictures of unlike sizes."""
    from PIL import Image

    return [Image.linear_gradient("L").convert("RGB").resize(size) for size in _TRIED]


def drawn_sounds() -> list[Any]:
    """Sounds of unlike lengths and pitches."""
    return [np.sin(np.arange(size) * (10 + size) / 1e5).astype(np.float32) for size in _LENGTHS]


class KeptFeatures:
    """Stands where a processor has its part for pictures or for sounds, and is called as that is."""

    def __init__(
        self,
        inner: Any,
        *,
        torch: Any,
        most_bytes: int = MOST_BYTES,
        drawn: Callable[[], list[Any]] = drawn_pictures,
    ) -> None:
        """`drawn` gives what putting together is tried on."""
        self._inner, self._torch, self._most, self._drawn = inner, torch, most_bytes, drawn
        self._kept: OrderedDict[tuple[Any, ...], tuple[Any, Any, int]] = OrderedDict()
        self._bytes = 0
        self._exact: dict[tuple[bool, str], bool] = {}
        self.prepared = 0
        """Calls of the checkpoint's part for pictures or sounds."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __call__(self, images: Any, *rest: Any, **options: Any) -> Any:
        """The features of pictures, of lists of pictures, or of sounds, as the checkpoint's own processor gives them."""
        nested = isinstance(images, list) and bool(images) and isinstance(images[0], list)
        if rest or not isinstance(images, list) or not images:
            return self._make(images, *rest, **options)
        way = (nested, repr(sorted(options.items(), key=lambda item: item[0])))
        if way not in self._exact:
            self._exact[way] = self._tried(nested, options)
        if not self._exact[way]:
            return self._make(images, **options)
        return joined([self._of(one, way, options) for one in images], torch=self._torch)

    def forget(self) -> None:
        """Keep nothing of what is kept."""
        self._kept.clear()
        self._bytes = 0

    def _make(self, images: Any, *rest: Any, **options: Any) -> Any:
        self.prepared += 1
        return self._inner(images, *rest, **options)

    def _of(self, one: Any, way: tuple[bool, str], options: dict[str, Any]) -> Any:
        """The features of one picture, one list of pictures, or one sound."""
        pictures = tuple(one) if way[0] else (one,)
        name = (
            way,
            *map(id, pictures),
        )  # an entry holds its pictures, so that no other takes their place
        found = self._kept.get(name)
        if found is not None:
            self._kept.move_to_end(name)
            return found[1]
        made = self._make([one], **options)
        size = sum(v.numel() * v.element_size() for v in made.values() if hasattr(v, "numel"))
        if size <= self._most:
            self._kept[name] = (pictures, made, size)
            self._bytes += size
        while self._bytes > self._most:
            _, (_, _, dropped) = self._kept.popitem(last=False)
            self._bytes -= dropped
        return made

    def _tried(self, nested: bool, options: dict[str, Any]) -> bool:
        """Whether features put together are those of the whole batch, to the last bit."""
        shown = self._drawn()
        batch = [[one] for one in shown] if nested else shown
        try:
            whole = self._inner(batch, **options)
            apart = joined([self._inner([one], **options) for one in batch], torch=self._torch)
            return set(whole) == set(apart) and all(
                _same(whole[name], apart[name], self._torch.equal) for name in whole
            )
        except (ValueError, TypeError, LookupError, AttributeError, RuntimeError):
            return False


def forget_features(processor: Any) -> None:
    """Keep nothing of what a processor's parts keep."""
    for name in ("image_processor", "feature_extractor"):
        part = getattr(processor, name, None)
        if isinstance(part, KeptFeatures):
            part.forget()


def joined(parts: Sequence[Any], *, torch: Any) -> Any:
    """The features of several batches as one, in a mapping of its own, for a processor takes out what it needs:
    tensors behind each other, smaller ones padded with zeros.

    Raises ValueError where they do not fit together.
    """
    if any(set(part) != set(parts[0]) for part in parts):
        raise ValueError("pictures with features of unlike names")
    held = {name: _behind([part[name] for part in parts], torch) for name in parts[0]}
    return type(parts[0])(data=held)


def _behind(values: Sequence[Any], torch: Any) -> Any:
    if all(isinstance(value, list) for value in values):
        return [one for value in values for one in value]
    if not all(isinstance(value, torch.Tensor) for value in values):
        raise ValueError("features that are not tensors")
    widest = tuple(max(sizes) for sizes in zip(*(v.shape[1:] for v in values), strict=True))
    return torch.cat([_padded(value, widest, torch) for value in values])


def _padded(value: Any, widest: tuple[int, ...], torch: Any) -> Any:
    if tuple(value.shape[1:]) == widest:
        return value
    whole = value.new_zeros((value.shape[0], *widest))
    whole[tuple(slice(size) for size in value.shape)] = value
    return whole


def _same(one: Any, other: Any, equal: Callable[[Any, Any], bool]) -> bool:
    if hasattr(one, "dtype") and hasattr(other, "dtype"):
        return (one.dtype, one.shape) == (other.dtype, other.shape) and equal(one, other)
    return type(one) is type(other) and bool(one == other)
