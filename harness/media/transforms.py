"""Transforms of a picture, applied when it is read."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from harness.core.medium import Medium
from harness.core.picture import Picture
from harness.media.decode import MID_GREY, open_picture

if TYPE_CHECKING:
    from PIL import Image

Change: TypeAlias = "Callable[[Image.Image], Image.Image]"
"""Upright RGB in, RGB out; deterministic."""

RESIZED = "resize-"
"""What the change of a resized medium begins with."""


@dataclass(frozen=True, slots=True)
class Transformed:
    """A picture seen through a change; reading gives PNG bytes, the same each time."""

    picture: Picture
    transform: str
    """Name of the change, with its settings: `resize-448`, `blank`."""
    change: Change
    keeps: bool = False
    """Whether a picture keeps its own bytes where the change gives the very same image."""

    @property
    def name(self) -> str:
        return f"{self.picture.name} ({self.transform})"

    def read(self) -> bytes:
        """PNG bytes of the changed picture. Raises MediaError where the original cannot be used."""
        image = open_picture(self.picture)
        changed = self.change(image)
        return self.picture.read() if self.keeps and changed is image else encode_png(changed)


def encode_png(image: Image.Image) -> bytes:
    """PNG bytes without metadata; the same pixels give the same bytes with one zlib."""
    from PIL import Image

    buffer = io.BytesIO()
    bare = Image.frombytes(image.mode, image.size, image.tobytes())
    bare.save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()


def transformed(medium: Medium, *, transform: str, change: Change, keeps: bool = False) -> Medium:
    """The medium with every frame seen through one change, which is added to its `changes`; `keeps` as in
    `Transformed`."""
    return replace(
        medium,
        frames=tuple(Transformed(frame, transform, change, keeps) for frame in medium.frames),
        changes=(*medium.changes, transform),
    )


def resize(medium: Medium, *, longer_side: int) -> Medium:
    """Every frame scaled (up or down, Lanczos) until its longer side has this many pixels."""
    if longer_side < 1:
        raise ValueError(f"longer_side must be at least 1 pixel, not {longer_side}")

    def change(image: Image.Image) -> Image.Image:
        return scale_to(image, longer_side)

    return transformed(medium, transform=f"{RESIZED}{longer_side}", change=change)


def shrink(medium: Medium, *, longer_side: int) -> Medium:
    """Every frame whose longer side is above this scaled down to it (Lanczos); others keep their bytes."""

    def change(image: Image.Image) -> Image.Image:
        return image if max(image.size) <= longer_side else scale_to(image, longer_side)

    return transformed(
        medium, transform=f"{RESIZED}at-most-{longer_side}", change=change, keeps=True
    )


def limit_pixels(medium: Medium, *, most: int) -> Medium:
    """Every frame of more than `most` pixels (width times height) scaled down; others keep their bytes."""
    return replace(
        medium,
        frames=tuple(limited_picture(frame, most=most) for frame in medium.frames),
        changes=(*medium.changes, f"{RESIZED}at-most-{most}-pixels"),
    )


def limited_picture(picture: Picture, *, most: int) -> Picture:
    """The picture, scaled down where it has more than `most` pixels (`fit_pixels`)."""
    change = partial(fit_pixels, most=most)
    return Transformed(picture, f"{RESIZED}at-most-{most}-pixels", change, keeps=True)


def fit_pixels(image: Image.Image, most: int) -> Image.Image:
    """An image of at most `most` pixels: both sides times the same factor, rounded down, none below 1 (Lanczos).

    The very same image where it is small enough.
    """
    from PIL import Image

    width, height = image.size
    if width * height <= most:
        return image
    across = min(max(1, math.isqrt(width * most // height)), most)
    down = min(max(1, math.isqrt(height * most // width)), most // across)
    return image.resize((across, down), Image.Resampling.LANCZOS)


def is_resized(medium: Medium) -> bool:
    """Whether a medium, or one of the pictures joined in it, was given a size."""
    return any(change.startswith(RESIZED) for change in medium.changes)


def scale_to(image: Image.Image, longer_side: int) -> Image.Image:
    """An image whose longer side has `longer_side` pixels; proportions kept, no side below 1."""
    from PIL import Image

    longest = max(image.size)
    if longest == longer_side:
        return image
    width, height = (
        max(1, (2 * side * longer_side + longest) // (2 * longest)) for side in image.size
    )
    return image.resize((width, height), Image.Resampling.LANCZOS)


def blank(medium: Medium) -> Medium:
    """Every frame replaced by uniform mid-grey of its own size.

    The original is still decoded, so that the samples which fail are the same with and without it.
    """
    return transformed(medium, transform="blank", change=_grey)


def _grey(image: Image.Image) -> Image.Image:
    from PIL import Image

    return Image.new("RGB", image.size, MID_GREY)
