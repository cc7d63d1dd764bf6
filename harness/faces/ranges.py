"""All ranges that drawn faces are sampled from.

Lengths are in face units: one unit is half the width of an average face, x runs to the right
of the picture, y runs down, the origin lies between the eyes. Angles are degrees. Each nuisance
is sampled on its own, from a generator that knows neither the emotion nor the subject.
"""

from __future__ import annotations

Range = tuple[float, float]

NUISANCE: dict[str, Range] = {
    "light_azimuth": (-60.0, 60.0),  # degrees; positive: light from the right of the picture
    "light_elevation": (-5.0, 60.0),  # degrees above the horizon
    "light_level": (0.75, 1.06),  # gain on all pixels
    "light_ambient": (0.45, 0.75),  # share of light that has no direction
    "light_warmth": (-0.06, 0.08),  # red gained and blue lost
    "noise": (0.0, 5.0),  # standard deviation in grey levels of 255
    "blur": (0.0, 0.7),  # Gaussian radius in pixels of a 224-pixel picture
    "jpeg_quality": (55.0, 98.0),  # rounded; quality of one round trip through JPEG
    "scale": (0.90, 1.08),  # of the face within the frame
    "shift_x": (-0.035, 0.035),  # of the picture's side
    "shift_y": (-0.03, 0.03),  # of the picture's side
}
"""Nuisance field to (low, high), uniform."""

BACKGROUNDS: tuple[str, ...] = ("plain", "gradient", "blobs", "window")
"""Kinds of background, equally likely; colours are uniform over muted colours."""

POSE: dict[str, float] = {"yaw": 7.0, "pitch": 4.5, "roll": 4.0}
"""Standard deviation in degrees of a normal, cut at `POSE_LIMIT` times it."""
POSE_LIMIT = 2.2

GAZE_DIRECT = 0.7
"""Probability that the eyes look at the camera; otherwise the gaze is uniform in [-1, 1]^2."""

TEETH_SHOWN = 0.5
"""Probability that the upper teeth are bared if the lips part, whatever the emotion."""
TEETH_EXPOSURE: Range = (0.65, 1.0)
"""Length of the bared teeth relative to full, where they are bared."""

INTENSITY: Range = (0.3, 1.0)
"""Strength of an expression; each action unit departs from it by up to `UNIT_JITTER`."""
UNIT_JITTER = 0.15
IDLE_UNITS = 0.10
"""Resting faces move a little: up to this intensity, below what counts as present."""

MICRO_APEX: Range = (0.25, 0.6)
"""Strength at the apex of a micro-expression."""
MICRO_JITTER = 0.06
"""How far each action unit of a micro-expression departs from that strength."""
MICRO_FPS = 200.0
MICRO_RISE: tuple[int, int] = (12, 45)  # frames from onset to apex, inclusive bounds
MICRO_FALL: tuple[int, int] = (15, 50)  # frames from apex to offset, inclusive bounds
MICRO_REST: tuple[int, int] = (2, 6)  # neutral frames before and after, inclusive bounds

LONG_FPS = 30.0
LONG_SECONDS: Range = (10.0, 60.0)
"""Length of a long video."""
LONG_VIDEOS = 2
"""Videos of one subject."""
LONG_EVENTS_EACH = 6.0
"""Seconds of video for each expression event beyond the first two, at most."""
LONG_EVENTS_MOST = 9
LONG_MICRO_SHARE = 0.5
"""Probability that an event is a micro-expression."""
LONG_MICRO: Range = (0.2, 0.5)  # seconds from onset to offset
LONG_MACRO: Range = (0.6, 4.0)  # seconds from onset to offset
MACRO_APEX: Range = (0.55, 1.0)
"""Strength at the apex of a macro-expression."""
LONG_REST = 0.4
"""Seconds of rest around every event, at least."""
BLINK_EVERY: Range = (2.0, 6.0)  # seconds from blink to blink
BLINK_LENGTH: Range = (0.15, 0.35)  # seconds
GLANCE_EVERY: Range = (2.5, 9.0)  # seconds from one shift of the gaze to the next
TURN_EVERY: Range = (1.5, 5.0)  # seconds from one resting pose of the head to the next
TURN: dict[str, float] = {"yaw": 3.0, "pitch": 2.0, "roll": 1.5}
"""Standard deviation in degrees of a resting pose around the video's own, cut at `POSE_LIMIT`."""

IDENTITY: dict[str, Range] = {
    "face_width": (0.92, 1.05),
    "face_length": (0.95, 1.06),
    "jaw_width": (0.74, 0.87),  # at the height of the mouth
    "chin_width": (0.24, 0.44),
    "brow_thickness": (0.030, 0.062),
    "brow_height": (-0.295, -0.275),  # less than a movement that counts as one (`cues`)
    "brow_arch": (0.02, 0.075),
    "brow_tilt": (-0.01, 0.01),  # positive: outer end lower
    "brow_inner": (0.15, 0.21),
    "eye_gap": (0.40, 0.455),  # centre of the eye to the middle of the face
    "eye_width": (0.195, 0.24),  # half the width
    "eye_open": (0.82, 1.12),  # relative height of the opening at rest
    "eye_tilt": (-0.03, 0.02),  # positive: outer corner lower
    "lid_crease": (0.0, 1.0),
    "nose_width": (0.13, 0.20),
    "nose_length": (0.46, 0.55),
    "nose_bridge": (0.5, 1.0),
    "mouth_width": (0.31, 0.39),  # half the width
    "mouth_height": (0.79, 0.85),
    "lip_upper": (0.045, 0.085),
    "lip_lower": (0.065, 0.110),
    "mouth_rest": (-0.015, 0.012),  # resting height of the corners, positive: lower
    "ear_size": (0.85, 1.15),
    "hairline": (-0.95, -0.72),
    "skin_hue": (-1.0, 1.0),
    "expressivity": (0.88, 1.12),
    "asymmetry": (-0.12, 0.12),
}
"""Identity field to (low, high), uniform."""

AGE_GROUPS: dict[str, Range] = {
    "18-29": (0.0, 0.08),
    "30-49": (0.1, 0.35),
    "50-69": (0.4, 0.7),
    "70+": (0.75, 1.0),
}
"""Age group to the range of its standing wrinkles in [0, 1]."""
AGE_YEARS: tuple[tuple[float, ...], tuple[float, ...]] = (
    (0.0, 0.08, 0.1, 0.35, 0.4, 0.7, 0.75, 1.0),
    (18.0, 29.0, 30.0, 49.0, 50.0, 69.0, 70.0, 90.0),
)
"""Standing wrinkles, and the age in years that they stand for; linear between, so that each group keeps its ages."""
AGE_SHARES: tuple[float, ...] = (0.35, 0.3, 0.2, 0.15)

HAIR_STYLES: dict[str, float] = {
    "short": 0.22,
    "parted": 0.16,
    "long": 0.2,
    "bob": 0.12,
    "curly": 0.14,
    "bun": 0.08,
    "scarf": 0.06,
    "bald": 0.08,
}
BEARDS: dict[str, float] = {
    "none": 0.68,
    "stubble": 0.12,
    "moustache": 0.05,
    "goatee": 0.06,
    "full": 0.09,
}
GLASSES: dict[str, float] = {"none": 0.75, "round": 0.13, "square": 0.12}

HAIR_COLOURS: tuple[tuple[int, int, int], ...] = (
    (28, 22, 20),
    (46, 32, 26),
    (74, 48, 32),
    (104, 70, 44),
    (150, 112, 66),
    (190, 154, 98),
    (132, 62, 34),
)
DARK_HAIR = 3
"""Skin tones above 5 take their hair from the first of these colours ..."""
DARK_IRIS = 3
"""... and their eyes from the first of those below."""
IRIS_COLOURS: tuple[tuple[int, int, int], ...] = (
    (66, 42, 26),
    (84, 56, 32),
    (96, 84, 48),
    (76, 104, 72),
    (78, 112, 142),
    (104, 124, 132),
)
MONK_SCALE: tuple[tuple[int, int, int], ...] = (
    (246, 237, 228),
    (243, 231, 219),
    (247, 234, 208),
    (234, 218, 186),
    (215, 189, 150),
    (160, 126, 86),
    (130, 92, 67),
    (96, 65, 52),
    (58, 49, 42),
    (41, 36, 32),
)
"""The ten colours of the Monk Skin Tone scale (Monk, 2019; skintone.google)."""
SKIN_EXPOSURE: tuple[float, ...] = (0.94, 0.95, 0.95, 0.97, 1.0, 1.05, 1.1, 1.2, 1.5, 1.65)
"""Gain on each of them: portraits are exposed for the face, so the ends of the scale move in."""
