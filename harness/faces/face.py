"""Input of a drawing: a person, a movement, a pose and a camera."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np

from harness.core.errors import HarnessError
from harness.faces.ranges import AGE_YEARS
from harness.faces.units import Unit

Split = Literal["train", "validation", "test"]
SPLIT_CODES: dict[str, int] = {"train": 1, "validation": 2, "test": 3}

Colour = tuple[int, int, int]


def plain(value: Any) -> Any:
    """The value with tuples as lists, ready for JSON."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


@dataclass(frozen=True, slots=True)
class Identity:
    """A drawn person; lengths in face units, see `harness.faces.ranges.IDENTITY`."""

    subject: str
    age_group: str
    age: float
    """Standing wrinkles, 0 to 1."""
    skin_tone: int
    """Step of the Monk Skin Tone scale, 1 to 10."""
    hair_style: str
    hair_colour: Colour
    iris_colour: Colour
    lip_colour: float
    """Redness of the lips, 0 to 1."""
    beard: str
    glasses: str
    clothes: Colour
    texture: int
    """Seed of the strands of hair."""
    face_width: float = 1.0
    face_length: float = 1.0
    jaw_width: float = 0.75
    chin_width: float = 0.32
    brow_thickness: float = 0.045
    brow_height: float = -0.285
    brow_arch: float = 0.045
    brow_tilt: float = 0.0
    brow_inner: float = 0.18
    eye_gap: float = 0.42
    eye_width: float = 0.2
    eye_open: float = 1.0
    eye_tilt: float = 0.0
    lid_crease: float = 0.6
    nose_width: float = 0.165
    nose_length: float = 0.5
    nose_bridge: float = 0.75
    mouth_width: float = 0.35
    mouth_height: float = 0.82
    lip_upper: float = 0.065
    lip_lower: float = 0.09
    mouth_rest: float = 0.0
    ear_size: float = 1.0
    hairline: float = -0.85
    skin_hue: float = 0.0
    expressivity: float = 1.0
    asymmetry: float = 0.0

    @property
    def years(self) -> int:
        """Age in years, 18 to 90: a fixed function of the standing wrinkles (`harness.faces.ranges.AGE_YEARS`)."""
        return round(float(np.interp(self.age, *AGE_YEARS)))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(plain(asdict(self)))


@dataclass(frozen=True, slots=True)
class Pose:
    """Turn of the head in degrees; keep each within about 25, features only shift on a dome."""

    yaw: float = 0.0
    """Positive: the subject's left, the right of the picture."""
    pitch: float = 0.0
    """Positive: up."""
    roll: float = 0.0
    """Positive: clockwise in the picture."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(plain(asdict(self)))


@dataclass(frozen=True, slots=True)
class Nuisance:
    """What the camera and the room add; ranges in `harness.faces.ranges.NUISANCE`."""

    light_azimuth: float = 20.0
    light_elevation: float = 30.0
    light_level: float = 1.0
    light_ambient: float = 0.6
    light_warmth: float = 0.0
    noise: float = 0.0
    blur: float = 0.0
    jpeg_quality: int = 100
    """Quality of the JPEG round trip; 100 leaves it out."""
    scale: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    background: str = "plain"
    background_colours: tuple[Colour, Colour] = ((150, 160, 170), (110, 120, 130))
    seed: int = 0
    """Seed of the sensor noise and of the shapes in the background."""
    noise_frame: int = 0
    """Frame number within a clip: each frame has its own sensor noise."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(plain(asdict(self)))


@dataclass(frozen=True, slots=True)
class Face:
    """All that determines one picture. The emotion is a label only: pixels never read it."""

    identity: Identity
    units: tuple[Unit, ...] = ()
    pose: Pose = field(default_factory=Pose)
    gaze: tuple[float, float] = (0.0, 0.0)
    """Horizontal, vertical in [-1, 1]; positive: the subject's left, down."""
    teeth: float = 0.0
    """Length of the bared upper teeth in [0, 1]; they show only where the lips part."""
    nuisance: Nuisance = field(default_factory=Nuisance)
    emotion: str = "neutral"

    def __post_init__(self) -> None:
        numbers = [u.number for u in self.units]
        if len(set(numbers)) != len(numbers):
            raise HarnessError(
                f"a face of {self.identity.subject} lists an action unit twice: {numbers}",
                hint="give each action unit once, with its left and right intensity",
            )
        if not 0.0 <= self.teeth <= 1.0:
            raise HarnessError(f"teeth {self.teeth} is outside 0 to 1", hint="use 0 to hide them")

    def with_units(self, *units: Unit) -> Face:
        """The same face with these action units instead of its own."""
        return replace(self, units=tuple(sorted(units, key=lambda u: u.number)))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(plain(asdict(self)))
