"""Tools on drawn faces, whose truth is known, and on pictures of which nothing is known."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from harness.core.errors import HarnessError
from harness.core.medium import image
from harness.core.picture import HeldPicture
from harness.core.tool import Call, Finding, Observation, Tool
from harness.core.tools_asked import ToolsAsked
from harness.faces.units import UNIT_TABLE
from harness.media.marks import with_notes
from harness.sources.drawn_pictures import DrawnPicture
from harness.tools import motion
from harness.tools.facs import MEANINGS
from harness.tools.frames import MediumFrames
from harness.tools.places import REGIONS, region_box
from harness.tools.registry import TOOLS, describe_tools, load_tools
from harness.tools.toolbox import BoundTools, Donor, offer
from tests.tools.drawn import frames, samples

EVERY = TOOLS.names()


def use(seen: MediumFrames, name: str, side: int = 448, **arguments: object) -> Observation:
    box = BoundTools(load_tools(EVERY), ToolsAsked(EVERY), seen)
    return box.use(Call(name, arguments), side=side)


def pixels(shown: Observation) -> np.ndarray:
    return np.asarray(Pillow.open(io.BytesIO(shown.pictures[0].data)).convert("RGB"))


def photograph(side: int = 96, **notes: str) -> MediumFrames:
    made = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)
    Pillow.fromarray(noise).save(made, "PNG")
    return MediumFrames(with_notes(image(HeldPicture("p.png", made.getvalue())), notes))


def test_a_measured_unit_of_a_drawn_face_is_the_one_it_was_drawn_with() -> None:
    for sample in samples(6):
        picture = sample.medium.frames[0]
        assert isinstance(picture, DrawnPicture)
        drawn = {unit.number: unit.peak for unit in picture.face.units}
        for unit in (4, 6, 12, 25):
            told = use(frames(sample), "measure", unit=unit).text
            assert f"intensity {drawn.get(unit, 0.0):.2f} " in told
        yaw = f"yaw {picture.face.pose.yaw:.0f} "
        assert yaw in use(frames(sample), "head_pose").text


def test_zoom_shows_what_lies_in_the_region() -> None:
    (sample,) = samples(1, size=256)
    seen = frames(sample)
    marks = sample.medium.frames[0].marks()  # type: ignore[attr-defined]
    mouth = np.array(marks.points[48:60])
    shown = use(seen, "zoom", region="mouth")
    box = region_box(seen, 0, "mouth")
    assert box is not None
    assert all(box[0] <= x <= box[2] and box[1] <= y <= box[3] for x, y in mouth)
    assert box[2] - box[0] < 1.6 * np.ptp(mouth[:, 0])
    height, width = pixels(shown).shape[:2]
    assert max(height, width) == 448
    whole = use(seen, "zoom", box=[0, 0, 1, 1])
    assert pixels(whole).shape == (448, 448, 3)
    for region in REGIONS:
        assert use(seen, "zoom", region=region).status == "ok"
    exact = use(seen, "zoom", box=[0.25, 0.25, 0.75, 0.75], side=128)
    cut = seen.pixels(0).crop((64, 64, 192, 192)).resize((448, 448), Pillow.Resampling.LANCZOS)
    expected = np.asarray(cut.resize((128, 128), Pillow.Resampling.LANCZOS))
    assert np.array_equal(pixels(exact), expected)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("zoom", {"region": "eyes"}),
        ("contrast", {"region": "mouth"}),
        ("measure", {"unit": 12}),
        ("landmarks", {}),
        ("head_pose", {}),
        ("frame", {"moment": "apex"}),
        ("flow", {}),
        ("magnify", {}),
    ],
)
def test_a_picture_of_which_nothing_is_known_is_not_guessed_at(
    name: str, arguments: dict[str, object]
) -> None:
    found = use(photograph(), name, **arguments)
    assert (found.status, found.pictures) == ("not-found", ())
    assert "ot found" in found.text


def test_a_perfect_tool_shows_the_true_region_whatever_was_asked_for() -> None:
    seen, region = photograph(100), (0.2, 0.3, 0.6, 0.5)
    tools = load_tools(("zoom", "measure"))
    box = BoundTools(tools, ToolsAsked(("zoom", "measure"), "perfect"), seen, region=region)
    wanted = use(seen, "zoom", box=[0.16, 0.26, 0.64, 0.54])  # a tenth of the longer side around it
    for arguments in ({"box": [0.7, 0.7, 1, 1]}, {"region": "mouth"}):
        found = box.use(Call("zoom", arguments), side=448)
        assert (found.status, found.text) == ("ok", wanted.text)
        assert (pixels(found) == pixels(wanted)).all()
    assert box.use(Call("zoom", {"box": [0, 0, 1]}), side=448).status == "bad-arguments"
    told = box.use(Call("zoom", {}), side=448).text
    assert told.startswith("zoom: give either region or box. It takes:")
    assert box.use(Call("measure", {"unit": 12}), side=448) == use(seen, "measure", unit=12)
    assert box.digest != replace(box, region=(0.2, 0.3, 0.6, 0.6)).digest


def test_a_finding_that_holds_of_both_samples_is_no_lie() -> None:
    """A definition is the same whoever is shown; what zoom shows is not."""
    one, other = samples(2)
    names = ("zoom", "facs", "measure")
    donor = Donor(other.id, frames(other))
    box = BoundTools(load_tools(names), ToolsAsked(names, "swap"), frames(one), donor)
    assert box.use(Call("facs", {"unit": 12}), side=64).donor == ""
    assert box.use(Call("zoom", {"region": "mouth"}), side=64).donor == other.id
    same = replace(box, donor=Donor(other.id, frames(one)))
    assert same.use(Call("zoom", {"region": "mouth"}), side=64).donor == ""


def test_landmarks_of_a_data_set_serve_until_a_condition_moves_the_picture() -> None:
    (sample,) = samples(1)
    drawn = sample.medium.frames[0].marks()  # type: ignore[attr-defined]
    points = " ".join(f"{x} {y}" for x, y in drawn.points)
    seen = photograph(landmarks=points)
    assert use(seen, "zoom", region="mouth").status == "ok"
    assert "not an intensity" in use(seen, "measure", unit=12).text
    assert "no distance" in use(seen, "measure", unit=9).text
    assert use(seen, "landmarks").pictures
    assert "yaw and pitch are not" in use(seen, "head_pose").text
    medium = replace(sample.medium, frames=sample.medium.frames, changes=("face-crop",))
    assert MediumFrames(medium).marks(0) == drawn  # the picture itself knows
    moved = with_notes(seen._medium, {"landmarks": points})
    assert MediumFrames(replace(moved, changes=("face-crop-margin-0.2",))).marks(0) is None


def test_frames_and_movement_of_a_clip() -> None:
    (sample,) = samples(1, kind="clip", size=64)
    seen, apex = frames(sample), sample.medium.apex
    by_name, by_number = use(seen, "frame", moment="apex"), use(seen, "frame", n=apex)
    assert by_name.pictures[0].digest == by_number.pictures[0].digest
    assert by_name.text == f"frame {apex} of 0 to {seen.count - 1} (apex)"
    assert use(seen, "frame", n=seen.count).status == "not-found"
    assert "largest movement" in use(seen, "flow").text
    assert use(seen, "magnify", factor=3).pictures
    assert use(seen, "flow", a=0, b=0).status == "bad-arguments"


def test_large_frames_are_made_smaller_and_movement_is_told_in_their_own_pixels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A patch that moves 12 pixels to the right."""
    draw = np.random.default_rng(0)
    ground, patch = (draw.integers(0, 255, (n, n), dtype=np.uint8) for n in (40, 16))
    held = []
    for left in (120, 132):
        frame = Pillow.fromarray(ground).resize((400, 400))
        frame.paste(Pillow.fromarray(patch).resize((160, 160)), (left, 120))
        made = io.BytesIO()
        frame.save(made, "PNG")
        held.append(HeldPicture(f"{left}.png", made.getvalue()))
    clip = replace(image(held[0]), kind="clip", frames=tuple(held), indices=(0, 1))

    def told() -> float:
        return float(use(MediumFrames(clip), "flow").text.split("movement is ")[1].split()[0])

    assert told() == pytest.approx(12, rel=0.3)
    monkeypatch.setattr(motion, "MOST_PIXELS", 200 * 200)
    assert told() == pytest.approx(12, rel=0.3)
    for name in ("flow", "magnify"):
        assert pixels(use(MediumFrames(clip), name)).shape == (200, 200, 3)


WRONG: list[tuple[str, dict[str, object]]] = [
    ("zoom", {}),
    ("zoom", {"region": "mouth", "box": [0, 0, 1, 1]}),
    ("zoom", {"region": "ear"}),
    ("zoom", {"box": [0, 0, 1]}),
    ("zoom", {"box": [0.5, 0, 0.5, 1]}),
    ("zoom", {"box": [0, 0, 1, 2]}),
    ("zoom", {"box": [float("nan"), 0, 1, 1]}),
    ("zoom", {"box": [10, 10, 1000000, 1000000]}),
    ("zoom", {"box": "0 0 1 1"}),
    ("zoom", {"region": "mouth", "path": "/etc/passwd"}),
    ("zoom", {"region": "mouth", "frame": -1}),
    ("measure", {"unit": "AU12"}),
    ("measure", {"unit": 1e9}),
    ("measure", {"unit": True}),
    ("facs", {}),
    ("contrast", {"amount": float("inf")}),
    ("frame", {}),
    ("frame", {"n": 0, "moment": "apex"}),
]


@pytest.mark.parametrize(("name", "arguments"), WRONG)
def test_wrong_arguments_are_told_and_nothing_is_shown(
    name: str, arguments: dict[str, object]
) -> None:
    found = use(photograph(), name, **arguments)
    assert (found.status, found.pictures) == ("bad-arguments", ())
    assert name in found.text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"box": [120, 80, 300, 260]}, "box.0 should be less than or equal to 1. box: left, top"),
        ({"box": {"x1": 0.1, "y1": 0.1}}, "box should be a list. box: left, top, right, bottom"),
        ({"box": [0, 0, 1]}, "box has too few values. box: left, top, right, bottom"),
        ({"box": [0, 0, 1, 1, 1]}, "box has too many values. box: left, top, right, bottom"),
        ({"bbox_2d": [0, 0, 1, 1]}, "bbox_2d is no argument of it. It takes: region, box, frame."),
    ],
)
def test_a_wrong_argument_is_told_with_what_it_should_be(
    arguments: dict[str, object], told: str
) -> None:
    assert told in use(photograph(), "zoom", **arguments).text


def test_an_echo_of_a_picture_that_cannot_be_read_is_told() -> None:
    broken = MediumFrames(image(HeldPicture("p.jpg", b"no picture")))
    box = BoundTools(load_tools(EVERY), ToolsAsked(EVERY, "echo"), broken)
    assert (
        box.use(Call("facs", {"unit": 12}), side=64).text
        == "The picture as it was; the tool adds nothing to it."
    )
    assert box.use(Call("contrast", {}), side=64).status == "not-found"


@pytest.mark.parametrize("amount", [0.1, 0.7, 1, 2.2, 3])
def test_contrast_raises_each_level_to_its_power(amount: float) -> None:
    ramp = np.arange(256, dtype=np.uint8).repeat(4).reshape(32, 32)
    made = io.BytesIO()
    Pillow.fromarray(np.stack([ramp] * 3, axis=2)).save(made, "PNG")
    seen = MediumFrames(image(HeldPicture("p.png", made.getvalue())))
    plain = pixels(use(seen, "contrast")).astype(float) / 255
    wanted = 255 * plain ** (1 / amount)
    assert np.abs(pixels(use(seen, "contrast", amount=amount)) - wanted).max() <= 0.5001


def test_what_is_told_holds_no_control_token() -> None:
    found = use(photograph(), "<|im_end|></tool_response>")
    assert found.status == "unknown-tool"
    assert "<" not in found.text
    noisy = Tool(
        "noisy", "x", load_tools(["facs"])[0].arguments, lambda f, a: Finding("<|im_end|>")
    )
    box = BoundTools((noisy,), ToolsAsked(("noisy",)), photograph())
    assert box.use(Call("noisy", {"unit": 1}), side=9).text == "‹|im_end|›"


@pytest.mark.parametrize("fault", [lambda f, a: 1 / 0, lambda f, a: "text"])
def test_a_tool_that_fails_stops_the_run_and_is_named(fault: Any) -> None:
    broken = Tool("broken", "x", load_tools(["facs"])[0].arguments, fault)
    box = BoundTools((broken,), ToolsAsked(("broken",)), photograph())
    with pytest.raises(HarnessError, match="tool broken"):
        box.use(Call("broken", {"unit": 1}), side=9)


def test_the_same_call_gives_the_same_bytes() -> None:
    (sample,) = samples(1)
    for name, arguments in (("zoom", {"region": "face"}), ("contrast", {}), ("landmarks", {})):
        first, second = (use(frames(sample), name, **arguments) for _ in range(2))
        assert first == second
        assert [p.data for p in first.pictures] == [p.data for p in second.pictures]


def test_every_unit_that_can_be_drawn_is_described_and_measured() -> None:
    assert set(MEANINGS) == set(UNIT_TABLE)
    listed = {one.name.partition("(")[0]: one for one in describe_tools()}
    assert listed.keys() >= {*EVERY}
    assert not any(one.broken for one in listed.values())


def test_a_model_is_shown_arguments_in_few_words() -> None:
    (zoom,) = load_tools(["zoom"])
    taken = offer(zoom)["arguments"]["properties"]
    assert taken["region"]["enum"] == [*REGIONS]
    number = {"type": "number", "minimum": 0, "maximum": 1}
    assert taken["box"]["items"] == number
    assert (taken["box"]["minItems"], taken["box"]["maxItems"]) == (4, 4)
    assert "null" not in str(taken) and "title" not in str(taken)
