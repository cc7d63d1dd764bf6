"""Tools by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.core.errors import HarnessError
from harness.core.registry import Listed, Registry
from harness.core.tool import Tool

TOOLS = Registry(
    "tool",
    "harness.tools",
    {
        "contrast": "harness.tools.contrast:CONTRAST",
        "facs": "harness.tools.facs:FACS",
        "flow": "harness.tools.motion:FLOW",
        "frame": "harness.tools.frame:FRAME",
        "head_pose": "harness.tools.head_pose:HEAD_POSE",
        "landmarks": "harness.tools.landmarks:LANDMARKS",
        "magnify": "harness.tools.motion:MAGNIFY",
        "measure": "harness.tools.measure:MEASURE",
        "second_opinion": "harness.tools.second_opinion:SECOND_OPINION",
        "zoom": "harness.tools.zoom:ZOOM",
    },
    expects=(Tool,),
)
"""Name -> a Tool."""


def load_tools(names: Sequence[str]) -> tuple[Tool, ...]:
    """The tools of these names, in their order. Raises HarnessError for an unknown one, listing those there are."""
    return tuple(_tool(name) for name in names)


def _tool(name: str) -> Tool:
    found: Tool = TOOLS.load(name)
    if found.name != name:
        raise HarnessError(
            f"{TOOLS.entry(name)} is a tool called {found.name!r}",
            hint=f"register it under {found.name!r}, or call it {name!r}",
        )
    return found


def describe_tools() -> Iterator[Listed]:
    """Each tool with its arguments and one line, sorted."""
    for one in TOOLS.listed():
        if one.broken:
            yield one
            continue
        taken = ", ".join(_tool(one.name).arguments.model_fields)
        yield Listed(f"{one.name}({taken})", one.line, one.package)
