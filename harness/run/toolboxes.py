"""The tools of a cell, bound to the pictures of each sample."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from harness.core.cell import Cell
from harness.core.condition import Condition
from harness.core.errors import MediaError
from harness.core.generation import Failure
from harness.core.medium import Medium
from harness.core.picture import Remembered
from harness.core.sample import Sample
from harness.core.tool import Toolbox
from harness.core.tools_asked import ToolsAsked, read_tools
from harness.media.video_file import opened
from harness.run.mix_pairing import Partners
from harness.tools import BoundTools, Donor, MediumFrames, load_tools


def needs_donors(cells: Iterable[Cell]) -> bool:
    """Whether a cell lies with another sample's findings."""
    asked = (read_tools(cell.tools) for cell in cells if cell.tools)
    return any(one is not None and one.needs_donor for one in asked)


class Toolboxes:
    """Binds toolboxes. Tools see every frame of a clip, and pictures in full size, as the condition of the cell changes
    them: a model under `blank` has tools that see grey."""

    def __init__(self, partners: Partners | None, *, seed: int) -> None:
        """`partners` say whose findings stand in where tools lie; None where none do."""
        self._partners = partners
        self._seed = seed

    def of(
        self, cell: Cell, sample: Sample, medium: Medium, condition: Condition
    ) -> tuple[Toolbox | None, Failure | None]:
        """The toolbox, or why there is none."""
        asked = read_tools(cell.tools)
        if asked is None:
            return None, None
        try:
            frames = MediumFrames(condition.apply(opened(medium)))
            donor = self._donor(asked, sample, condition)
        except MediaError as error:
            return None, Failure("media", f"{error.kind}: {error.message}")
        seed = f"{self._seed}\x1f{sample.id}"
        return BoundTools(load_tools(asked.names), asked, frames, donor, seed), None

    def _donor(self, asked: ToolsAsked, sample: Sample, condition: Condition) -> Donor | None:
        if not asked.needs_donor:
            return None
        found = None if self._partners is None else self._partners.of(sample.id)
        if found is None:
            raise MediaError(
                f"--tools {sample.id} needs a sample of another label and subject to replace {asked.written}, "
                f"and there is none",
                kind="unsupported",
            )
        called, medium = found
        held = replace(medium, frames=tuple(map(Remembered, medium.frames)))
        return Donor(called, MediumFrames(condition.apply(opened(held))))
