"""Named, deterministic changes to what a model is shown."""

from harness.conditions.presentation import Presentation, read_presentation
from harness.conditions.registry import (
    CONDITIONS,
    describe_conditions,
    load_condition,
    needs_video,
)
from harness.conditions.sound import hears, sounded, wants_sound

__all__ = [
    "CONDITIONS",
    "Presentation",
    "describe_conditions",
    "hears",
    "load_condition",
    "needs_video",
    "read_presentation",
    "sounded",
    "wants_sound",
]
