"""Enhance a picture without a model: the usual first repairs, with settings that do not know what was done to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.core.enhancer import METHODS
from harness.core.errors import MediaError, missing_extra
from harness.media.decode import PIXEL_LIMIT
from harness.media.degrade import SIDE

if TYPE_CHECKING:
    from PIL import Image

Enhance: TypeAlias = "Callable[[Image.Image], Image.Image]"

TIMES = 2
"""lanczos: how many times as many pixels a side."""
CLIP, TILES = 2.0, 8
"""clahe: limit of contrast, and tiles a side (those of OpenCV's tutorial)."""
UNSHARP = (2.0, 150, 3)
"""unsharp: radius in pixels of a picture of 224, per cent, threshold (Pillow's own)."""
WIENER, NOISE_TO_SIGNAL = 2.0, 0.01
"""wiener (ours): standard deviation in pixels of a picture of 224 of the Gaussian blur that is undone, and the share of
noise in the power of the picture at every frequency."""


def lanczos(image: Image.Image) -> Image.Image:
    """Twice as many pixels a side, by Lanczos interpolation. Raises MediaError for a picture too large for it."""
    from PIL import Image

    size = (TIMES * image.width, TIMES * image.height)
    if size[0] * size[1] > PIXEL_LIMIT:
        raise MediaError(
            f"enlarged {TIMES} times, {image.width}x{image.height} pixels are more than {PIXEL_LIMIT:,}",
            kind="too-large",
            hint="use enhance:lanczos on smaller pictures",
        )
    return image.resize(size, Image.Resampling.LANCZOS)


def clahe(image: Image.Image) -> Image.Image:
    """Contrast-limited adaptive histogram equalisation (Zuiderveld, 1994) of the lightness L* alone, by OpenCV.

    Raises HarnessError where OpenCV is not installed.
    """
    from PIL import Image

    try:
        import cv2
    except ImportError:
        raise missing_extra("OpenCV", "video") from None
    lab = cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2LAB)
    equal = cv2.createCLAHE(clipLimit=CLIP, tileGridSize=(TILES, TILES))
    lab[..., 0] = equal.apply(np.ascontiguousarray(lab[..., 0]))
    return Image.fromarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))


def unsharp(image: Image.Image) -> Image.Image:
    """Edges made steeper: unsharp masking."""
    from PIL import ImageFilter

    radius, percent, threshold = UNSHARP
    return image.filter(ImageFilter.UnsharpMask(radius * _scale(image), percent, threshold))


def wiener(image: Image.Image) -> Image.Image:
    """A Gaussian blur undone by the Wiener filter H / (H^2 + k) of each channel, k the share of noise."""
    from PIL import Image

    sigma = WIENER * _scale(image)
    pad = ceil(4 * sigma)
    pixels = np.asarray(image)
    height, width = image.height + 2 * pad, image.width + 2 * pad
    response = np.outer(_gaussian(np.fft.fftfreq(height), sigma), _gaussian(np.fft.rfftfreq(width), sigma))  # fmt: skip
    undo = response / (response**2 + NOISE_TO_SIGNAL)
    undo /= undo[0, 0]  # the mean of the picture stays
    made = np.empty_like(pixels)
    for channel in range(pixels.shape[2]):  # one at a time: the spectrum of a photograph is large
        values = np.pad(pixels[..., channel].astype(np.float64), pad, mode="symmetric")
        seen = np.fft.irfft2(np.fft.rfft2(values) * undo, s=(height, width))
        inner = seen[pad : pad + image.height, pad : pad + image.width]
        made[..., channel] = inner.round().clip(0, 255)
    return Image.fromarray(made)


def _gaussian(frequencies: NDArray[np.floating[Any]], sigma: float) -> NDArray[np.float64]:
    """The response of a Gaussian of sigma pixels at frequencies in cycles a pixel."""
    return np.asarray(np.exp(-2 * (np.pi * sigma * frequencies) ** 2))


def _scale(image: Image.Image) -> float:
    return min(image.size) / SIDE


ENHANCEMENTS: Mapping[str, Enhance] = MappingProxyType(
    dict(zip(METHODS, (lanczos, clahe, unsharp, wiener), strict=True))
)
