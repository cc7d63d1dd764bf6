"""Cues of a drawn face that can be changed alone, their values, and the pixels that may change."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faces.cues import CUE_VALUES

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Intervention:
    """What may be done to one cue."""

    values: tuple[str, ...]
    """Values that can be asked for."""
    region: Box | None
    """The pixels it may touch: x0, y0, x1, y1 in face units, turned with the head; see
    `harness.faces.region`. None: the whole picture."""
    exact: bool
    """Whether every pixel outside the region stays the same before JPEG. Else light on the skin
    spreads a little: there, at most `harness.faces.region.SPREAD` grey levels."""
    moves: str
    """What is moved, in words."""


INTERVENTIONS: dict[str, Intervention] = {
    "teeth_visible": Intervention(
        ("yes", "no"),
        (-0.60, 0.50, 0.60, 1.45),
        False,
        "length of the upper teeth (exact), and AU25 where the lips part too little to show them",
    ),
    "eyebrows": Intervention(
        CUE_VALUES["eyebrows"], (-1.0, -1.05, 1.0, 0.30), False, "action units 1, 2, 4"
    ),
    "eyes": Intervention(
        CUE_VALUES["eyes"],
        (-1.0, -0.75, 1.0, 0.45),
        False,
        "action units 5, 7, 43; to or from closed only with allow=('gaze',)",
    ),
    "mouth": Intervention(
        ("smile", "neutral", "frown", "open", "pressed"),
        (-1.1, -0.15, 1.1, 1.9),
        False,
        "action units 12 to 27; pursed lips need AU18, which is not drawn",
    ),
    "cheeks": Intervention(
        CUE_VALUES["cheeks"],
        (-1.0, -0.60, 1.0, 1.20),
        False,
        "action unit 6, and 7 to hold the eyes as they were",
    ),
    "nose": Intervention(
        CUE_VALUES["nose"], (-1.0, -0.80, 1.0, 1.20), False, "action units 9 and 10"
    ),
    "gaze": Intervention(
        ("direct", "left", "right", "up", "down"), (-1.0, -0.60, 1.0, 0.45), False, "the irises"
    ),
    "glasses": Intervention(
        ("none", "round", "square"), (-1.05, -0.35, 1.05, 0.40), True, "the frames"
    ),
    "head_pose": Intervention(CUE_VALUES["head_pose"], None, True, "yaw, pitch and roll"),
}
"""Every cue that can be changed alone."""

REFUSED: dict[str, str] = {
    "forehead": "its lines are drawn from the brows (1, 2, 4) and from age, and from nothing else",
}
"""Cues that cannot be changed alone, and why."""
