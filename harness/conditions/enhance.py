"""Enhance every picture: `enhance:clahe`, mostly behind a degradation (`degrade:dark=3/enhance:clahe`).

The name is a method of this package, or an endpoint of `harness.toml`: `enhance:gfpgan`. A condition of the second kind
shows nothing until it is given what asks the endpoint (`asking`), which only a run does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.conditions.chain import Chain, parts_of
from harness.conditions.family import Worded
from harness.conditions.joined import Joined
from harness.core.condition import Condition
from harness.core.enhancer import ENDPOINT_NAME, METHODS, PREFIX, Enhancer
from harness.core.errors import HarnessError, MediaError
from harness.core.medium import Medium
from harness.core.picture import Picture
from harness.media.decode import open_picture
from harness.media.enhance import ENHANCEMENTS, TIMES
from harness.media.transforms import RESIZED, encode_png, transformed

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


@dataclass(frozen=True, slots=True)
class EnhancedByEndpoint:
    """Every picture, and every picture of few-shot examples, enhanced by an endpoint of `harness.toml`."""

    name: str
    endpoint: str
    """Its name in `harness.toml`."""
    by: Enhancer | None = None
    """What asks it; None where nothing may be asked."""
    in_place: bool = True

    @property
    def description(self) -> str:
        """One line for lists."""
        return f"enhanced by the endpoint {self.endpoint} of harness.toml"

    def apply(self, medium: Medium) -> Medium:
        """The medium, enhanced when it is read."""
        frames = tuple(_Sent(frame, self.name, self.by) for frame in medium.frames)
        return replace(medium, frames=frames, changes=(*medium.changes, self.name))


@dataclass(frozen=True, slots=True)
class _Sent:
    """A picture that an endpoint enhances when it is read."""

    picture: Picture
    transform: str
    by: Enhancer | None

    @property
    def name(self) -> str:
        return f"{self.picture.name} ({self.transform})"

    def read(self) -> bytes:
        """Raises MediaError where the original cannot be used, and where it is not enhanced."""
        png = encode_png(open_picture(self.picture))
        if self.by is None:
            raise MediaError(
                f"{self.transform} is done by an endpoint, which only a run asks",
                kind="unenhanced",
                hint="see it in the run: harness run ... --limit 1",
            )
        return self.by.enhanced(png, name=self.picture.name)


def _enhanced(name: str, method: str) -> Condition:
    """The condition that `enhance:NAME` names; whether `harness.toml` has an endpoint of that name, who runs it looks
    up. Raises HarnessError."""
    if method in METHODS:
        return Enhanced(name, method)
    if not ENDPOINT_NAME.fullmatch(method):
        raise HarnessError(
            f"condition {name}: unknown enhancement {method!r}",
            hint=f"write {FORM} with one of {', '.join(METHODS)}, or an endpoint of harness.toml",
        )
    return EnhancedByEndpoint(name, method)


ENHANCE = Worded(
    "enhance",
    FORM,
    f"pictures repaired, mostly behind a degradation: degrade:dark=3/enhance:clahe ({', '.join(METHODS)}, or an "
    "endpoint of harness.toml)",
    _enhanced,
)


def endpoints_of(condition: str) -> tuple[str, ...]:
    """The endpoints that the name of a condition names, each once."""
    named = (part.removeprefix(PREFIX) for part in parts_of(condition) if part.startswith(PREFIX))
    return tuple(dict.fromkeys(name for name in named if name not in METHODS))


def asking(condition: Condition, enhancers: Mapping[str, Enhancer]) -> Condition:
    """The condition with what asks its endpoints, of those that `enhancers` has."""
    if isinstance(condition, EnhancedByEndpoint):
        return replace(condition, by=enhancers.get(condition.endpoint))
    if isinstance(condition, Joined | Chain):
        return replace(condition, parts=tuple(asking(one, enhancers) for one in condition.parts))
    return condition
