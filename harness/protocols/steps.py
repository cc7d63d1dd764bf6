"""Check the steps of a protocol, and count the requests of a trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.core.errors import HarnessError
from harness.core.message import Message, Text
from harness.core.plugin_faults import plugin_fault
from harness.core.prompt import Rendering
from harness.core.protocol import AnswerProtocol, Ask, Done, Render, draws_of

MOST_REQUESTS = 1000
"""Of one trial: a protocol that asks more never ends."""

_BLANK = (Message("user", (Text(""),)),)


def take_step(protocol: AnswerProtocol, render: Render, replies: Sequence[str]) -> Ask | Done:
    """The protocol's next step.

    Raises HarnessError where it is neither Ask nor Done, where votes are not those of the replies, where a draw has no
    seed of its own, and where the protocol
    goes on without end.
    """
    step = protocol.step(render, replies)
    if isinstance(step, Ask):
        if len(replies) >= MOST_REQUESTS:
            raise HarnessError(
                f"protocol {protocol.name} asked {len(replies):,} times for one sample without ending",
                hint="a protocol must end with Done",
            )
        if not 0 <= step.draw < draws_of(protocol):
            raise HarnessError(
                f"protocol {protocol.name} asks for draw {step.draw} of {draws_of(protocol)}",
                hint="Ask.draw counts from 0 and stays below the protocol's attribute `draws`",
            )
        return step
    if not isinstance(step, Done) or not isinstance(step.text, str):
        raise HarnessError(
            f"protocol {protocol.name} returned {type(step).__name__} as a step",
            hint="a step is harness.core.protocol.Ask, or Done with a text",
        )
    if step.votes and (min(step.votes) < 1 or sum(step.votes) != len(replies)):
        raise HarnessError(
            f"protocol {protocol.name} counts {sum(step.votes)} replies to its votes, of {len(replies)}",
            hint="Done.votes holds the number of replies of each conversation, in their order",
        )
    return step


def count_requests(protocol: AnswerProtocol, awaited: Sequence[str]) -> int:
    """How many requests a trial makes: the protocol is led through the prompt with empty replies.

    `awaited` are the names of the prompt's reply tags in their order. Of a protocol that asks on depending on what was
    said, the number is that for replies that say nothing. Raises HarnessError where the protocol cannot run the prompt.
    """

    def render(known: Mapping[str, str]) -> Rendering:
        return Rendering(_BLANK, next((name for name in awaited if name not in known), None))

    replies: list[str] = []
    try:
        while isinstance(take_step(protocol, render, tuple(replies)), Ask):
            replies.append("")
    except HarnessError:
        raise
    except Exception as error:
        raise plugin_fault(error) or HarnessError(
            f"protocol {protocol.name} failed: {type(error).__name__}: {error}",
            hint="report it to the package that provides it (`harness list protocols`)",
        ) from error
    return len(replies)
