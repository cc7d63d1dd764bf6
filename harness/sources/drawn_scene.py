"""Drawn scenes as samples: kind `scene` of the family `faces`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.core.field import FieldSpec
from harness.core.marks import Marks
from harness.core.medium import image
from harness.core.sample import Sample
from harness.faces import Scene, draw_scene, encode_png
from harness.faces.points import marks_of
from harness.faces.scene import SUFFICES
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
        """Landmarks; the box leaves a twelfth of the square in which the person was drawn on each side."""
        left, top, side = self.scene.asked.square(self.size)
        found = marks_of(self.scene.asked.face, size=side)
        points = tuple((x + left, y + top) for x, y in found.points)
        edge = side / 12
        box = (left + edge, top + edge, left + side - edge, top + side - edge)
        return Marks(points, box)

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
    side = scene.side
    drawn = DrawnScene(f"faces/{name}", scene, size)
    who = f"the person on the {side}" if side else "the person"
    return Sample(
        id=name,
        medium=image(drawn),
        targets={
            field: target(truth[field], fields[field], column=field, where=name)
            for field in fields
            if field in truth
        },
        question=f"Which emotion does the face of {who} express?",
        annotations={
            **annotations,
            "share": round(scene.asked.share, 3),
            "suffices": "yes" if scene.asked.share >= SUFFICES else "no",
            "people": len(scene.people),
            "side": side,
            "region": drawn.region,
        },
        cluster=scene.asked.face.identity.subject,
    )
