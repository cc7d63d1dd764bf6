"""Protocols by name."""

from __future__ import annotations

import re

from harness.core.errors import HarnessError
from harness.core.protocol import AnswerProtocol
from harness.core.registry import Registry, call
from harness.protocols.family import ProtocolFamily

PROTOCOLS = Registry(
    "protocol",
    "harness.protocols",
    {
        "single": "harness.protocols.single:SINGLE",
        "describe-then-answer": "harness.protocols.describe:DESCRIBE_THEN_ANSWER",
        "vote-N": "harness.protocols.vote:VOTE",
    },
    expects=(AnswerProtocol, ProtocolFamily),
)
"""Name -> an AnswerProtocol; a name that ends in `-N` -> a ProtocolFamily, one for each number."""

_NUMBERED = re.compile(r"(.+)-([0-9]{1,4})", re.ASCII)


def load_protocol(name: str) -> AnswerProtocol:
    """The protocol of that name: registered, or one of a family (`vote-5`).

    Raises HarnessError listing the names there are, and for a number that does not suit.
    """
    numbered = _NUMBERED.fullmatch(name)
    if numbered and is_family(numbered[1]):
        family: ProtocolFamily = PROTOCOLS.load(f"{numbered[1]}-N")
        family.check(name, int(numbered[2]))
        entry = PROTOCOLS.entry(family.name)
        made: AnswerProtocol = call(
            entry, family.make, name, int(numbered[2]), expects=AnswerProtocol
        )
        return made
    if is_family(name.removesuffix("-N")):
        family = PROTOCOLS.load(f"{name.removesuffix('-N')}-N")
        raise HarnessError(
            f"protocol {name}: the number is missing",
            hint=f"write {family.name.removesuffix('N')}5, with N from {family.least} to {family.most}; for `harness run` and "
            f"`harness plan` also --protocol {name.removesuffix('-N')} --repeats 5",
        )
    protocol: AnswerProtocol = PROTOCOLS.load(name)
    return protocol


def is_family(name: str) -> bool:
    """Whether `NAME-5` names a protocol: `vote`."""
    return f"{name}-N" in PROTOCOLS.names()
