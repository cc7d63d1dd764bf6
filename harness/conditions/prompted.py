"""A change of the prompt, as a condition: it stands behind the condition whose pictures are shown, and leaves them be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.core.condition import Condition, takes_whole_clip, variables_of
from harness.core.medium import Medium


@dataclass(frozen=True, slots=True)
class Prompted:
    """A condition's pictures, and a prompt changed: another label order, or worked examples first."""

    name: str
    shown: Condition
    change: str
    """What is done to the prompt, in a few words."""

    @property
    def description(self) -> str:
        """One line for lists."""
        return f"{self.change}; pictures: {getattr(self.shown, 'description', self.shown.name)}"

    @property
    def whole_clip(self) -> bool:
        """As the condition of the pictures has it."""
        return takes_whole_clip(self.shown)

    @property
    def variables(self) -> Mapping[str, str]:
        """As the condition of the pictures has them."""
        return variables_of(self.shown)

    def apply(self, medium: Medium) -> Medium:
        """The pictures alone."""
        return self.shown.apply(medium)
