"""How a sample becomes an answer."""

from harness.protocols.registry import PROTOCOLS, is_family, load_protocol
from harness.protocols.steps import count_requests, take_step

__all__ = ["PROTOCOLS", "count_requests", "is_family", "load_protocol", "take_step"]
