"""Background and camera: parts of a picture that do not depend on the face."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from harness.faces.face import Nuisance

Pixels = NDArray[np.uint8]
"""Shape (height, width, 3), RGB."""

_BACKDROP, _NOISE = 1, 2


def background(nuisance: Nuisance, size: int) -> Image.Image:
    """The picture behind the head, RGB of `size` by `size`."""
    a, b = (np.array(c, float) for c in nuisance.background_colours)
    n = 32
    axis = np.linspace(0.0, 1.0, n)
    across, down = np.meshgrid(axis, axis)
    rng = _stream(nuisance, _BACKDROP)
    kind = nuisance.background
    if kind == "plain":
        share = np.zeros((n, n))
    elif kind == "gradient":
        angle = rng.uniform(0, 2 * np.pi)
        share = 0.5 + (across - 0.5) * np.cos(angle) + (down - 0.5) * np.sin(angle)
    elif kind == "blobs":
        share = np.zeros((n, n))
        for _ in range(6):
            cx, cy, r = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.06, 0.22)
            share += np.exp(-((across - cx) ** 2 + (down - cy) ** 2) / (2 * r * r))
    else:
        left, top = rng.uniform(0.0, 0.6), rng.uniform(0.0, 0.4)
        inside = (across > left) & (across < left + 0.35) & (down > top) & (down < top + 0.5)
        share = inside.astype(float)
    colours = a + (b - a) * np.clip(share, 0, 1)[..., None]
    small = Image.fromarray(colours.clip(0, 255).astype(np.uint8))
    return small.resize((size, size), Image.Resampling.BICUBIC)


def capture(colours: NDArray[np.float32], nuisance: Nuisance) -> Pixels:
    """The picture a camera takes: level, warmth, blur, noise, JPEG.

    Args:
        colours: shape (size, size, 3), 0 to 255.
    """
    warmth = nuisance.light_warmth
    gain = np.array([1 + warmth, 1.0, 1 - warmth], np.float32) * nuisance.light_level
    picture = colours * gain
    if nuisance.blur > 0.05:
        radius = nuisance.blur * colours.shape[0] / 224
        image = Image.fromarray(_bytes(picture)).filter(ImageFilter.GaussianBlur(radius))
        picture = np.asarray(image, np.float32)
    if nuisance.noise > 0.0:
        rng = _stream(nuisance, _NOISE, nuisance.noise_frame)
        grain = rng.standard_normal(picture.shape, np.float32)
        picture = picture + grain * np.float32(nuisance.noise)
    return compress(_bytes(picture), nuisance.jpeg_quality)


def compress(pixels: Pixels, quality: int) -> Pixels:
    """A round trip through JPEG; quality 100 leaves the pixels alone."""
    if quality >= 100:
        return pixels
    store = io.BytesIO()
    Image.fromarray(pixels).save(store, "JPEG", quality=quality)
    with Image.open(store) as image:
        return np.array(image.convert("RGB"))


def encode_png(pixels: Pixels) -> bytes:
    """The pixels as a PNG file; the same pixels give the same bytes with one Pillow version."""
    store = io.BytesIO()
    Image.fromarray(pixels).save(store, "PNG", compress_level=3)
    return store.getvalue()


def _bytes(picture: NDArray[np.float32]) -> Pixels:
    out: Pixels = np.clip(picture + 0.5, 0, 255).astype(np.uint8)
    return out


def _stream(nuisance: Nuisance, *purpose: int) -> np.random.Generator:
    seeds = np.random.SeedSequence([nuisance.seed, *purpose])
    return np.random.Generator(np.random.PCG64(seeds))
