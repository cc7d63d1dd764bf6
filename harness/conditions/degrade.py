"""Degrade every picture by a severity of 1 to 5: `degrade:blur=3`; severity 0 leaves the bytes as they are.

What each severity means, and whose parameters these are, stands in `harness.media.degrade`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from harness.conditions.chain import SIGN
from harness.conditions.family import Worded
from harness.core.errors import HarnessError
from harness.core.medium import Medium
from harness.core.picture import Picture
from harness.media.decode import open_picture
from harness.media.degrade import DEGRADATIONS, SEVERITIES, Chance, Degrade, digest_of
from harness.media.marks import marks_of
from harness.media.occlude import WORN, clothes, put_on
from harness.media.transforms import transformed

if TYPE_CHECKING:
    from PIL import Image

PREFIX = "degrade:"
ENHANCE = "enhance:"
"""What the names of repairs begin with (`harness.conditions.enhance`)."""
FORM = "degrade:KIND=SEVERITY"
OCCLUDE = "occlude"
KINDS = (*DEGRADATIONS, OCCLUDE)
EVERY = "all"
"""As a kind: each of KINDS; as a severity: 1 to 5. See `expanded`."""
_WRITTEN = re.compile(r"degrade:([a-z-]+)=([0-9])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Degraded:
    """Every picture degraded; the frames of a clip in the same way, with noise of their own."""

    name: str
    kind: str
    severity: int
    sample_alone: bool = True
    in_place: bool = True

    @property
    def description(self) -> str:
        """One line for lists."""
        return f"{self.kind} at severity {self.severity} of {SEVERITIES}"

    def apply(self, medium: Medium) -> Medium:
        """Raises MediaError for `occlude` where nothing says where the face lies."""
        if not self.severity or not medium.frames:
            return medium
        if self.kind == OCCLUDE:
            worn = clothes(marks_of(medium, wanted_by=self.name), self.severity)
            told = f"{self.name}-{'-and-'.join(WORN[self.severity - 1])}"
            return transformed(medium, transform=told, change=partial(put_on, worn=worn))
        change = _Change(DEGRADATIONS[self.kind], self.severity, medium.frames[0])
        return transformed(medium, transform=self.name, change=change)


class _Change:
    """A degradation whose chance comes from the first frame and from the frame itself."""

    def __init__(self, degrade: Degrade, severity: int, first: Picture) -> None:
        self._degrade, self._severity, self._first = degrade, severity, first

    def __call__(self, image: Image.Image) -> Image.Image:
        own = digest_of(image)
        return self._degrade(image, self._severity, Chance(self._shared, own))

    @cached_property
    def _shared(self) -> bytes:
        return digest_of(open_picture(self._first))


def _degraded(name: str, words: str) -> Degraded:
    """The condition that `degrade:KIND=SEVERITY` names. Raises HarnessError."""
    kind, _, severity = words.partition("=")
    if kind not in (*KINDS, EVERY):
        raise HarnessError(
            f"condition {name}: unknown degradation {kind!r}",
            hint=f"write {FORM} with one of {', '.join(KINDS)}",
        )
    if EVERY in (kind, severity):
        raise HarnessError(
            f"condition {name} stands for several conditions",
            hint="it can be used with `harness run` and `harness plan`; here, name one, such as "
            f"{PREFIX}blur=3",
        )
    if not re.fullmatch(f"[0-{SEVERITIES}]", severity, re.ASCII):
        raise HarnessError(
            f"condition {name}: {severity!r} is not a severity",
            hint=f"write {PREFIX}{kind}=S with a whole number from 1 to {SEVERITIES}; 0 changes nothing, and "
            f"{PREFIX}{kind}={EVERY} stands for 1 to {SEVERITIES}",
        )
    return Degraded(name, kind, int(severity))


DEGRADE = Worded(
    "degrade",
    FORM,
    f"pictures made worse by a severity of 1 to {SEVERITIES}: degrade:blur=3 ({', '.join(KINDS)}); degrade:blur=all is "
    "every severity",
    _degraded,
)


def expanded(name: str) -> tuple[str, ...]:
    """`degrade:blur=all` as its severities, `degrade:all=3` as every kind, in a chain with what follows; any other
    name as it is."""
    first, slash, rest = name.partition(SIGN)
    kind, equals, severity = first.removeprefix(PREFIX).partition("=")
    if not first.startswith(PREFIX) or not equals or EVERY not in (kind, severity):
        return (name,)
    kinds = KINDS if kind == EVERY else (kind,)
    steps = range(1, SEVERITIES + 1) if severity == EVERY else (severity,)
    return tuple(f"{PREFIX}{k}={s}{slash}{rest}" for k in kinds for s in steps)


@dataclass(frozen=True, slots=True)
class Degradation:
    """The name of a condition that degrades, taken apart."""

    kind: str
    severity: int
    clean: str
    """The condition without the degradation and its repair: `none`, or what else is shown (`apex`)."""
    repair: str = ""
    """What is done after it to repair it: `enhance:clahe`; `none`, which repairs nothing; empty."""

    @property
    def unrepaired(self) -> Degradation:
        """The same degradation without its repair."""
        return replace(self, repair="")

    @property
    def family(self) -> Degradation:
        """What the severities of one curve have in common."""
        return replace(self, severity=0)


def degradation_of(condition: str) -> Degradation | None:
    """Read off the name of a condition that degrades once, alone or in a chain; None for any other."""
    parts = condition.split(SIGN)
    found = [
        (place, match) for place, part in enumerate(parts) if (match := _WRITTEN.fullmatch(part))
    ]
    if len(found) != 1 or "+" in condition:
        return None
    place, match = found[0]
    behind = parts[place + 1 :]
    repair = [part for part in behind if part.startswith(ENHANCE) or part == "none"]
    clean = [*parts[:place], *(part for part in behind if part not in repair)]
    if match[1] not in KINDS or int(match[2]) > SEVERITIES:
        return None
    return Degradation(match[1], int(match[2]), SIGN.join(clean) or "none", SIGN.join(repair))
