"""Apex, flow, difference and magnification against movements that are known."""

from __future__ import annotations

import io
import sys

import pytest
from PIL import Image

from harness.core.errors import HarnessError, MediaError
from harness.core.picture import HeldPicture
from harness.faces import clip_at, draw, encode_png, frame_at
from harness.media.apex import find_apex
from harness.media.decode import decode
from harness.media.derived import Derived, difference
from harness.media.flow import LEGEND, colours, flow_between, flow_picture, magnify

np = pytest.importorskip("numpy")
cv2 = pytest.importorskip("cv2")

SIDE = 160
BOX = slice(50, 110)
"""Rows and columns of the part that moves."""


def texture(seed: int = 0) -> object:
    noise = np.random.default_rng(seed).normal(size=(SIDE, SIDE)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return 128 + 40 * smooth / smooth.std()


def moved(right: float, down: float, *, whole: tuple[float, float] = (0, 0)) -> Image.Image:
    """The texture with its middle moved smoothly by so many pixels; `whole` moves the picture."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[BOX, BOX] = 1
    mask = cv2.GaussianBlur(mask, (0, 0), 8)
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    values = cv2.remap(
        texture(), columns - mask * right - whole[0], rows - mask * down - whole[1],
        cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT,
    )  # fmt: skip
    return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")


REST = moved(0, 0)


@pytest.mark.parametrize("whole", [(0, 0), (3, -2)])
@pytest.mark.parametrize(("right", "down"), [(2, 0), (-2, 0), (0, 2), (0, -2)])
def test_flow_is_the_movement_less_that_of_the_whole(
    right: int, down: int, whole: tuple[int, int]
) -> None:
    flow = flow_between((REST, moved(right, down, whole=whole)), method="dis")
    assert flow.shape == (SIDE, SIDE, 2)
    middle = np.median(flow[65:95, 65:95], axis=(0, 1))
    assert middle == pytest.approx((right, down), abs=0.6)
    assert np.abs(flow[:30]).mean() < 0.3


@pytest.mark.parametrize(
    ("right", "down", "word"),
    [(2, 0, "red"), (0, -2, "yellow-green"), (-2, 0, "cyan"), (0, 2, "violet")],
)
def test_the_colours_are_those_of_the_legend(right: int, down: int, word: str) -> None:
    flow = np.zeros((20, 20, 2), np.float32)
    flow[5:15, 5:15] = right, down
    picture = colours(flow)
    hue = picture.convert("HSV").getpixel((10, 10))[0] * 360 / 255
    expected = {"red": 0, "yellow-green": 90, "cyan": 180, "violet": 270}[word]
    assert min(abs(hue - expected), 360 - abs(hue - expected)) < 3
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    assert word in LEGEND


def test_a_still_face_stays_white() -> None:
    still = np.asarray(flow_picture((REST, REST), method="dis"))
    assert still.min() >= 250


def test_flow_does_not_depend_on_the_run() -> None:
    pair = (REST, moved(2, 1))
    first = flow_picture(pair, method="dis").tobytes()
    assert flow_picture(pair, method="dis").tobytes() == first


def test_magnifying_by_one_gives_the_frame_and_by_three_thrice_the_movement() -> None:
    after = moved(1.5, 0)
    same = np.asarray(magnify((REST, after), factor=1), np.float32)
    assert np.abs(same - np.asarray(after, np.float32)).mean() < 0.5
    larger = magnify((REST, after), factor=3)
    before = float(np.median(flow_between((REST, after), method="dis")[70:90, 70:90, 0]))
    now = float(np.median(flow_between((REST, larger), method="dis")[70:90, 70:90, 0]))
    assert now == pytest.approx(3 * before, rel=0.25)


def test_tvl1_asks_for_its_modules_where_they_are_missing() -> None:
    if hasattr(cv2, "optflow"):
        pytest.skip("this OpenCV has them")
    with pytest.raises(HarnessError, match="no TV-L1") as caught:
        flow_between((REST, REST), method="tvl1")
    assert "contrib" in caught.value.hint


def test_without_opencv_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(HarnessError, match="opencv-python-headless is not installed") as caught:
        flow_between((REST, REST), method="dis")
    assert "affect-harness[video]" in caught.value.hint


def held(name: str, *, level: int = 100, size: tuple[int, int] = (6, 4)) -> HeldPicture:
    buffer = io.BytesIO()
    Image.new("RGB", size, (level,) * 3).save(buffer, "PNG")
    return HeldPicture(name, buffer.getvalue())


@pytest.mark.parametrize(("after", "seen"), [(100, 128), (110, 168), (95, 108), (200, 255), (0, 0)])
def test_a_difference_is_larger_and_lies_on_grey(after: int, seen: int) -> None:
    picture = Derived(
        (held("a"), held("b", level=after)), "difference", lambda two: difference(two, gain=4)
    )
    assert picture.name == "difference: a -> b"
    assert set(decode(picture.read(), name="x").tobytes()) == {seen}


def test_pictures_of_two_sizes_are_not_compared() -> None:
    pair = (held("a"), held("b", size=(8, 4)))
    with pytest.raises(MediaError, match="different sizes") as caught:
        Derived(pair, "difference", lambda two: difference(two, gain=4)).read()
    assert caught.value.kind == "unsupported"


@pytest.mark.slow
def test_the_apex_of_drawn_clips_is_found() -> None:
    errors = []
    for index in (1, 3):
        clip = clip_at(index, seed=77, split="train")
        frames = [
            HeldPicture(str(n), encode_png(draw(frame_at(clip, n), size=112).pixels))
            for n in range(clip.frames)
        ]
        errors.append(abs(find_apex(frames) - clip.apex))
    assert max(errors) <= 2
