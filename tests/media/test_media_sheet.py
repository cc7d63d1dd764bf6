"""Contact sheets: the layout rule, the pixels, the limits."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from harness.core.errors import MediaError
from harness.core.picture import HeldPicture
from harness.media.decode import decode
from harness.media.sheet import GAP, LEAST_TILE, LONGER_SIDE, contact_sheet, grid, lay_out


def held(nth: int, size: tuple[int, int], form: str = "PNG", **saved: object) -> HeldPicture:
    stream = io.BytesIO()
    Image.new("RGB", size, (nth * 20, 90, 200 - nth * 20)).save(stream, form, **saved)
    return HeldPicture(f"frame {nth}", stream.getvalue())


def seen(pictures: list[HeldPicture], **options: int) -> np.ndarray:
    return np.asarray(decode(contact_sheet(pictures, **options).read(), name="sheet"))


@pytest.mark.parametrize(
    ("count", "table"),
    [(1, (1, 1)), (2, (2, 1)), (3, (3, 1)), (4, (2, 2)), (5, (3, 2)), (9, (3, 3)), (10, (4, 3)), (17, (5, 4))],
)  # fmt: skip
def test_up_to_three_stand_in_a_row_and_more_in_a_square(
    count: int, table: tuple[int, int]
) -> None:
    assert grid(count) == table


@given(
    sizes=st.lists(st.tuples(st.integers(1, 4000), st.integers(1, 4000)), min_size=1, max_size=40),
    longer_side=st.integers(400, 3000),
)
@settings(max_examples=150, deadline=None)
def test_every_tile_has_its_place_in_a_sheet_within_its_limit(
    sizes: list[tuple[int, int]], longer_side: int
) -> None:
    layout = lay_out(sizes, longer_side=longer_side)
    width, height = layout.size
    assert max(width, height) <= longer_side or min(layout.tile) == 1
    places = [layout.place(nth) for nth in range(len(sizes))]
    assert places == sorted(places, key=lambda place: (place[1], place[0]))
    for left, top in places:
        assert left > 0 and left + layout.tile[0] + GAP <= width
        assert top > 0 and top + layout.strip + layout.tile[1] + GAP <= height
    box = max(w for w, _ in sizes), max(h for _, h in sizes)
    assert layout.tile[0] <= box[0] and layout.tile[1] <= box[1]
    if max(layout.size) <= longer_side // 2:  # there was room: nothing was scaled
        assert layout.tile == box


def test_frames_of_one_size_keep_their_pixels_in_reading_order() -> None:
    frames = [held(nth, (64, 48)) for nth in range(5)]
    layout, pixels = lay_out([(64, 48)] * 5), seen(frames)
    assert pixels.shape[1::-1] == layout.size == (GAP + 3 * (64 + GAP), GAP + 2 * (11 + 48 + GAP))
    for nth, frame in enumerate(frames):
        left, top = layout.place(nth)
        tile = pixels[top + 11 : top + 59, left : left + 64]
        assert (tile == np.asarray(decode(frame.data, name=""))).all()


def test_numbers_are_dark_on_white_above_the_tiles_and_all_unlike() -> None:
    pixels, layout = seen([held(nth, (64, 64)) for nth in range(12)]), lay_out([(64, 64)] * 12)
    strips = []
    for nth in range(12):
        left, top = layout.place(nth)
        strip = pixels[top : top + layout.strip, left : left + 64]
        assert set(np.unique(strip)) == {0, 255}
        strips.append(strip.tobytes())
    assert len(set(strips)) == 12
    left, top = layout.place(3)
    written = ["".join("#" if dot == 0 else "." for dot in row) for row in
               pixels[top + 2 : top + 9, left : left + 5, 0]]  # fmt: skip
    assert written == ["...#.", "..##.", ".#.#.", "#..#.", "#####", "...#.", "...#."]


def test_the_same_pictures_give_the_same_pixels_on_every_machine() -> None:
    pixels = seen([held(nth, (224, 200)) for nth in range(3)])
    golden = "b776e6ff"
    assert hashlib.sha256(pixels.tobytes()).hexdigest()[:8] == golden
    frames = [held(nth, (224, 200)) for nth in range(3)]
    assert contact_sheet(frames).read() == contact_sheet(frames).read()


def test_unlike_sizes_are_fitted_and_centred_with_their_proportions() -> None:
    pixels, layout = seen([held(0, (80, 60)), held(1, (30, 60))]), lay_out([(80, 60), (30, 60)])
    left, top = layout.place(1)
    row = pixels[top + layout.strip + 30, left : left + 80]
    shown = np.flatnonzero((row != 255).any(-1))
    assert (shown[0], shown[-1]) == (25, 54)


def test_large_pictures_are_scaled_alike_until_the_sheet_fits() -> None:
    pixels = seen([held(nth, (1200, 900)) for nth in range(4)])
    assert LONGER_SIDE - 4 <= max(pixels.shape) <= LONGER_SIDE
    assert max(seen([held(nth, (1200, 900)) for nth in range(4)], longer_side=500).shape) <= 500


def test_a_turned_photograph_stands_upright() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    layout = lay_out([(20, 40)])
    assert seen([held(0, (40, 20), "JPEG", exif=turned)]).shape[1::-1] == layout.size


def test_too_many_to_see_and_broken_pictures_are_refused() -> None:
    with pytest.raises(MediaError, match="1100 pictures leaves") as caught:
        contact_sheet([held(0, (64, 64))] * 1100).read()
    assert caught.value.kind == "too-large" and "uniform" in caught.value.hint
    small = [held(nth, (LEAST_TILE // 2, LEAST_TILE // 2)) for nth in range(9)]
    assert seen(small).size  # small by nature, not by the sheet
    with pytest.raises(MediaError, match="frame 7"):
        contact_sheet([held(0, (64, 64)), HeldPicture("frame 7", b"no picture")]).read()
    with pytest.raises(ValueError, match="needs at least one picture"):
        contact_sheet([])


def test_it_is_named_by_what_it_shows() -> None:
    assert contact_sheet([held(nth, (8, 8)) for nth in range(3)]).name == (
        "contact sheet of 3: frame 0 ... frame 2"
    )
