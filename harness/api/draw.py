"""`harness.draw`: drawn faces with exact annotations."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from harness.core.errors import HarnessError
from harness.faces import BASIC_7, annotate, encode_png, face_at
from harness.faces import draw as draw_face
from harness.faces.export import Kind, export

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from PIL.Image import Image

SMALLEST, LARGEST = 16, 4096
"""Pixels: sides of a picture that are drawn."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DrawnFace:
    """One drawn picture with what is true of it. A notebook shows the picture."""

    pixels: NDArray[np.uint8]
    """(size, size, 3), RGB, 0 to 255."""
    annotations: Mapping[str, Any]
    """emotion; valence and arousal, -1 to 1; action_units (FACS names); au_intensity (name -> 0 to 1); cues such as
    teeth_visible; subject, age_group, skin_tone (Monk, 1 to 10), glasses, beard, hair."""

    @property
    def image(self) -> Image:
        """The picture as Pillow has it, RGB."""
        from PIL import Image as Pillow

        return Pillow.open(io.BytesIO(self._repr_png_())).convert("RGB")

    def __repr__(self) -> str:
        size = len(self.pixels)
        return f"<DrawnFace {size} by {size}: {self.annotations['emotion']}>"

    def _repr_png_(self) -> bytes:
        """The picture as a PNG file."""
        return encode_png(self.pixels)


@overload
def draw(
    n: int = 1, *, seed: int = 0, size: int = 224, labels: Sequence[str] | None = None
) -> list[DrawnFace]: ...


@overload
def draw(
    n: int = 1,
    *,
    out: str | PathLike[str],
    kind: Kind = "image",
    seed: int = 0,
    size: int = 224,
    labels: Sequence[str] | None = None,
) -> pd.DataFrame: ...


def draw(
    n: int = 1,
    *,
    out: str | PathLike[str] | None = None,
    kind: Kind = "image",
    seed: int = 0,
    size: int = 224,
    labels: Sequence[str] | None = None,
) -> list[DrawnFace] | pd.DataFrame:
    """Draw `n` faces; the same seed gives the same pixels.

    Args:
        n: how many pictures, clips or videos, 1 and up.
        out: an empty or new folder for PNG files and annotations.parquet, as `harness faces draw` writes them; left
            out, pictures are drawn in memory.
        kind: with `out`: image, clip (micro-expressions, 200 frames a second), long (videos, 30 frames a second) or
            mixture.
        seed: 0 and up; those below 100 are kept for evaluation, and affect-tiny was not taught with them.
        size: side of a picture in pixels, 16 to 4096.
        labels: the emotions shown, one a face in turn; default: those of the kind.

    Returns:
        Without `out` a list of `DrawnFace`; with `out` the annotations as a DataFrame, one row each, whose column
        `image` (or `frames`) holds paths that start at `out`.

    Raises:
        HarnessError: for a folder that is not empty, a number out of range, an unknown kind or label.
    """
    if not SMALLEST <= size <= LARGEST:
        raise HarnessError(
            f"size={size} is out of range",
            hint=f"choose a size from {SMALLEST} to {LARGEST} pixels",
        )
    if out is None:
        return _in_memory(n, kind=kind, seed=seed, size=size, labels=labels)
    import pandas as pd

    # In this process: a notebook or a script without a main guard cannot start others.
    table = export(kind=kind, n=n, seed=seed, out=Path(out), size=size, labels=labels, workers=1)
    return pd.read_parquet(table)


def _in_memory(
    n: int, *, kind: Kind, seed: int, size: int, labels: Sequence[str] | None
) -> list[DrawnFace]:
    if kind != "image":
        raise HarnessError(
            f"kind={kind!r} needs a folder to draw into", hint='add a folder, such as out="drawn"'
        )
    if n < 1:
        raise HarnessError(
            f"n={n} is not a valid number of faces", hint="give a number of at least 1"
        )
    faces = (face_at(index, seed=seed, labels=tuple(labels or BASIC_7)) for index in range(n))
    drawn = []
    for face in faces:
        picture = draw_face(face, size=size)
        drawn.append(DrawnFace(picture.pixels, annotate(face, picture)))
    return drawn
