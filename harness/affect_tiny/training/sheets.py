"""Contact sheets of drawn clips, for models that accept one picture."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.affect_tiny.training.architecture import BLOCK, Sizes, image_settings
from harness.core.picture import HeldPicture
from harness.media.sheet import contact_sheet
from harness.media.transforms import encode_png


def sheet_of(frames: Sequence[NDArray[np.uint8]], sizes: Sizes) -> NDArray[np.uint8]:
    """The frames, each (side, side, 3), as one contact sheet (height, width, 3) at the size to which
    the picture processor brings it."""
    sheet = whole_sheet(frames)
    height, width = size_seen(sheet.height, sheet.width, sizes)
    shrunk = sheet.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(shrunk, dtype=np.uint8)


def whole_sheet(frames: Sequence[NDArray[np.uint8]]) -> Image.Image:
    """The frames as the contact sheet that a run would show."""
    held = [
        HeldPicture(f"frame {n}", encode_png(Image.fromarray(frame)))
        for n, frame in enumerate(frames, start=1)
    ]
    return Image.open(BytesIO(contact_sheet(held).read())).convert("RGB")


def size_seen(height: int, width: int, sizes: Sizes) -> tuple[int, int]:
    """Height and width at which the picture processor shows a picture to the model."""
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    bounds = image_settings(sizes)["size"]
    least, most = bounds["shortest_edge"], bounds["longest_edge"]
    seen = smart_resize(height, width, factor=BLOCK, min_pixels=least, max_pixels=most)
    return int(seen[0]), int(seen[1])
