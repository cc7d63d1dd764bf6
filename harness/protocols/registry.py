"""Protocols by name."""

from __future__ import annotations

import re

from harness.core.errors import HarnessError
from harness.core.protocol import AnswerProtocol, UsingTools, Worded
from harness.core.registry import Registry, call
from harness.protocols.family import ProtocolFamily

PROTOCOLS = Registry(
    "protocol",
    "harness.protocols",
    {
        "agent": "harness.protocols.agent:AGENT",
        "given": "harness.protocols.given:GIVEN",
        "single": "harness.protocols.single:SINGLE",
        "describe-then-answer": "harness.protocols.describe:DESCRIBE_THEN_ANSWER",
        "vote-N": "harness.protocols.vote:VOTE",
    },
    expects=(AnswerProtocol, ProtocolFamily),
)
"""Name -> an AnswerProtocol; a name that ends in `-N` -> a ProtocolFamily, one for each number."""

_NUMBERED = re.compile(r"(.+)-([0-9]{1,4})", re.ASCII)


def load_protocol(name: str) -> AnswerProtocol:
    """The protocol of that name: registered, one of a family (`vote-5`), or one with settings (`agent:react`).

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
    head, colon, words = name.partition(":")
    bare, comma, settings = head.partition(",")
    if comma and bare in PROTOCOLS.names() and isinstance(PROTOCOLS.load(bare), Worded):
        raise HarnessError(
            f"protocol {name}: settings stand behind a colon", hint=f"write {bare}:{settings}"
        )
    protocol: AnswerProtocol = PROTOCOLS.load(head if colon else name)
    if not colon:
        return protocol
    if not isinstance(protocol, Worded):
        raise HarnessError(f"protocol {name}: {head} takes no settings", hint=f"write {head}")
    worded: AnswerProtocol = call(
        PROTOCOLS.entry(head), protocol.with_words, name, words, expects=AnswerProtocol
    )
    return worded


def uses_tools(name: str) -> bool:
    """Whether the protocol of that name carries out calls of tools. Raises HarnessError for an unknown one."""
    return isinstance(load_protocol(name), UsingTools)


def is_family(name: str) -> bool:
    """Whether `NAME-5` names a protocol: `vote`."""
    return f"{name}-N" in PROTOCOLS.names()
