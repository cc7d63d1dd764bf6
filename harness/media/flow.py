"""Optical flow between two frames, as numbers, as a picture, and as a way to magnify the movement.

Flow by dense inverse search (Kroeger, Timofte, Dai and Van Gool, ECCV 2016) or by TV-L1 (Zach, Pock
and Bischof, DAGM 2007), both OpenCV's, on grey frames smoothed against sensor noise. The movement of
the picture as a whole (the median of each component) is taken out, and flow counts only where pixels
changed: it is weighted by c^2 / (c^2 + (NOISE m)^2), c the smoothed change of a pixel after that
movement was undone and m the median of c, since flow over flat skin or wall is not seen but made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from PIL import Image

from harness.core.errors import HarnessError, missing_extra

Method: TypeAlias = Literal["dis", "tvl1"]

LEGEND = (
    "Colours of the optical-flow picture: the hue is the direction of movement as seen in the picture "
    "(red: to the right, yellow-green: upward, cyan: to the left, violet: downward); the stronger the "
    "colour, the larger the movement; white does not move."
)
"""The key to `flow_picture`, for prompts."""

SMOOTH, SPREAD = 150, 56
"""The longer side over these is the width (standard deviation, in pixels) of the smoothing of frames and
of change."""

NOISE = 3.0
"""Change of this many medians counts by half."""

FULL_SHARE = 0.995
"""Full colour stands for the movement that this share of the pixels does not exceed."""

LEAST_FULL = 0.5
"""Pixels: full colour never stands for less, so that a still face stays white."""


def flow_between(images: Sequence[Image.Image], *, method: Method) -> Any:
    """Movement from the first picture to the second: float32 (height, width, 2), pixels right and down.

    Raises HarnessError where OpenCV is not installed, or lacks TV-L1.
    """
    import numpy as np

    cv2 = _opencv()
    side = max(images[0].size)
    before, after = (
        cv2.GaussianBlur(np.asarray(image.convert("L")), (0, 0), side / SMOOTH) for image in images
    )
    flow = _raw(cv2, before, after, method)
    whole = np.median(flow, axis=(0, 1))
    undo = np.array([[1, 0, whole[0]], [0, 1, whole[1]]], dtype=np.float32)
    back = cv2.warpAffine(
        after, undo, before.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    change = cv2.GaussianBlur(cv2.absdiff(before, back).astype(np.float32), (0, 0), side / SPREAD)
    noise = np.float32(NOISE * max(float(np.median(change)), 1e-3))
    weight = change**2 / (change**2 + noise**2)
    return ((flow - whole) * weight[..., None]).astype(np.float32)


def _raw(cv2: Any, before: Any, after: Any, method: Method) -> Any:
    if method == "dis":
        finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    elif hasattr(cv2, "optflow"):
        finder = cv2.optflow.DualTVL1OpticalFlow_create()
    else:
        raise HarnessError(
            "this OpenCV has no TV-L1 optical flow",
            hint="use the condition optical-flow, or install opencv-contrib-python-headless "
            "instead of opencv-python-headless",
        )
    return finder.calc(before, after, None)


def flow_picture(images: Sequence[Image.Image], *, method: Method) -> Image.Image:
    """The flow from the first picture to the second in the colours that LEGEND names."""
    return colours(flow_between(images, method=method))


def colours(flow: Any) -> Image.Image:
    """A flow field as a picture: hue is direction (0 right, 90 degrees up), saturation is magnitude."""
    import numpy as np

    right, up = flow[..., 0], -flow[..., 1]
    size = np.hypot(right, up)
    full = max(LEAST_FULL, float(np.quantile(size, FULL_SHARE)))
    hue = (np.arctan2(up, right) / (2 * np.pi)) % 1.0
    channels = (hue * 255, np.minimum(size / full, 1) * 255, np.full(size.shape, 255.0))
    pixels = np.stack([channel.round().astype(np.uint8) for channel in channels], axis=-1)
    return Image.fromarray(pixels, mode="HSV").convert("RGB")


def magnify(images: Sequence[Image.Image], *, factor: float) -> Image.Image:
    """The second picture with its movement since the first made `factor` times as large.

    Each pixel is carried on along the flow (after Liu, Torralba, Freeman, Durand and Adelson,
    "Motion magnification", SIGGRAPH 2005, without their layers): the flow from the second picture
    back to the first, smoothed over a thirtieth of the longer side, times (factor - 1). A factor of
    1 gives the second picture. Large movements times a large factor fold over: a picture of a
    micro-expression bears about 10, a drawn smile about 4.
    """
    import numpy as np

    cv2 = _opencv()
    before, after = images
    back = flow_between((after, before), method="dis")
    back = cv2.GaussianBlur(back, (0, 0), max(before.size) / 30) * np.float32(factor - 1)
    height, width = back.shape[:2]
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    start = np.stack([columns, rows], axis=-1).astype(np.float32)
    place = start + back  # the flow is needed where a pixel comes from, not where it goes to
    place = start + cv2.remap(
        back, place[..., 0], place[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    pixels = cv2.remap(
        np.asarray(after), place[..., 0], place[..., 1], cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return Image.fromarray(pixels)


def _opencv() -> Any:
    try:
        import cv2
    except ImportError:
        raise missing_extra("opencv-python-headless", "video") from None
    return cv2
