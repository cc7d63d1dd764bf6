"""Training scenes: the picture, and what the tool `zoom` shows of the face that is asked about.

The tool itself cuts the crop, so that training and runs see the same.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.core.marks import Marks
from harness.core.tool import Call
from harness.core.tools_asked import ToolsAsked
from harness.faces import BASIC_7, Scene, Split, annotate, draw, draw_scene, scene_at
from harness.faces.scene import scene_marks, scene_question
from harness.tools.toolbox import BoundTools
from harness.tools.zoom import ZOOM

SIDE = 448
"""Side of a scene in pixels, as the task faces/scene has it."""
DRAWN_AT = 224
"""Side at which the asked face is drawn once more, for what is true of it."""
CALL = Call("zoom", {"region": "face"})


@dataclass(frozen=True, slots=True)
class SceneFrames:
    """A `ToolFrames` of a scene."""

    scene: Scene
    drawn: NDArray[np.uint8]
    count: int = 1

    def pixels(self, frame: int) -> Image.Image:
        """The scene; it has one frame."""
        return Image.fromarray(self.drawn)

    def marks(self, frame: int) -> Marks:
        """Where the asked face lies."""
        return scene_marks(self.scene, size=len(self.drawn))

    def units(self, frame: int) -> Mapping[int, float] | None:
        """Not told."""
        return None

    def pose(self, frame: int) -> tuple[float, float, float] | None:
        """Not told."""
        return None

    def moment(self, name: Literal["onset", "apex", "offset"]) -> int | None:
        """A picture has none."""
        return None


def drawn_scene(
    index: int, *, seed: int, split: Split
) -> tuple[tuple[NDArray[np.uint8], NDArray[np.uint8]], dict[str, Any]]:
    """The scene and the crop, each (side, side, 3) of its own side, and what is true of the asked face.

    Beside its annotations: `share` of the side, `people`, `question` as a run asks it, and `found`, the tool's text.
    """
    scene = scene_at(index, seed=seed, split=split, labels=BASIC_7)
    pixels = draw_scene(scene, size=SIDE)
    tools = BoundTools((ZOOM,), ToolsAsked((ZOOM.name,)), SceneFrames(scene, pixels))
    seen = tools.use(CALL, side=SIDE)
    with Image.open(io.BytesIO(seen.pictures[0].data)) as opened:
        crop = np.asarray(opened.convert("RGB"), dtype=np.uint8)
    face = scene.asked.face
    truth = {**annotate(face, draw(face, size=DRAWN_AT)), "units": {}}
    truth |= {"share": scene.asked.share, "people": len(scene.people), "side": scene.side}
    truth |= {"question": scene_question(scene), "found": seen.text}
    return (pixels, crop), truth
