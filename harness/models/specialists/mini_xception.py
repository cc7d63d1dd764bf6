"""Mini-Xception, a network of 58,000 weights that reads seven emotions from a grey face of 64 x 64 pixels.

After O. Arriaga, M. Valdenegro-Toro and P. Plöger, Real-time Convolutional Neural Networks for Emotion and Gender
Classification, 2017 (arXiv:1710.07557), as fer 25.10.3 uses it; trained on FER2013. Written anew in torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WIDTHS = (16, 32, 64, 128)
STEM = 8
EPSILON = 1e-3
"""Of the batch normalisations, as Keras has it."""


class MiniXception:
    """Its weights as tensors, by the names of `tensor_shapes`."""

    def __init__(self, weights: Mapping[str, Any], *, labels: int = 7) -> None:
        """Raises ValueError where a tensor is missing or has another shape."""
        for name, shape in tensor_shapes(labels).items():
            found = tuple(weights[name].shape) if name in weights else None
            if found != shape:
                raise ValueError(f"{name} has the shape {found}, not {shape}")
        self._weights = weights

    def __call__(self, pictures: Any) -> Any:
        """(n, 7) probabilities of pictures (n, 1, 64, 64) from -1 to 1."""
        import torch.nn.functional as nn

        found = self._normal("stem.1", nn.conv2d(pictures, self._weights["stem.1.weight"]))
        found = nn.relu(found)
        found = self._normal("stem.2", nn.conv2d(found, self._weights["stem.2.weight"]))
        found = nn.relu(found)
        for block in range(len(WIDTHS)):
            found = self._block(f"block.{block}", found)
        found = nn.conv2d(
            found, self._weights["head.weight"], self._weights["head.bias"], padding=1
        )
        return found.mean((2, 3)).softmax(1)

    def _block(self, name: str, given: Any) -> Any:
        """Two separable convolutions and a maximum beside a strided convolution."""
        import torch.nn.functional as nn

        beside = nn.conv2d(given, self._weights[f"{name}.beside.weight"], stride=2)
        beside = self._normal(f"{name}.beside", beside)
        found = nn.relu(self._separable(f"{name}.1", given))
        found = self._separable(f"{name}.2", found)
        # Keras pads what is missing for an even side behind: nothing before, one after.
        before, after = _same_padding(int(given.shape[-1]))
        found = nn.pad(found, (before, after, before, after), value=float("-inf"))
        return nn.max_pool2d(found, 3, stride=2) + beside

    def _separable(self, name: str, given: Any) -> Any:
        import torch.nn.functional as nn

        deep = self._weights[f"{name}.depthwise"]
        found = nn.conv2d(given, deep, padding=1, groups=deep.shape[0])
        return self._normal(name, nn.conv2d(found, self._weights[f"{name}.pointwise"]))

    def _normal(self, name: str, given: Any) -> Any:
        import torch.nn.functional as nn

        mean, variance, scale, shift = (self._weights[f"{name}.norm.{part}"] for part in NORM)
        return nn.batch_norm(given, mean, variance, scale, shift, eps=EPSILON)


NORM = ("mean", "variance", "scale", "shift")


def _same_padding(side: int) -> tuple[int, int]:
    """What Keras's `same` adds before and after for a window of 3 and a stride of 2."""
    missing = max(0, (-(-side // 2) - 1) * 2 + 3 - side)
    return missing // 2, missing - missing // 2


def tensor_shapes(labels: int) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor, in torch's order of axes."""
    found: dict[str, tuple[int, ...]] = {}
    for name, shape in _convolutions():
        found[name] = shape
    for name, width in _norms():
        found |= {f"{name}.norm.{part}": (width,) for part in NORM}
    found |= {"head.weight": (labels, WIDTHS[-1], 3, 3), "head.bias": (labels,)}
    return found


def _convolutions() -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "stem.1.weight", (STEM, 1, 3, 3)
    yield "stem.2.weight", (STEM, STEM, 3, 3)
    for block, (into, out) in enumerate(_steps()):
        yield f"block.{block}.beside.weight", (out, into, 1, 1)
        for step, width in (("1", into), ("2", out)):
            yield f"block.{block}.{step}.depthwise", (width, 1, 3, 3)
            yield f"block.{block}.{step}.pointwise", (out, width, 1, 1)


def _norms() -> Iterator[tuple[str, int]]:
    yield from (("stem.1", STEM), ("stem.2", STEM))
    for block, (_, out) in enumerate(_steps()):
        yield from ((f"block.{block}.{one}", out) for one in ("beside", "1", "2"))


def _steps() -> Sequence[tuple[int, int]]:
    return tuple(zip((STEM, *WIDTHS[:-1]), WIDTHS, strict=True))
