"""Change one cue of a drawn face, everything else equal: `cue:teeth_visible=yes`.

Two runs that differ in this condition alone show what the cue causes; see `harness.cues`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.conditions.family import Worded
from harness.core.errors import HarnessError, MediaError
from harness.core.medium import Medium
from harness.core.picture import Picture, Redrawable, Remembered

PREFIX = "cue:"
FORM = "cue:NAME=VALUE"


@dataclass(frozen=True, slots=True)
class WithCue:
    """Every picture drawn again with the cue set to the value."""

    name: str
    cue: str
    value: str
    sample_alone: bool = True
    in_place: bool = True

    @property
    def description(self) -> str:
        """One line for lists."""
        return f"drawn faces with {self.cue} set to {self.value}, everything else equal"

    def apply(self, medium: Medium) -> Medium:
        """The changed pictures; one that was not drawn fails when it is read."""
        frames = tuple(self._changed(frame) for frame in medium.frames)
        return replace(medium, frames=frames, changes=(*medium.changes, self.name))

    def _changed(self, picture: Picture) -> Picture:
        origin = picture.origin if isinstance(picture, Remembered) else picture
        if isinstance(origin, Redrawable):
            return origin.with_cue(self.cue, self.value)
        return Undrawn(picture.name, self.name)


@dataclass(frozen=True, slots=True)
class Undrawn:
    """Stands for a picture that cannot be drawn again, since it was never drawn."""

    name: str
    condition: str

    def read(self) -> bytes:
        raise MediaError(
            f"{self.name} is not a drawn face, so {self.condition} cannot change it",
            kind="unsupported",
            hint="use this condition on tasks with drawn faces (faces/...)",
        )


def _cue(name: str, words: str) -> WithCue:
    """The condition that `cue:NAME=VALUE` names. Raises HarnessError for an unknown cue or value."""
    # Imported here: the renderer is a tenth of the start-up of runs that draw nothing.
    from harness.faces.intervention import INTERVENTIONS, REFUSED

    cue, equals, value = words.partition("=")
    if not equals or cue not in INTERVENTIONS:
        why = f" ({REFUSED[cue]})" if cue in REFUSED else ""
        raise HarnessError(
            f"condition {name}: cue {cue!r} cannot be changed{why}",
            hint=f"write {FORM}, with one of {', '.join(INTERVENTIONS)}",
        )
    if value not in INTERVENTIONS[cue].values:
        raise HarnessError(
            f"condition {name}: {cue} cannot be {value!r}",
            hint=f"use one of {', '.join(INTERVENTIONS[cue].values)}",
        )
    return WithCue(name, cue, value)


CUE = Worded(
    "cue",
    FORM,
    "one cue of a drawn face changed, everything else equal: cue:teeth_visible=yes",
    _cue,
)
