"""The optical flow of TV-L1, where OpenCV has it: `pip install opencv-contrib-python-headless` in place of the other."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from harness.conditions.registry import load_condition
from harness.core.medium import Medium
from harness.core.picture import HeldPicture
from harness.media import flow

cv2 = pytest.importorskip("cv2")
pytestmark = pytest.mark.skipif(not hasattr(cv2, "optflow"), reason="OpenCV without contrib")


def moved(right: float, down: float) -> tuple[Image.Image, Image.Image]:
    """A textured square and the same with its middle moved by so many pixels."""
    texture = np.random.default_rng(1).random((160, 160)).astype(np.float32)
    before = cv2.GaussianBlur(texture, (0, 0), 2.5)
    before = 255 * (before - before.min()) / np.ptp(before)
    y, x = np.mgrid[0:160, 0:160]
    bump = np.exp(-((x - 80) ** 2 + (y - 80) ** 2) / (2 * 18**2))
    places = ((x - right * bump).astype(np.float32), (y - down * bump).astype(np.float32))
    after = cv2.remap(before, *places, cv2.INTER_CUBIC)
    one, two = (Image.fromarray(np.clip(a, 0, 255).astype(np.uint8)) for a in (before, after))
    return one.convert("RGB"), two.convert("RGB")


@pytest.mark.parametrize("movement", [(2.0, 0.0), (0.0, -2.0), (-1.5, 1.0)])
def test_movement_is_found_where_and_as_large_as_it_is(movement: tuple[float, float]) -> None:
    """The middle of the bump moves a little less than its peak, and the weight takes some more."""
    found = flow.flow_between(moved(*movement), method="tvl1")
    middle = found[72:88, 72:88].mean((0, 1))
    assert middle == pytest.approx(np.multiply(movement, 0.83), abs=0.12)
    assert np.abs(found[:20, :20]).max() < 0.05


def test_the_condition_makes_one_picture_and_the_same_each_time() -> None:
    frames = []
    for number, picture in enumerate(moved(2.0, 0.0)):
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        frames.append(HeldPicture(f"{number}.png", stream.getvalue()))
    clip = Medium("clip", tuple(frames), (0, 1), onset=0, apex=1, offset=1)
    condition = load_condition("optical-flow-tvl1")
    shown = condition.apply(clip)
    assert (len(shown.frames), shown.changes) == (1, ("optical-flow-tvl1-0-to-1",))
    data = shown.frames[0].read()
    assert data == condition.apply(clip).frames[0].read()
    red, green, blue = np.asarray(Image.open(io.BytesIO(data)))[80, 80]
    assert red > 200 and green < 120 and blue < 120, "to the right is red"
