"""Tools that a model may use before it answers: one a file, found by name."""

from harness.tools.frames import MediumFrames
from harness.tools.registry import TOOLS, describe_tools, load_tools
from harness.tools.toolbox import TOOLBOX_VERSION, BoundTools, Donor, offer, takes_box

__all__ = [
    "TOOLBOX_VERSION",
    "TOOLS",
    "BoundTools",
    "Donor",
    "MediumFrames",
    "describe_tools",
    "load_tools",
    "offer",
    "takes_box",
]
