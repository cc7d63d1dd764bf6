"""`agent:own`: the model is lent the tools and makes its calls in a loop of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.loop import AgentLimits, LentTools
from harness.core.protocol import Ask, Done, Render, Reply
from harness.core.tool import LIMIT_RULE, Toolbox
from harness.protocols.unnamed import rendered


@dataclass(frozen=True, slots=True)
class OwnLoop:
    """One request, whose reply is the answer and says which calls were made."""

    name: str
    limits: AgentLimits
    toolbox: Toolbox

    def step(self, render: Render, replies: Sequence[str]) -> Ask | Done:
        """Ask once, then Done. Raises HarnessError for a prompt that waits for a named reply."""
        rendering = rendered(render, self.name)
        if not replies:
            lent = LentTools(self.toolbox, self.limits)
            return Ask(rendering.messages, room=self.limits.tokens, lent=lent)
        reply = replies[-1]
        record = reply.loop if isinstance(reply, Reply) else None
        if record is None:
            return Done(reply)
        return Done(reply, calls=record.calls, rules=(LIMIT_RULE,) if record.limited else ())
