"""How a sample becomes an answer."""

from harness.protocols.registry import PROTOCOLS, load_protocol

__all__ = ["PROTOCOLS", "load_protocol"]
