"""Protocols by name."""

from __future__ import annotations

from harness.core.protocol import AnswerProtocol
from harness.core.registry import Registry

PROTOCOLS = Registry(
    "protocol",
    "harness.protocols",
    {
        "single": "harness.protocols.single:SINGLE",
        "describe-then-answer": "harness.protocols.describe:DESCRIBE_THEN_ANSWER",
    },
    expects=(AnswerProtocol,),
)


def load_protocol(name: str) -> AnswerProtocol:
    """The protocol of that name. Raises HarnessError listing the names there are."""
    protocol: AnswerProtocol = PROTOCOLS.load(name)
    return protocol
