"""Protocols: how a sample becomes an answer."""

from harness.protocols.calls import outside_calls
from harness.protocols.registry import PROTOCOLS, is_family, load_protocol, uses_tools
from harness.protocols.steps import count_requests, take_step
from harness.protocols.ways import closings

__all__ = [
    "PROTOCOLS",
    "closings",
    "count_requests",
    "is_family",
    "load_protocol",
    "outside_calls",
    "take_step",
    "uses_tools",
]
