"""Enhance every picture: `enhance:clahe`, mostly behind a degradation (`degrade:dark=3/enhance:clahe`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.conditions.family import Worded
from harness.core.errors import HarnessError
from harness.core.medium import Medium
from harness.media.enhance import ENHANCEMENTS, TIMES
from harness.media.transforms import RESIZED, transformed

FORM = "enhance:NAME"
ENLARGING = "lanczos"
_LINES = {
    "lanczos": f"{TIMES} times as many pixels a side by Lanczos interpolation; the task's own size is not applied then",
    "clahe": "contrast-limited adaptive histogram equalisation of the lightness (OpenCV)",
    "unsharp": "unsharp masking",
    "wiener": "a Gaussian blur undone by a Wiener filter",
}


@dataclass(frozen=True, slots=True)
class Enhanced:
    """Every picture, and every picture of few-shot examples, enhanced by a method of this package."""

    name: str
    method: str

    @property
    def description(self) -> str:
        """One line for lists."""
        return _LINES[self.method]

    @property
    def in_place(self) -> bool:
        """Whether the face stays where it is, in pixels."""
        return self.method != ENLARGING

    def apply(self, medium: Medium) -> Medium:
        """The medium, enhanced when it is read."""
        seen = transformed(medium, transform=self.name, change=ENHANCEMENTS[self.method])
        if self.in_place:
            return seen
        return replace(seen, changes=(*seen.changes, f"{RESIZED}{TIMES}-times"))


def _enhanced(name: str, method: str) -> Enhanced:
    """The condition that `enhance:NAME` names. Raises HarnessError."""
    if method not in ENHANCEMENTS:
        raise HarnessError(
            f"condition {name}: unknown enhancement {method!r}",
            hint=f"write {FORM} with one of {', '.join(ENHANCEMENTS)}",
        )
    return Enhanced(name, method)


ENHANCE = Worded(
    "enhance",
    FORM,
    f"pictures repaired, mostly behind a degradation: degrade:dark=3/enhance:clahe ({', '.join(ENHANCEMENTS)})",
    _enhanced,
)
