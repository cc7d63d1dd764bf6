"""Degrade a picture by five severities, strictly ordered: less light, fewer pixels, noise, compression and so on.

Where ImageNet-C (Hendrycks and Dietterich, ICLR 2019, arXiv 1903.12261; `make_imagenet_c.py`) has the same corruption,
its five parameters are used; lengths in pixels are scaled from its pictures of 224 pixels to the shorter side. The
others are ours and marked so. What is drawn by chance comes from the pixels themselves: the same picture is degraded
alike under any name and in any run, and a severity shows the same noise, direction or fog as the others, only more of
it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, cos, radians, sin
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

Floats: TypeAlias = NDArray[np.float64]
Degrade: TypeAlias = "Callable[[Image.Image, int, Chance], Image.Image]"
"""A picture, a severity of 1 to SEVERITIES, and chance; RGB in and out, of the same size."""

SEVERITIES = 5
SIDE = 224
"""Shorter side in pixels for which ImageNet-C's lengths are meant."""

SIDES = (64, 48, 32, 24, 16)
SHARES = (0.75, 0.6, 0.45, 0.3, 0.2)
"""low-res (ours): pixels of the shorter side, or this share of it where that is less, so that small pictures lose too."""
BLURS = (1.0, 2.0, 3.0, 4.0, 6.0)
"""blur: standard deviation in pixels (ImageNet-C, gaussian_blur)."""
LEAST_BLURS = (0.3, 0.4, 0.5, 0.6, 0.8)
"""blur (ours): at least this many pixels of the picture itself, since a smaller Gaussian changes nothing."""
MOTIONS = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))
"""motion: radius and standard deviation in pixels (ImageNet-C, motion_blur)."""
LEAST_MOTIONS = ((1.1, 0.5), (1.2, 0.7), (1.3, 0.9), (1.4, 1.1), (1.5, 1.4))
"""motion (ours): at least these pixels of the picture itself."""
STEEPEST = 45.0
"""motion: degrees from the horizontal at most, drawn uniformly (ImageNet-C)."""
NOISES = (0.08, 0.12, 0.18, 0.26, 0.38)
"""noise: standard deviation, white being 1 (ImageNet-C, gaussian_noise)."""
QUALITIES = (25, 18, 15, 10, 7)
"""jpeg: quality (ImageNet-C, jpeg_compression)."""
PHOTONS = 1000.0
"""dark (ours): photons of a white pixel in full light. Severity S leaves 2^-S of the light (S stops), in linear sRGB."""
FOGS = (1.5, 2.0, 2.5, 3.0, 3.5)
"""fog: weight of the fog (ImageNet-C's formula; its weights are 1.5, 2, 2.5, 2.5, 3 with the grain of the fog changed
between them; here the fog stays, and the last two weights are ours)."""
_OCTAVES = 7
_DECAY = 1.7
"""fog: by how much each octave of its grain is weaker than the one before (ImageNet-C: 2 to 1.4)."""
_MOST_STEPS = 64
BAND = 1 << 20
"""Values that are held as floats at a time."""


@dataclass(frozen=True, slots=True)
class Chance:
    """What is drawn for one picture: `shared` by the frames of a clip, and `own` of the frame."""

    shared: bytes
    own: bytes

    def of_clip(self, what: str) -> np.random.Generator:
        """The same for every frame of a clip."""
        return _generator(self.shared, what)

    def of_frame(self, what: str) -> np.random.Generator:
        """Another one for each frame, as a sensor's noise is."""
        return _generator(self.own, what)


def digest_of(image: Image.Image) -> bytes:
    """What chance is drawn from: SHA-256 of the size and the pixels."""
    return hashlib.sha256(repr(image.size).encode() + image.tobytes()).digest()


def _generator(seed: bytes, what: str) -> np.random.Generator:
    mixed = hashlib.sha256(seed + what.encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(mixed[:16], "big")))


def low_res(image: Image.Image, severity: int, chance: Chance) -> Image.Image:
    """Fewer pixels (means over areas), then back to the size by bicubic interpolation."""
    from PIL import Image

    shorter = min(image.size)
    side = min(SIDES[severity - 1], SHARES[severity - 1] * shorter)
    small = tuple(max(1, round(length * side / shorter)) for length in image.size)
    shrunk = image.resize((small[0], small[1]), Image.Resampling.BOX)
    return shrunk.resize(image.size, Image.Resampling.BICUBIC)


def blur(image: Image.Image, severity: int, chance: Chance) -> Image.Image:
    """Out of focus: a Gaussian."""
    from PIL import ImageFilter

    spread = max(BLURS[severity - 1] * _scale(image), LEAST_BLURS[severity - 1])
    return image.filter(ImageFilter.GaussianBlur(spread))


def motion(image: Image.Image, severity: int, chance: Chance) -> Image.Image:
    """Moved while it was exposed: the mean along a line to one side, with Gaussian weights (as ImageMagick's)."""
    from PIL import Image

    radius, spread = (
        max(length * _scale(image), least)
        for length, least in zip(MOTIONS[severity - 1], LEAST_MOTIONS[severity - 1], strict=True)
    )
    angle = radians(chance.of_clip("motion").uniform(-STEEPEST, STEEPEST))
    steps = min(_MOST_STEPS, ceil(radius) + 1)
    pad = ceil(radius) + 1
    edges = ((pad, pad), (pad, pad), (0, 0))
    wide = Image.fromarray(np.pad(np.asarray(image), edges, mode="edge"))
    total = np.zeros((image.height, image.width, 3))
    bands = _bands(image)
    weights = 0.0
    for place in np.linspace(0.0, radius, steps):
        weight = float(np.exp(-(place**2) / (2 * spread**2)))
        moved = (1, 0, pad + place * cos(angle), 0, 1, pad + place * sin(angle))
        seen = wide.transform(
            image.size, Image.Transform.AFFINE, moved, resample=Image.Resampling.BILINEAR
        )
        pixels = np.asarray(seen)
        for rows in bands:
            total[rows] += weight * pixels[rows].astype(np.float64)
        weights += weight
    return _banded(image, lambda values, rows: total[rows] / weights)


def noise(image: Image.Image, severity: int, chance: Chance) -> Image.Image:
    """Gaussian noise on every value, drawn anew for each frame of a clip."""
    rng = chance.of_frame("noise")
    return _banded(
        image,
        lambda values, rows: (
            values + 255 * NOISES[severity - 1] * rng.standard_normal(values.shape)
        ),
    )


def jpeg(image: Image.Image, severity: int, chance: Chance) -> Image.Image:
    """Compressed as a JPEG and opened again."""
    from PIL import Image

    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=QUALITIES[severity - 1])
    return Image.open(buffer).convert("RGB")


def dark(image: Image.Image, severity: int, chance: Chance) -> Image.Image:
    """Half the light for each severity, with the photon noise of what is left, drawn anew for each frame of a clip."""
    rng = chance.of_frame("dark")

    def darker(values: Floats, rows: slice) -> Floats:
        light = to_linear(values / 255) * 0.5**severity
        return 255 * from_linear(rng.poisson(light * PHOTONS) / PHOTONS)

    return _banded(image, darker)


def fog(image: Image.Image, severity: int, chance: Chance) -> Image.Image:
    """Fog before the picture: the picture plus weighted fog, scaled back to its range (ImageNet-C)."""
    weight, most = FOGS[severity - 1], float(np.asarray(image).max()) / 255
    layer = _plasma(image.size, chance.of_clip("fog"))[..., None]
    return _banded(
        image,
        lambda values, rows: 255 * (values / 255 + weight * layer[rows]) * most / (most + weight),
    )


def _plasma(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    """(height, width) from 0 to 1: grids of chance, each twice as fine and weaker than the one before."""
    from PIL import Image

    total = np.zeros((size[1], size[0]))
    for octave in range(_OCTAVES):
        grid = rng.uniform(-1, 1, (2**octave + 1, 2**octave + 1)).astype(np.float32)
        layer = Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC)
        total += np.asarray(layer, dtype=np.float64) / _DECAY**octave
    low, high = float(total.min()), float(total.max())
    return (total - low) / (high - low) if high > low else np.zeros_like(total)


def to_linear(values: Floats) -> Floats:
    """sRGB values of 0 to 1 as light (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def from_linear(light: Floats) -> Floats:
    """Light of 0 to 1, or more, as sRGB values."""
    bright = 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, 12.92 * light, bright)


def _scale(image: Image.Image) -> float:
    return min(image.size) / SIDE


def _bands(image: Image.Image) -> list[slice]:
    """Rows of an image, a band at a time."""
    rows = max(1, BAND // (3 * image.width))
    return [slice(start, start + rows) for start in range(0, image.height, rows)]


def _banded(image: Image.Image, change: Callable[[Floats, slice], Floats]) -> Image.Image:
    """The image with `change` made of the values (rows, width, 3) of each band, from above: a large photograph as floats would
    take gigabytes. What is drawn by chance comes in the same order as for the whole."""
    from PIL import Image

    pixels = np.asarray(image)
    made = np.empty_like(pixels)
    for rows in _bands(image):
        values = change(pixels[rows].astype(np.float64), rows)
        made[rows] = values.round().clip(0, 255).astype(np.uint8)
    return Image.fromarray(made)


DEGRADATIONS: Mapping[str, Degrade] = MappingProxyType(
    {
        "low-res": low_res,
        "blur": blur,
        "motion": motion,
        "noise": noise,
        "jpeg": jpeg,
        "dark": dark,
        "fog": fog,
    }
)
"""Those that need no marks."""
