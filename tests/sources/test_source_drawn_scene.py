"""Drawn scenes: how large the face is, who is asked about, and that a perfect zoom shows the drawing itself."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Sample
from harness.core.tool import Call
from harness.core.tools_asked import ToolsAsked
from harness.faces import draw, scene_at
from harness.sources import open_source
from harness.sources.drawn_scene import DrawnScene
from harness.tools.frames import MediumFrames
from harness.tools.registry import load_tools
from harness.tools.toolbox import BoundTools

FIELDS = {"emotion": FieldSpec(kind="label", labels="basic-7")}


def scenes(count: int, **options: object) -> list[Sample]:
    told = {"family": "faces", "kind": "scene", "n": count, "size": 128, **options}
    return list(open_source(told, fields=FIELDS, base=Path()))


def test_annotations_say_how_small_the_face_is_and_who_is_asked_about() -> None:
    found = scenes(60)
    shares = [float(sample.annotations["share"]) for sample in found]
    assert 0.25 <= min(shares) < 0.35
    assert max(shares) > 0.9
    for sample, share in zip(found, shares, strict=True):
        assert sample.annotations["suffices"] == ("yes" if share >= 0.7 else "no")
        side = sample.annotations["side"]
        assert (side is None) == (sample.annotations["people"] == 1)
        assert sample.question is not None
        assert ("the person on the" in sample.question) == (side is not None)
        assert "suffices" not in sample.targets
    assert {sample.annotations["side"] for sample in found} == {None, "left", "right"}
    assert len({sample.cluster for sample in found}) == 9


def test_people_stand_apart_and_on_the_side_that_is_said() -> None:
    two = [scene for scene in (scene_at(n, seed=1) for n in range(80)) if len(scene.people) == 2]
    assert len(two) > 3
    for scene in two:
        asked, other = scene.people
        first, second = sorted(scene.people, key=lambda one: one.x)
        assert first.x + first.share <= second.x
        assert (asked.x < other.x) == (scene.side == "left")
        assert asked.face.identity.subject != other.face.identity.subject


def test_a_zoom_on_the_face_is_the_drawing() -> None:
    for sample in scenes(12, size=256):
        picture = sample.medium.frames[0]
        assert isinstance(picture, DrawnScene)
        left, top, side = picture.scene.asked.square(256)
        drawn = draw(picture.scene.asked.face, size=side).pixels
        shown = np.asarray(Pillow.open(io.BytesIO(picture.read())))
        assert np.array_equal(shown[top : top + side, left : left + side], drawn)
        tools = ToolsAsked(("zoom", "measure"))
        box = BoundTools(load_tools(tools.names), tools, MediumFrames(sample.medium))
        seen = box.use(Call("zoom", {"region": "face"}), side=448)
        zoomed = np.asarray(Pillow.open(io.BytesIO(seen.pictures[0].data)), dtype=np.float64)
        whole = Pillow.fromarray(drawn).resize((448, 448), Pillow.Resampling.LANCZOS)
        assert zoomed.shape == (448, 448, 3)
        assert np.abs(zoomed - np.asarray(whole, dtype=np.float64)).mean() < 6


def test_the_same_options_draw_the_same_bytes_and_others_do_not() -> None:
    (first,), (second,), (other,) = scenes(1), scenes(1), scenes(1, share=[0.25, 0.3])
    assert first.medium.frames[0].read() == second.medium.frames[0].read()
    assert first.medium.frames[0].read() != other.medium.frames[0].read()


@pytest.mark.parametrize("share", [[0.0, 1.0], [0.9, 0.3], [0.5, 1.2]])
def test_shares_that_cannot_be_drawn_are_refused(share: list[float]) -> None:
    with pytest.raises(HarnessError, match="share"):
        scenes(1, share=share)
