"""Degraded and enhanced pictures: severity 0, order, determinism, chains."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from harness.conditions.degrade import KINDS, Degradation, degradation_of, expanded
from harness.conditions.mixture import unmixed, weight_of
from harness.conditions.presentation import read_presentation
from harness.conditions.registry import load_condition
from harness.conditions.shots import of_examples
from harness.core.errors import HarnessError, MediaError
from harness.core.medium import Medium, image
from harness.core.picture import HeldPicture, Remembered
from harness.faces import face_at
from harness.media.decode import decode
from harness.media.degrade import SEVERITIES
from harness.sources.drawn_pictures import DrawnPicture

BOX = (("face_box", "40 30 150 190"),)


def png(pixels: np.ndarray, name: str = "p") -> HeldPicture:
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(buffer, "PNG")
    return HeldPicture(name, buffer.getvalue())


def texture(seed: int, size: tuple[int, int] = (200, 240)) -> np.ndarray:
    """A picture with the spectrum of photographs: amplitude falls with frequency, in three unlike colours."""
    rng = np.random.default_rng(seed)
    down, across = np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None]
    falling = 1 / np.maximum(np.hypot(down, across), 1 / max(size))
    layers = []
    for _ in range(3):
        phases = np.exp(2j * np.pi * rng.uniform(size=falling.shape))
        layer = np.fft.irfft2(falling * phases, s=size)
        layers.append(rng.uniform(90, 165) + 45 * layer / layer.std())
    return np.stack(layers, axis=-1)


def faces(n: int = 4) -> list[Medium]:
    return [
        Medium("image", (Remembered(DrawnPicture(str(place), face_at(place * 7, seed=0), 224)),))
        for place in range(n)
    ]


@pytest.fixture(scope="module")
def pictures() -> list[Medium]:
    """Textures with a box for the face, a small one among them, and drawn faces."""
    held = [png(texture(seed)) for seed in range(2)]
    return [
        *(Medium("image", (one,), notes=BOX) for one in held),
        Medium("image", (png(texture(9, (48, 48))),), notes=(("face_box", "8 6 32 40"),)),
        Medium("image", (png(texture(5, (16, 20))),), notes=(("face_box", "3 1 14 14"),)),
        *faces(),
    ]


def seen(medium: Medium, condition: str) -> np.ndarray:
    shown = load_condition(condition).apply(medium)
    return np.asarray(decode(shown.frames[0].read(), name="x"), dtype=np.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_severities_are_strictly_ordered_and_0_leaves_the_bytes(kind, pictures) -> None:
    for medium in pictures:
        assert load_condition(f"degrade:{kind}=0").apply(medium) == medium
        original = seen(medium, "none")
        far = [
            float(np.sqrt(np.mean((seen(medium, f"degrade:{kind}={s}") - original) ** 2)))
            for s in range(SEVERITIES + 1)
        ]
        assert far[0] == 0
        assert all(a < b for a, b in pairwise(far)), (medium, far)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_picture_is_degraded_alike_under_any_name(kind) -> None:
    pixels = texture(1)
    one, other = (Medium("image", (png(pixels, name),), notes=BOX) for name in ("a", "b"))
    name = f"degrade:{kind}=3"
    first = load_condition(name).apply(one).frames[0].read()
    assert first == load_condition(name).apply(other).frames[0].read()
    assert decode(first, name="x").size == (240, 200)


@pytest.mark.parametrize("kind", ["motion", "noise", "dark", "fog"])
def test_large_pictures_are_degraded_in_bands_as_if_they_were_whole(kind, monkeypatch) -> None:
    medium = image(png(texture(4)))
    whole = load_condition(f"degrade:{kind}=3").apply(medium).frames[0].read()
    monkeypatch.setattr("harness.media.degrade.BAND", 5000)
    assert load_condition(f"degrade:{kind}=3").apply(medium).frames[0].read() == whole


def test_two_pictures_do_not_share_their_noise() -> None:
    flat = np.full((40, 40, 3), 100.0)
    one, other = (seen(image(png(flat + step)), "degrade:noise=1") for step in (0, 1))
    assert abs(np.corrcoef((one - 100).ravel(), (other - 101).ravel())[0, 1]) < 0.05


def test_the_frames_of_a_clip_are_degraded_in_one_direction_with_noise_of_their_own() -> None:
    frame = texture(3)
    clip = Medium("clip", (png(frame, "a"), png(frame + 1, "b")), (0, 1))
    for kind, limit in (("motion", 3.0), ("fog", 3.0)):
        shown = load_condition(f"degrade:{kind}=4").apply(clip)
        a, b = (np.asarray(decode(f.read(), name="x"), float) for f in shown.frames)
        assert np.abs(a - b).max() <= limit
    noisy = load_condition("degrade:noise=4").apply(clip)
    a, b = (np.asarray(decode(f.read(), name="x"), float) for f in noisy.frames)
    assert np.abs(a - b).mean() > 20


def test_what_is_worn_covers_the_face_alone_and_needs_to_know_where_it_lies() -> None:
    medium = faces(1)[0]
    original, masked = seen(medium, "none"), seen(medium, "degrade:occlude=2")
    points = medium.frames[0].origin.marks().points
    changed = np.abs(original - masked).sum(axis=2) > 0
    mouth = np.mean(points[48:60], axis=0).astype(int)
    eye = np.mean(points[36:42], axis=0).astype(int)
    assert changed[mouth[1], mouth[0]] and not changed[eye[1], eye[0]]
    assert not changed[: int(min(y for _, y in points[17:27]))].any()
    with pytest.raises(MediaError, match="position of the face is not known"):
        load_condition("degrade:occlude=2").apply(image(png(texture(1))))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("degrade", "a value is missing"),
        ("degrade:blur", "'' is not a severity"),
        ("degrade:blur=6", "'6' is not a severity"),
        ("degrade:blur=2.5", "'2.5' is not a severity"),
        ("degrade:rain=2", "unknown degradation 'rain'"),
        ("enhance:CLAHE", "unknown enhancement 'CLAHE'"),
        ("degrade:blur=2/enhanse:clahe", "enhanse"),
        ("degrade:blur=2/", "condition"),
        ("degrade:blur=all", "stands for several conditions"),
    ],
)
def test_what_cannot_be_is_told(name, told) -> None:
    with pytest.raises(HarnessError, match=told):
        read_presentation(name)


def test_all_stands_for_every_severity_and_every_kind() -> None:
    assert expanded("degrade:blur=all") == tuple(f"degrade:blur={s}" for s in range(1, 6))
    assert expanded("degrade:all=2/enhance:clahe")[0] == "degrade:low-res=2/enhance:clahe"
    assert len(expanded("degrade:all=all")) == 5 * len(KINDS)
    assert expanded("degrade:blur=2") == ("degrade:blur=2",)


def test_a_chain_applies_one_to_what_the_other_shows() -> None:
    medium = image(png(texture(2)))
    chained = load_condition("degrade:low-res=4/enhance:unsharp").apply(medium)
    by_hand = load_condition("enhance:unsharp").apply(
        load_condition("degrade:low-res=4").apply(medium)
    )
    assert chained.frames[0].read() == by_hand.frames[0].read()
    assert chained.changes == ("degrade:low-res=4", "enhance:unsharp")
    both = load_condition("degrade:low-res=4/enhance:unsharp+none").apply(medium)
    assert [frame.read() for frame in both.frames] == [
        chained.frames[0].read(), medium.frames[0].read(),
    ]  # fmt: skip


@pytest.mark.parametrize("condition", ["degrade:blur=3/apex", "apex/degrade:blur=3"])
def test_a_chain_may_choose_frames(condition) -> None:
    frames = tuple(png(texture(seed), str(seed)) for seed in range(3))
    clip = Medium("clip", frames, (0, 1, 2), apex=1)
    loaded = load_condition(condition)
    assert loaded.whole_clip
    shown = loaded.apply(clip)
    assert shown.indices == (1,)
    blurred = load_condition("degrade:blur=3").apply(image(frames[1])).frames[0].read()
    assert shown.frames[0].read() == blurred


def test_marks_follow_a_chain_while_the_face_stays_in_place() -> None:
    medium = faces(1)[0]
    load_condition("degrade:noise=2/degrade:occlude=1/face-crop").apply(medium).frames[0].read()
    boxed = Medium("image", (png(texture(1)),), notes=BOX)
    load_condition("degrade:noise=2/face-crop").apply(boxed)
    for one in (medium, boxed):
        with pytest.raises(MediaError, match="not known behind face-crop"):
            load_condition("face-crop/degrade:occlude=1").apply(one)


def test_a_mixture_in_a_chain_is_found_and_taken_out() -> None:
    assert weight_of("mix:0.7/degrade:blur=2") == 0.7
    assert unmixed("mix:0.7/degrade:blur=2") == "degrade:blur=2"
    assert unmixed("mix:0.7") == "none"


def test_examples_are_enhanced_and_not_degraded() -> None:
    chain = load_condition("degrade:dark=3/enhance:clahe")
    assert of_examples(chain).name == "enhance:clahe"
    assert of_examples(load_condition("degrade:dark=3")).name == "none"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("degrade:low-res=4", Degradation("low-res", 4, "none")),
        ("degrade:low-res=4/enhance:clahe", Degradation("low-res", 4, "none", "enhance:clahe")),
        ("degrade:low-res=4/none", Degradation("low-res", 4, "none", "none")),
        ("apex/degrade:blur=1/enhance:wiener", Degradation("blur", 1, "apex", "enhance:wiener")),
        ("degrade:blur=0/face-crop", Degradation("blur", 0, "face-crop")),
        ("degrade:blur=6", None),
        ("degrade:blur=2/degrade:noise=1", None),
        ("degrade:blur=2+apex", None),
        ("enhance:clahe", None),
        ("none", None),
    ],
)
def test_a_degradation_is_read_off_its_name(name, found) -> None:
    assert degradation_of(name) == found


def test_enhancements_repair_what_they_are_for() -> None:
    """CLAHE spreads the lightness of a dark picture; the Wiener filter takes back a part of a blur it was made for."""
    pytest.importorskip("cv2")
    medium = faces(1)[0]
    original = seen(medium, "none")
    dim = seen(medium, "degrade:dark=2")
    assert seen(medium, "degrade:dark=2/enhance:clahe").mean() > dim.mean() + 5
    blurred = seen(medium, "degrade:blur=2")
    repaired = seen(medium, "degrade:blur=2/enhance:wiener")
    assert np.abs(repaired - original).mean() < 0.8 * np.abs(blurred - original).mean()
    assert seen(medium, "enhance:lanczos").shape == (448, 448, 3)
