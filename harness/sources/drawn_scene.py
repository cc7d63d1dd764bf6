"""Drawn scenes as samples: kind `scene` of the family `faces`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.core.field import FieldSpec
from harness.core.marks import Marks
from harness.core.medium import image
from harness.core.sample import Sample
from harness.faces import Scene, draw_scene, encode_png
from harness.faces.scene import SUFFICES, scene_marks, scene_question
from harness.sources.cells import target


@dataclass(frozen=True, slots=True)
class DrawnScene:
    """A scene that is drawn, and encoded as PNG, when it is read. What it knows is of the person that is asked about."""

    name: str
    scene: Scene
    size: int

    def read(self) -> bytes:
        return encode_png(draw_scene(self.scene, size=self.size))

    def marks(self) -> Marks:
        """Landmarks and box."""
        return scene_marks(self.scene, size=self.size)

    @property
    def region(self) -> str:
        """The box of the face in shares of the picture, as an annotation."""
        return " ".join(f"{edge / self.size:.4f}" for edge in self.marks().box or ())

    def units(self) -> Mapping[int, float]:
        """Action units."""
        return {unit.number: unit.peak for unit in self.scene.asked.face.units}

    def pose(self) -> tuple[float, float, float]:
        """How the head is turned."""
        pose = self.scene.asked.face.pose
        return pose.yaw, pose.pitch, pose.roll


def scene_sample(
    scene: Scene,
    name: str,
    *,
    size: int,
    fields: Mapping[str, FieldSpec],
    truth: Mapping[str, object],
    annotations: Mapping[str, str | float | int | bool | None],
) -> Sample:
    """A scene as a sample: the question names the person, and annotations say how small the face is."""
    drawn = DrawnScene(f"faces/{name}", scene, size)
    return Sample(
        id=name,
        medium=image(drawn),
        targets={
            field: target(truth[field], fields[field], column=field, where=name)
            for field in fields
            if field in truth
        },
        question=scene_question(scene),
        annotations={
            **annotations,
            "share": round(scene.asked.share, 3),
            "suffices": "yes" if scene.asked.share >= SUFFICES else "no",
            "people": len(scene.people),
            "side": scene.side,
            "region": drawn.region,
        },
        cluster=scene.asked.face.identity.subject,
    )
