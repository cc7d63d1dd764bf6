"""Pictures derived from others when they are read: difference of two frames, optical flow, magnified frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image

from harness.core.errors import MediaError
from harness.core.picture import Picture
from harness.media.decode import open_picture
from harness.media.transforms import encode_png

Make: TypeAlias = Callable[[Sequence[Image.Image]], Image.Image]
"""Upright RGB pictures of one size in, RGB out; deterministic."""


@dataclass(frozen=True, slots=True)
class Derived:
    """Reading decodes the pictures, makes the new one, and gives PNG bytes; the same each time."""

    pictures: tuple[Picture, ...]
    what: str
    """Name of what is made, with its settings: `optical-flow`."""
    make: Make

    @property
    def name(self) -> str:
        return f"{self.what}: {' -> '.join(picture.name for picture in self.pictures)}"

    def read(self) -> bytes:
        """PNG bytes. Raises MediaError where a picture cannot be used, or their sizes differ."""
        images = [open_picture(picture) for picture in self.pictures]
        if len({image.size for image in images}) > 1:
            sizes = ", ".join(f"{image.width}x{image.height}" for image in images)
            raise MediaError(
                f"pictures of different sizes ({sizes}) cannot be compared: {self.name}",
                kind="unsupported",
                hint="crop or scale the frames of a clip to one size",
            )
        return encode_png(self.make(images))


def difference(images: Sequence[Image.Image], *, gain: float) -> Image.Image:
    """The second picture less the first, times `gain`, on mid-grey (128): grey is no change."""
    import numpy as np

    before, after = (np.asarray(image, dtype=np.float32) for image in images)
    values = 128 + gain * (after - before)
    return Image.fromarray(values.round().clip(0, 255).astype(np.uint8))
