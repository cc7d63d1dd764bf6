"""Several conditions in sequence: `onset-apex-offset+optical-flow` shows the pictures of one, then of the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.core.condition import Condition, variables_of
from harness.core.medium import Medium


@dataclass(frozen=True, slots=True)
class Joined:
    """Each part is applied to the whole clip by itself; their pictures follow each other."""

    name: str
    parts: tuple[Condition, ...]
    whole_clip: bool = True

    @property
    def description(self) -> str:
        return "; then ".join(str(getattr(part, "description", part.name)) for part in self.parts)

    @property
    def variables(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        told = [variables_of(part) for part in self.parts]
        for variables in told:
            found.update(variables)
        texts = [str(getattr(part, "text", own.get("shown", part.name)))
                 for part, own in zip(self.parts, told, strict=True)]  # fmt: skip
        return {**found, "shown": " Then: ".join(texts)}

    def apply(self, medium: Medium) -> Medium:
        shown = [part.apply(medium) for part in self.parts]
        changes = [change for part in shown for change in part.changes[len(medium.changes) :]]
        return replace(
            medium,
            frames=tuple(frame for part in shown for frame in part.frames),
            indices=tuple(index for part in shown for index in part.indices),
            changes=(*medium.changes, *changes),
        )
