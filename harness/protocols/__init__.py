"""Protocols: how a sample becomes an answer."""

from harness.protocols.registry import PROTOCOLS, is_family, load_protocol, uses_tools
from harness.protocols.steps import count_requests, take_step

__all__ = ["PROTOCOLS", "count_requests", "is_family", "load_protocol", "take_step", "uses_tools"]
