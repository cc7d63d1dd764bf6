"""The tools of a cell, bound to the pictures of each sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from harness.conditions.sound import sounded
from harness.core.cell import Cell
from harness.core.condition import Condition
from harness.core.errors import MediaError
from harness.core.generation import Failure
from harness.core.marks import REGION, Box, read_region
from harness.core.medium import Medium
from harness.core.message import Message, Role, Text
from harness.core.picture import Remembered
from harness.core.prompt import Rendering
from harness.core.protocol import Ask, UsingTools
from harness.core.sample import Sample
from harness.core.tool import Call, NoTools, Observation, Toolbox
from harness.core.tools_asked import ToolsAsked, read_tools
from harness.media.video_file import opened
from harness.protocols.registry import load_protocol
from harness.run.mix_pairing import Partners
from harness.run.tools_check import OWN
from harness.tools.frames import MediumFrames
from harness.tools.registry import load_tools

if TYPE_CHECKING:
    from harness.tools.toolbox import Donor


def needs_donors(cells: Iterable[Cell]) -> bool:
    """Whether a cell lies with another sample's findings."""
    asked = (read_tools(cell.tools) for cell in cells if cell.tools)
    return any(one is not None and one.needs_donor for one in asked)


def turns_with_tools(
    turns: Sequence[tuple[str, str]], tools: str, protocol: str
) -> Sequence[tuple[str, str]]:
    """Role and text of the turns of a first request, with what the protocol says of the tools. Raises HarnessError."""
    asked, found = read_tools(tools), load_protocol(protocol)
    if asked is None or not isinstance(found, UsingTools):
        return turns
    from harness.tools.toolbox import offer

    offered = NoTools([offer(tool) for tool in load_tools(asked.names)])
    roles: Mapping[str, Role] = {"system": "system", "assistant": "assistant"}
    messages = tuple(Message(roles.get(role, "user"), (Text(text),)) for role, text in turns)
    step = found.bound(offered).step(lambda _: Rendering(messages, None), ())
    return [(m.role, m.text) for m in step.messages] if isinstance(step, Ask) else turns


def frames_under(medium: Medium, condition: Condition) -> MediumFrames:
    """What tools see: every frame of a clip, and pictures in full size, as the condition changes them. Raises MediaError."""
    return MediumFrames(condition.apply(opened(sounded(medium, condition))))


@dataclass(slots=True)
class TimedToolbox:
    """A toolbox that counts how long its tools work. What they give is the same."""

    inner: Toolbox
    seconds: float = 0.0

    @property
    def offered(self) -> Sequence[Mapping[str, Any]]:
        """Those of the toolbox."""
        return self.inner.offered

    @property
    def digest(self) -> str:
        """That of the toolbox."""
        return self.inner.digest

    def use(self, call: Call, *, side: int) -> Observation:
        """What the toolbox gives."""
        start = perf_counter()
        try:
            return self.inner.use(call, side=side)
        finally:
            self.seconds += perf_counter() - start


class Toolboxes:
    """Binds toolboxes to what tools see (`frames_under`): a model under `blank` has tools that see grey."""

    def __init__(self, partners: Partners | None, *, seed: int) -> None:
        """`partners` say whose findings stand in where tools lie; None where none do."""
        self._partners = partners
        self._seed = seed

    def of(
        self,
        cell: Cell,
        sample: Sample,
        medium: Medium,
        condition: Condition,
        *,
        question: Callable[[Medium], tuple[Message, ...]] | None = None,
    ) -> tuple[Toolbox | None, Failure | None]:
        """The toolbox, or why there is none. `question` is the prompt of the cell over another medium."""
        asked = read_tools(cell.tools)
        if asked is None:
            return None, None
        from harness.tools.toolbox import BoundTools

        try:
            frames = frames_under(medium, condition)
            donor = self._donor(asked, sample, condition, question)
            seed = f"{self._seed}\x1f{sample.id}"
            region = true_region(asked, sample, frames)
            box = BoundTools(
                load_tools(asked.names), asked, frames, donor, seed=seed, region=region
            )
            if cell.protocol.startswith(OWN):  # its key needs every picture that tools may show
                _ = box.digest
        except MediaError as error:
            return None, Failure("media", f"{error.kind}: {error.message}")
        return box, None

    def _donor(
        self,
        asked: ToolsAsked,
        sample: Sample,
        condition: Condition,
        question: Callable[[Medium], tuple[Message, ...]] | None,
    ) -> Donor | None:
        if not asked.needs_donor:
            return None
        found = None if self._partners is None else self._partners.of(sample.id)
        if found is None:
            raise MediaError(
                f"--tools {asked.written} needs a sample of another label and subject in place of {sample.id}, "
                "and there is none",
                kind="unsupported",
            )
        from harness.tools.toolbox import Donor

        called, medium = found
        held = replace(medium, frames=tuple(map(Remembered, medium.frames)))
        ask = None if question is None else partial(question, held)
        return Donor(called, frames_under(held, condition), ask)


def true_region(asked: ToolsAsked, sample: Sample, frames: MediumFrames) -> Box | None:
    """The true region of tools that are perfect; None for others. Raises MediaError where nothing says where it lies."""
    if not asked.needs_region:
        return None
    found = read_region(sample.annotations.get(REGION))
    if found is None:
        raise MediaError(
            f"--tools {asked.written} needs the annotation `{REGION}` (left top right bottom, from 0 to 1 of the picture), and "
            f"{sample.id} has none",
            kind="unsupported",
        )
    if not frames.in_place:
        raise MediaError(
            f"--tools {asked.written} needs pictures as they are: a condition moved what the annotation `{REGION}` means",
            kind="unsupported",
        )
    return found
