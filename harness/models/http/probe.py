"""Probe which constraints a server enforces, with constraints that no free reply would satisfy."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from harness.answers.constraints import obeys
from harness.core.constraint import Constraint, ConstraintKind
from harness.core.errors import HarnessError
from harness.core.generation import ErrorKind, Generation
from harness.core.message import Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.http.completion import Completion
from harness.models.http.constraint_dialects import bare, spell, spellings

Put: TypeAlias = Callable[[Request, Mapping[str, Any]], Awaitable[Completion | Generation]]
"""Posts a request with something added to its body; a failed Generation where that brought no reply."""

SILENT: frozenset[ErrorKind] = frozenset({"unreachable", "timeout", "rate-limit"})
"""Failures that say nothing of the constraint."""

PROOFS: Mapping[ConstraintKind, Constraint] = {
    "choice": Constraint("choice", choices=("zqxj vwkq", "vwkq zqxj")),
    "json": Constraint(
        "json",
        text=json.dumps(
            {
                "type": "object",
                "properties": {"zqxj": {"type": "string", "enum": ["vwkq", "kqvw"]}},
                "required": ["zqxj"],
                "additionalProperties": False,
            }
        ),
    ),
    "calls": Constraint(
        "calls",
        text=json.dumps(
            {
                "anyOf": [
                    {
                        "type": "object",
                        "properties": {name: {"anyOf": [{"type": "string"}, {"type": "object"}]}},
                        "required": [name],
                        "additionalProperties": False,
                    }
                    for name in ("zqxj", "vwkq")
                ]
            }
        ),
    ),
    "regex": Constraint("regex", text=r"z[0-9]{6}(vwkq|kqvw)"),
}
"""Constraints of words that do not exist."""

SHORT, LONG = 64, 2048
"""Tokens of a reply that is tried, and of a model's that thinks."""

_HELLO = (Message("user", (Text("Say hello."),)),)


async def prove(put: Put, kind: ConstraintKind) -> str | None:
    """The first spelling in which the server obeys a constraint of this kind; None where it obeys none.

    Raises HarnessError where the server does not answer.
    """
    constraint = PROOFS[kind]
    room = SHORT
    for spelling in spellings(kind):
        while True:
            request = make_request(
                _HELLO, Sampling(max_tokens=room), model="probe", constraint=constraint
            )
            reply = await put(request, spell(constraint, spelling))
            if isinstance(reply, Generation) or not (room < LONG and _thought(reply)):
                break
            room = LONG  # the model thinks first
        if isinstance(reply, Generation):
            check_silence(reply)
        elif reply.finish == "stop" and obeys(bare(reply.text, constraint, spelling), constraint):
            return spelling
    return None


def _thought(reply: Completion) -> bool:
    """Whether a reply ended at its limit while the model was still thinking."""
    return reply.finish == "length" and bool(reply.reasoning or reply.usage.reasoning_tokens)


def check_silence(reply: Generation) -> None:
    """Raises HarnessError for a failure that says nothing of what was tried."""
    if reply.failure is not None and reply.failure.kind in SILENT:
        raise HarnessError(
            f"the server did not answer while its capabilities were tested: {reply.failure.detail}",
            hint="check the server, then run the same command again",
            at_work=True,
        )
