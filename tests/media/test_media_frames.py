"""Frame policies: exact frames, no repeats, no crash on short clips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.core.medium import Medium, image
from harness.core.picture import HeldPicture
from harness.media import parse_policy


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
    frames = tuple(HeldPicture(str(n), b"x") for n in numbers)
    return Medium(
        kind="clip", frames=frames, indices=numbers, onset=onset, apex=apex, offset=offset
    )


@pytest.mark.parametrize(
    ("policy", "medium", "shown"),
    [
        ("all", clip(3), (0, 1, 2)),
        ("apex", clip(9, apex=4), (4,)),
        ("apex", clip(9, first=46, apex=50), (50,)),
        ("apex", clip(9, onset=2, offset=7), (4,)),
        ("apex", clip(9), (4,)),
        ("apex", clip(1), (0,)),
        ("apex", clip(5, step=10, apex=29), (30,)),
        ("onset-apex-offset", clip(9, onset=1, apex=3, offset=8), (1, 3, 8)),
        ("onset-apex-offset", clip(9), (0, 4, 8)),
        ("onset-apex-offset", clip(9, apex=2), (0, 2, 8)),
        ("onset-apex-offset", clip(9, first=100, onset=102, apex=102, offset=107), (102, 107)),
        ("onset-apex-offset", clip(2), (0, 1)),
        ("onset-apex-offset", clip(1, onset=0, apex=0, offset=0), (0,)),
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
    shown = parse_policy("onset-apex-offset")(clip(9))
    assert shown.changes == (
        "frames-onset-apex-offset",
        "onset-unknown-first-shown",
        "apex-unknown-middle-shown",
        "offset-unknown-last-shown",
    )
    assert parse_policy("apex")(clip(3, step=10, apex=9)).changes == (
        "frames-apex",
        "apex-9-absent-10-shown",
    )


def test_annotated_frames_leave_no_note() -> None:
    medium = parse_policy("onset-apex-offset")(clip(9, onset=0, apex=3, offset=8))
    assert medium.changes == ("frames-onset-apex-offset",)
    assert (medium.onset, medium.apex, medium.offset) == (0, 3, 8)


@pytest.mark.parametrize("policy", ["all", "apex", "onset-apex-offset", "uniform-4"])
def test_a_single_picture_and_an_empty_clip_pass(policy: str) -> None:
    picture = image(HeldPicture("p", b"x"))
    empty = Medium(kind="clip", frames=(), indices=())
    assert parse_policy(policy)(picture) == picture
    assert parse_policy(policy)(empty) == empty


frame = st.none() | st.integers(0, 400)


@given(
    st.integers(1, 60), st.integers(0, 200), st.integers(1, 4), frame, frame, frame,
    st.sampled_from(["apex", "onset-apex-offset", *(f"uniform-{n}" for n in range(1, 70))]),
)  # fmt: skip
def test_no_policy_repeats_or_invents_a_frame(
    length: int, first: int, step: int, onset: int | None, apex: int | None,
    offset: int | None, policy: str,
) -> None:  # fmt: skip
    medium = clip(length, first=first, step=step, onset=onset, apex=apex, offset=offset)
    shown = parse_policy(policy)(medium).indices
    assert 1 <= len(shown) <= length
    assert list(shown) == sorted(set(shown))
    assert set(shown) <= set(medium.indices)
    if policy.startswith("uniform"):
        assert len(shown) == min(length, int(policy.removeprefix("uniform-")))


@pytest.mark.parametrize(
    "text", ["", "Apex", "uniform", "uniform-0", "uniform-x", "uniform--1", "fps=2"]
)
def test_an_unknown_policy_names_those_there_are(text: str) -> None:
    with pytest.raises(HarnessError, match="onset-apex-offset"):
        parse_policy(text)
