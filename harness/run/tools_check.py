"""Check that the tools of a cell fit its protocol and channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.conditions.mixture import mixes
from harness.conditions.registry import load_condition
from harness.core.cell import FREE, Cell
from harness.core.errors import HarnessError
from harness.core.marks import REGION, read_region
from harness.core.sample import Sample
from harness.core.tools_asked import NO_TOOLS, PERFECT, ToolsAsked, read_tools, spelled_tools
from harness.protocols.registry import uses_tools
from harness.tools.registry import load_tools

AGENT = "agent"
ONCE = "single"
GIVEN = "given"
"""The key of a protocol's settings under which the calls stand that are made unasked."""


OWN = "agent:own"


def protocol_with(protocol: str, tools: str, *, own_loop: bool = False) -> str:
    """The protocol of a cell: without tools one that uses tools asks once; with tools a prompt that is put once becomes
    an agent's. A model with a loop of its own (`own_loop`) makes the calls itself. Raises HarnessError for a protocol that
    asks otherwise."""
    if not tools:
        return ONCE if uses_tools(protocol) else protocol
    if own_loop and protocol in {ONCE, AGENT}:
        return OWN
    if own_loop and protocol.split(",", maxsplit=1)[0] != OWN:
        raise HarnessError(
            f"protocol {protocol} cannot be used with a model that makes its calls in a loop of its own",
            hint=f"leave --protocol out, or set limits: {OWN},turns=3",
        )
    if protocol == ONCE:
        return AGENT
    if not uses_tools(protocol):
        raise HarnessError(
            f"protocol {protocol} does not use tools, but --tools {tools} is set",
            hint=f"use --protocol {AGENT}, another prompt, or --tools {NO_TOOLS}",
        )
    return protocol


def offered_tools(written: Sequence[str], protocol: str | None) -> tuple[str, ...]:
    """The tools of a run in their one spelling, each once. Raises HarnessError for what is none, and where the `protocol`
    that was asked for uses tools and there are none, or uses none and there are some everywhere."""
    tools = tuple(dict.fromkeys(map(spelled_tools, written)))
    if protocol == ONCE and tools and all(tools):
        raise HarnessError(
            f"--protocol {ONCE} uses no tools, but --tools {tools[0]} is set",
            hint=f"leave --protocol out (with tools it is {AGENT}), or use --tools {NO_TOOLS}",
        )
    if protocol is not None and uses_tools(protocol) and not any(tools):
        raise HarnessError(
            f"--protocol {protocol} needs tools, but none are set",
            hint="name some, such as --tools zoom+measure (`harness list tools`)",
        )
    return tools


def check_tools(cell: Cell, settings: Mapping[str, Any]) -> None:
    """Raise HarnessError where the channel leaves no room for calls, and where a call that is made unasked is of no tool
    of the cell. `settings` were read, so the tools exist."""
    asked = read_tools(cell.tools) if cell.tools else None
    if asked is not None and asked.needs_region and not _takes_a_box(asked):
        raise HarnessError(
            f"--tools {asked.written}: none of these tools takes a box, so there is no box to make perfect",
            hint=f"name one that does, such as zoom:{PERFECT}",
        )
    calling = GIVEN not in settings.get("protocol", {})
    if settings and calling and cell.channel != FREE:
        raise HarnessError(
            f"--channel {cell.channel} constrains each reply to the answer, so the tools of --tools {cell.tools} cannot be called",
            hint="use --channel free with tools",
        )
    for name, _ in settings.get("protocol", {}).get(GIVEN, ()):
        if name not in settings["versions"]:
            raise HarnessError(
                f"protocol {cell.protocol}: {name} is not among the tools of --tools {cell.tools}",
                hint=f"name it there too: --tools {'+'.join((*settings['versions'], name))}",
            )


def check_regions(cell: Cell, samples: Iterable[Sample]) -> None:
    """Raise HarnessError where the tools of a cell show the true region, and no sample of its task has one or the condition
    changes the picture in which it lies."""
    asked = read_tools(cell.tools) if cell.tools else None
    if asked is None or not asked.needs_region:
        return
    first = next((s for s in samples if read_region(s.annotations.get(REGION))), None)
    if first is None:
        raise HarnessError(
            f"--tools {asked.written}: no sample of {cell.task} has the annotation `{REGION}`, which says where the answer "
            "is to be seen",
            hint=f"add a column `{REGION}` (left top right bottom, from 0 to 1 of the picture), or leave :{PERFECT} out",
        )
    if _moves(cell.condition, first):
        raise HarnessError(
            f"--tools {asked.written} shows the region of the picture as it is, and the condition {cell.condition} changes "
            "the picture",
            hint=f"use --condition none, leave :{PERFECT} out, or leave these cells out: --exclude "
            f"tools={asked.written},condition={cell.condition}",
        )


def _moves(condition: str, sample: Sample) -> bool:
    """Whether what is annotated of a sample's picture no longer holds under a condition, as toolboxes judge it."""
    from harness.tools.frames import MediumFrames

    shown = load_condition(condition)
    try:
        return mixes(shown) or not MediumFrames(shown.apply(sample.medium)).in_place
    except HarnessError:  # such as a picture that cannot be read, which fails its sample alone
        return False


def _takes_a_box(asked: ToolsAsked) -> bool:
    from harness.tools.toolbox import takes_box

    return any(map(takes_box, load_tools(asked.names)))
