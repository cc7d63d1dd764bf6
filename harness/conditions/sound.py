"""Conditions of samples that have sound: what is heard alone, what is seen alone, or both.

Without one of these sound is not sent: `none` shows pictures alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.core.condition import Condition
from harness.core.errors import MediaError
from harness.core.medium import Medium
from harness.media.sound import sound_beside


@dataclass(frozen=True, slots=True)
class Sensed:
    """Hearing, seeing, or both. Raises MediaError for a sample without sound, where it would change nothing."""

    name: str
    description: str
    sees: bool
    hears: bool
    wants_sound: bool = True
    in_place: bool = True

    @property
    def variables(self) -> Mapping[str, str]:
        if not self.sees:
            return {"shown": "This is a recording; listen to it."}
        return {"shown": "This is a clip with its sound."} if self.hears else {}

    def apply(self, medium: Medium) -> Medium:
        if medium.sound is None:
            raise MediaError(
                f"{medium.frames[0].name if medium.frames else 'the sample'} has no sound",
                kind="unsupported",
                hint="lay a WAV beside it (NAME.wav), or use --condition none",
            )
        found = replace(medium, heard=self.hears, changes=(*medium.changes, self.name))
        return found if self.sees else replace(found, frames=(), indices=())


AUDIO = Sensed("audio", "the sound of a clip alone, for models that hear", sees=False, hears=True)
PICTURE = Sensed(
    "picture", "the pictures of a clip that has sound, without it", sees=True, hears=False
)
BOTH = Sensed("both", "the pictures of a clip, then its sound", sees=True, hears=True)


def hears(condition: Condition) -> bool:
    """Whether a condition sends the sound of samples."""
    return bool(getattr(condition, "hears", False))


def wants_sound(condition: Condition) -> bool:
    """Whether a condition is about the sound of samples, which is then looked for."""
    return bool(getattr(condition, "wants_sound", False))


def sounded(medium: Medium, condition: Condition) -> Medium:
    """The medium with the sound that lies beside it, where the condition is about sound and its source names none."""
    if not wants_sound(condition) or medium.sound is not None:
        return medium
    return replace(medium, sound=sound_beside(medium))
