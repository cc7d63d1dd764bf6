"""The fields of a cue report: cues, judgement, and stated reliance.

After the design of "Reading Smiles" (arXiv 2506.19079), whose schema is not public: this one is the
project's own, and versioned.
"""

from __future__ import annotations

from collections.abc import Collection

SCHEMA = 1

CUES: tuple[str, ...] = (
    "eyebrows", "eyes", "forehead", "nose", "cheeks", "mouth", "teeth_visible", "gaze", "head_pose",
)  # fmt: skip
EMOTION = "emotion"
NUMBERS: tuple[str, ...] = ("valence", "arousal")
_RELIANCE = "reliance_"


def cues_of(fields: Collection[str]) -> tuple[str, ...]:
    """Those of a task's fields that are cues."""
    return tuple(cue for cue in CUES if cue in fields)


def reliance_field(cue: str) -> str:
    """The field in which a model says how much its judgement rests on the cue."""
    return _RELIANCE + cue
