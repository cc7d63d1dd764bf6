"""Frame policies: exact frames, no repeats, no crash on short clips."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from harness.core.errors import HarnessError, MediaError
from harness.core.medium import Medium, image
from harness.core.picture import FilePicture, HeldPicture
from harness.media.frames import moments, parse_policy


@cache
def png(level: int, width: int = 12) -> bytes:
    """A grey picture with a patch of some lightness."""
    picture = Image.new("L", (width, 10), 100)
    picture.paste(100 + level, (4, 4, 8, 8))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def moving(levels: list[int], *, first: int = 0, **known: int) -> Medium:
    """A clip whose patch is as light as the levels say."""
    frames = tuple(HeldPicture(str(first + k), png(level)) for k, level in enumerate(levels))
    numbers = tuple(range(first, first + len(levels)))
    return Medium(kind="clip", frames=frames, indices=numbers, **known)


def clip(
    length: int,
    *,
    first: int = 0,
    step: int = 1,
    onset: int | None = None,
    apex: int | None = None,
    offset: int | None = None,
) -> Medium:
    numbers = tuple(range(first, first + length * step, step))
    frames = tuple(HeldPicture(str(n), png(0)) for n in numbers)
    return Medium(
        kind="clip", frames=frames, indices=numbers, onset=onset, apex=apex, offset=offset
    )


@pytest.mark.parametrize(
    ("policy", "medium", "shown"),
    [
        ("all", clip(3), (0, 1, 2)),
        ("apex", clip(9, apex=4), (4,)),
        ("apex", clip(9, first=46, apex=50), (50,)),
        ("apex", moving([0, 5, 9, 60, 8, 4, 0, 0]), (3,)),
        ("apex", moving([0, 90, 9, 20, 40, 20, 0, 0], onset=2, offset=7), (4,)),
        ("apex", moving([0, 10, 80]), (1,)),
        ("apex", moving([0, 9]), (1,)),
        ("apex", moving([0, 0, 50, 0, 0], first=20, apex=99), (22,)),
        ("apex", clip(1), (0,)),
        ("apex", clip(5, step=10, apex=29), (30,)),
        ("onset-apex-offset", clip(9, onset=1, apex=3, offset=8), (1, 3, 8)),
        ("onset-apex-offset", moving([0, 20, 90, 20, 10, 5, 0], first=5), (5, 7, 11)),
        ("onset-apex-offset", clip(9, apex=2), (0, 2, 8)),
        ("onset-apex-offset", clip(9, first=100, onset=102, apex=102, offset=107), (102, 107)),
        ("onset-apex-offset", clip(2), (0, 1)),
        ("onset-apex-offset", clip(1, onset=0, apex=0, offset=0), (0,)),
        ("around-apex-2", clip(9, apex=4), (2, 3, 4, 5, 6)),
        ("around-apex-2", clip(9, apex=0), (0, 1, 2)),
        ("around-apex-99", clip(4, apex=3), (0, 1, 2, 3)),
        ("around-apex-1", clip(1), (0,)),
        ("uniform-1", clip(9), (4,)),
        ("uniform-2", clip(9), (0, 8)),
        ("uniform-3", clip(9), (0, 4, 8)),
        ("uniform-4", clip(10), (0, 3, 6, 9)),
        ("uniform-4", clip(4), (0, 1, 2, 3)),
        ("uniform-16", clip(5, first=7), (7, 8, 9, 10, 11)),
    ],
)
def test_golden_frames(policy: str, medium: Medium, shown: tuple[int, ...]) -> None:
    result = parse_policy(policy)(medium)
    assert result.indices == shown
    assert tuple(int(f.name) for f in result.frames) == shown


def test_a_stand_in_is_recorded() -> None:
    shown = parse_policy("onset-apex-offset")(moving([0, 4, 30, 4, 0], first=40))
    assert shown.changes == (
        "frames-onset-apex-offset",
        "onset-unknown-first-shown",
        "apex-unknown-42-found-by-difference-from-rest",
        "offset-unknown-last-shown",
    )
    assert parse_policy("apex")(clip(3, step=10, apex=9)).changes == (
        "frames-apex",
        "apex-9-absent-10-shown",
    )


def test_an_apex_outside_the_clip_is_not_believed() -> None:
    shown = parse_policy("apex")(moving([0, 4, 30, 4, 0], apex=77))
    assert shown.indices == (2,)
    assert shown.changes == (
        "frames-apex",
        "apex-77-outside-the-clip-2-found-by-difference-from-rest",
    )


def test_light_that_drifts_is_no_movement() -> None:
    """The patch rises steadily by far more than the movement at frame 3."""
    drift = [k * 12 for k in range(9)]
    drift[3] += 15
    assert parse_policy("apex")(moving(drift)).indices[0] in {2, 3, 4}


def test_moments_are_places_not_numbers() -> None:
    found = moments(moving([0, 0, 50, 0, 0], first=100, onset=101, offset=104))
    assert (found.onset, found.apex, found.offset) == (1, 2, 4)


def test_annotated_frames_leave_no_note() -> None:
    medium = parse_policy("onset-apex-offset")(clip(9, onset=0, apex=3, offset=8))
    assert medium.changes == ("frames-onset-apex-offset",)
    assert (medium.onset, medium.apex, medium.offset) == (0, 3, 8)


EVERY = ["all", "apex", "onset-apex-offset", "uniform-4", "around-apex-2"]


@pytest.mark.parametrize("policy", EVERY)
def test_a_single_picture_passes(policy: str) -> None:
    picture = image(HeldPicture("p", b"x"))
    assert parse_policy(policy)(picture) == picture


@pytest.mark.parametrize("policy", EVERY)
def test_a_clip_of_no_frames_fails_as_such(policy: str) -> None:
    with pytest.raises(MediaError, match="0 frames") as caught:
        parse_policy(policy)(Medium(kind="clip", frames=(), indices=()))
    assert caught.value.kind == "empty"


def test_an_apex_is_not_looked_for_where_it_is_known_or_not_needed(tmp_path: Path) -> None:
    gone = tuple(FilePicture(tmp_path / f"{k}.png") for k in range(5))
    medium = Medium(kind="clip", frames=gone, indices=tuple(range(5)))
    assert len(parse_policy("uniform-3")(medium).frames) == 3
    assert parse_policy("apex")(replace(medium, apex=3)).indices == (3,)
    with pytest.raises(MediaError, match="not found"):
        parse_policy("apex")(medium)


def test_frames_of_different_shapes_are_not_compared() -> None:
    frames = tuple(HeldPicture(str(k), png(0, width=12 + 8 * k)) for k in range(3))
    with pytest.raises(MediaError, match="different sizes"):
        parse_policy("apex")(Medium(kind="clip", frames=frames, indices=(0, 1, 2)))


frame = st.none() | st.integers(0, 400)


@given(
    st.integers(1, 60), st.integers(0, 200), st.integers(1, 4), frame, frame, frame,
    st.sampled_from(
        ["apex", "onset-apex-offset", *(f"{p}-{n}" for p in ("uniform", "around-apex") for n in range(1, 70))]
    ),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_no_policy_repeats_or_invents_a_frame(
    length: int, first: int, step: int, onset: int | None, apex: int | None,
    offset: int | None, policy: str,
) -> None:  # fmt: skip
    medium = clip(length, first=first, step=step, onset=onset, apex=apex, offset=offset)
    shown = parse_policy(policy)(medium).indices
    assert 1 <= len(shown) <= length
    assert list(shown) == sorted(set(shown))
    assert set(shown) <= set(medium.indices)
    if policy.startswith("around"):
        assert list(shown) == [n for n in medium.indices if shown[0] <= n <= shown[-1]]
    if policy.startswith("uniform"):
        assert len(shown) == min(length, int(policy.removeprefix("uniform-")))


@pytest.mark.parametrize(
    "text", ["", "Apex", "uniform", "uniform-0", "uniform-x", "uniform--1", "around-apex", "fps=2"]
)
def test_an_unknown_policy_names_those_there_are(text: str) -> None:
    with pytest.raises(HarnessError, match="onset-apex-offset"):
        parse_policy(text)
